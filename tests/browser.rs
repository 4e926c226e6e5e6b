//! The web page in a real browser, against the simulated table.

mod common;

use std::process::Command;

#[test]
fn balls_move_on_the_canvas_of_the_page_and_the_console_stays_clean() {
    if !common::have("node", "--version") {
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/run");
    let output = Command::new(script)
        .env("GHOSTBALL_BIN", env!("CARGO_BIN_EXE_ghostball"))
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
