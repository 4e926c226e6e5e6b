//! WebSocket clients that others wrote, each through a full session: subscribe, filter, zlib, unsubscribe, reconnect.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "helpers of tests: a failure ends the test, and a service needs a moment to start"
)]

mod common;

use std::process::Command;

use common::service::Service;

/// The service on its simulated table, once states flow.
fn serve() -> Service {
    let service = Service::start(common::ghostball().args([
        "run",
        "--source",
        "sim?seed=7",
        "--listen",
        "127.0.0.1:0",
    ]));
    while service.ask("GET", "/api/v1/game/state", "").0 != 200 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    service
}

fn follows(session: &mut Command) {
    let output = session.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "ok");
}

fn script(path: &str) -> String {
    format!("{}/tests/{path}", env!("CARGO_MANIFEST_DIR"))
}

/// Installs what the scripts of `tests/browser` need, once.
fn has_packages() -> bool {
    let folder = script("browser");
    common::have("npm", "--version")
        && (std::path::Path::new(&folder).join("node_modules/ws").exists()
            || common::have_done(
                Command::new("npm")
                    .args(["ci", "--no-audit", "--no-fund"])
                    .current_dir(folder),
            ))
}

#[test]
fn python_with_websockets() {
    let python = std::env::var("GHOSTBALL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    if !common::have_done(Command::new(&python).args(["-c", "import websockets"])) {
        return;
    }
    let service = serve();
    let url = format!("ws://{}/api/v1/ws", service.address);
    follows(Command::new(python).arg(script("peers/session.py")).arg(url));
}

#[test]
fn node_with_ws() {
    if !common::have("node", "--version") || !has_packages() {
        return;
    }
    let service = serve();
    let url = format!("ws://{}/api/v1/ws", service.address);
    follows(
        Command::new("node")
            .arg(script("browser/node_session.mjs"))
            .arg(url),
    );
}

#[test]
fn a_browser() {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let Some(browser) = names.into_iter().find(|name| common::have(name, "--version")) else {
        return;
    };
    if !common::have("node", "--version") || !has_packages() {
        return;
    }
    let browser = Command::new("which").arg(browser).output().unwrap();
    let browser = String::from_utf8_lossy(&browser.stdout).trim().to_owned();
    let service = serve();
    let url = format!("http://{}", service.address);
    follows(
        Command::new("node")
            .arg(script("browser/browser_session.mjs"))
            .args([url, browser]),
    );
}
