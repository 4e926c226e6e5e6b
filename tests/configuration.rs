//! The configuration of a running service, changed over HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "helpers of tests, outside of test functions; waits for a running service"
)]

mod common;

use std::path::Path;

use common::service::Service;
use serde_json::json;

fn service(folder: &Path) -> Service {
    let mut command = common::ghostball();
    command
        .args(["run", "--source", "sim?size=320x180", "--listen", "127.0.0.1:0"])
        .env("XDG_CONFIG_HOME", folder);
    Service::start(&mut command)
}

const CONFIG: &str = "/api/v1/config";

#[test]
fn a_change_is_checked_whole_applied_saved_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ghostball/ghostball.toml");
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    std::fs::write(
        &file,
        "# my table\n[table]\nlength = 2.24 # measured\nwidth = 1.12\n",
    )
    .unwrap();
    let service = service(folder.path());

    let shown = service.json("GET", CONFIG, "", 200);
    assert_eq!(shown["config"]["table"]["length"], 2.24);
    assert_eq!(
        shown["origins"]["table.length"],
        format!("{}, line 3", file.display())
    );
    assert_eq!(shown["origins"]["api.server.port"], "command line --listen");

    let change = r#"{"trajectory": {"assumed_stick_speed": 3}, "table.length": 2.3}"#;
    let answer = service.json("PUT", CONFIG, change, 200);
    assert_eq!(
        answer,
        json!({
            "changed": {"table.length": 2.3, "trajectory.assumed_stick_speed": 3.0},
            "at_next_start": ["table.length"],
            "saved": file,
        })
    );
    let saved = std::fs::read_to_string(&file).unwrap();
    assert_eq!(
        saved,
        "# my table\n[table]\nlength = 2.3 # measured\nwidth = 1.12\n\n[trajectory]\nassumed_stick_speed = 3.0\n"
    );
    let shown = service.json("GET", CONFIG, "", 200);
    assert_eq!(shown["config"]["trajectory"]["assumed_stick_speed"], 3.0);
    assert_eq!(shown["pending"], json!(["table.length"]));

    for (change, status, told) in [
        (
            r#"{"table.lenght": 2, "trajectory.assumed_stick_speed": 4}"#,
            422,
            "the nearest is table.length",
        ),
        (
            r#"{"table": {"width": 99}}"#,
            422,
            "expected 0.3 to 10 metres, found 99",
        ),
        (
            r#"{"table": {"width": 2.5}}"#,
            422,
            "expected at most table.length, 2.3 metres, found 2.5",
        ),
        (r#"{"table": {"width": null}}"#, 422, ""),
        (
            r#"{"api.server.port": 1}"#,
            409,
            "is set by command line --listen",
        ),
        (r#"[1]"#, 400, "expected other JSON"),
        (r#"{"#, 400, "expected other JSON"),
    ] {
        let message = service.json("PUT", CONFIG, change, status)["error"]["message"].to_string();
        assert!(message.contains(told), "{change}: {message}");
    }
    assert_eq!(
        service.json("GET", CONFIG, "", 200),
        shown,
        "what was refused changed nothing"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), saved);

    let answer = service.json("POST", "/api/v1/config/reset", r#"{"keys": ["trajectory"]}"#, 200);
    assert_eq!(answer["changed"], json!({"trajectory.assumed_stick_speed": 2.0}));
    service.json("POST", "/api/v1/config/reset", r#"{"keys": ["tabel"]}"#, 422);
    let answer = service.json("POST", "/api/v1/config/reset", "", 200);
    assert_eq!(
        answer["changed"],
        json!({"table.length": 2.54, "table.width": 1.27})
    );
    let schema = service.json("GET", "/api/v1/config/schema", "", 200);
    assert_eq!(
        schema["properties"]["table"]["properties"]["width"]["x-unit"],
        "metres"
    );
}

#[test]
fn what_somebody_else_changes_meanwhile_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ghostball/ghostball.toml");
    let service = service(folder.path());
    service.json("PUT", CONFIG, r#"{"table.ball_set": "carom"}"#, 200);
    std::fs::write(&file, "[table]\nball_set = \"snooker\"\n").unwrap();
    let refused = service.json("PUT", CONFIG, r#"{"trajectory.assumed_stick_speed": 4}"#, 409);
    assert!(
        refused["error"]["message"]
            .as_str()
            .unwrap()
            .contains("changed by somebody else"),
        "{refused}"
    );
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        "[table]\nball_set = \"snooker\"\n"
    );
}

#[test]
fn what_could_not_be_saved_is_saved_with_the_next_change() {
    let folder = tempfile::tempdir().unwrap();
    let of_program = folder.path().join("ghostball");
    let service = service(folder.path());
    service.json("PUT", CONFIG, r#"{"table.ball_set": "carom"}"#, 200);
    // Where the folder was, there is none.
    let aside = folder.path().join("aside");
    std::fs::rename(&of_program, &aside).unwrap();
    std::fs::write(&of_program, "").unwrap();
    let failed = service.json("PUT", CONFIG, r#"{"trajectory.assumed_stick_speed": 4}"#, 500);
    assert!(failed.to_string().contains("cannot be written"), "{failed}");
    std::fs::remove_file(&of_program).unwrap();
    std::fs::rename(&aside, &of_program).unwrap();
    service.json("PUT", CONFIG, r#"{"table.length": 2.3}"#, 200);
    assert_eq!(
        std::fs::read_to_string(of_program.join("ghostball.toml")).unwrap(),
        "[table]\nball_set = \"carom\"\nlength = 2.3\n\n[trajectory]\nassumed_stick_speed = 4.0\n"
    );
}

#[test]
fn a_change_has_to_be_sent_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let service = service(folder.path());
    let mut stream = std::net::TcpStream::connect(&service.address).unwrap();
    use std::io::{Read as _, Write as _};
    write!(
        stream,
        "PUT {CONFIG} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: \
         2\r\n\r\n{{}}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 415 "), "{answer}");
}

#[test]
fn on_an_address_that_others_can_reach_a_token_is_asked_for_and_never_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let mut command = common::ghostball();
    command
        .args(["run", "--source", "sim?size=320x180", "--listen", "0.0.0.0:0"])
        .env_remove("STATE_DIRECTORY")
        .env("XDG_STATE_HOME", folder.path())
        .env("XDG_CONFIG_HOME", folder.path())
        .env("GHOSTBALL_LOG", "trace");
    let mut service = Service::start(&mut command);
    let file = folder.path().join("ghostball/token");
    let token = std::fs::read_to_string(&file).unwrap().trim().to_owned();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);

    assert_eq!(service.ask("GET", "/api/v1/game/state", "").0, 401);
    let in_address = format!("/api/v1/health?token={token}");
    assert_eq!(service.ask("GET", &in_address, "").0, 200);
    service.token = Some(token.clone());
    for path in ["/", "/api/v1/health", "/api/v1/config", "/nothing"] {
        let (status, body) = service.ask("GET", path, "");
        assert!(status != 401 && !body.contains(&token), "{path}: {status}");
    }
    service.json("PUT", CONFIG, r#"{"trajectory.assumed_stick_speed": 3}"#, 200);
    let said = service.said();
    assert!(said.contains(file.to_str().unwrap()), "{said}");
    assert!(!said.contains(&token), "the token is in the log");
}

#[test]
fn a_running_service_is_calibrated_and_tells_its_errors() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = common::ghostball();
    command
        .args(["run", "--source", "sim?size=640x360", "--listen", "127.0.0.1:0"])
        .env("XDG_CONFIG_HOME", folder.path());
    let service = Service::start(&mut command);
    const CALIBRATION: &str = "/api/v1/calibration";
    assert_eq!(service.json("GET", CALIBRATION, "", 200)["status"], "none");
    let ask = |method: &str, path: &str, body: &str| service.json(method, path, body, 202)["status"].clone();
    let wait = || {
        let started = std::time::Instant::now();
        loop {
            let view = service.json("GET", CALIBRATION, "", 200);
            if view["status"] != "running" {
                return view;
            }
            assert!(started.elapsed().as_secs() < 120, "{view}");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    };
    assert_eq!(ask("POST", CALIBRATION, ""), "running");
    let refused = service.json("POST", CALIBRATION, "", 409);
    assert!(
        refused["error"]["message"]
            .as_str()
            .unwrap()
            .contains("under way")
    );
    let view = wait();
    assert_eq!(view["status"], "done", "{view}");
    let errors = &view["calibration"]["errors"];
    assert!(
        errors["nose_px"].as_f64().unwrap() < 2.0 && errors["nose_mm"].as_f64().is_some(),
        "{view}"
    );
    let file = folder.path().join("table.toml");
    std::fs::write(&file, view["file"].as_str().unwrap()).unwrap();
    assert!(ghostball::calibration_file::read(&file).is_ok());

    let corners = &view["calibration"]["image"]["corners"];
    let by_hand = json!({"corners": corners.as_array().unwrap().iter().map(|corner| {
        json!({"x": corner[0].as_f64().unwrap() + 1.0, "y": corner[1]})
    }).collect::<Vec<_>>()});
    let path = "/api/v1/calibration/corners";
    service.json("PUT", path, r#"{"corners": [{"x": 1, "y": 2}]}"#, 422);
    assert_eq!(ask("PUT", path, &by_hand.to_string()), "running");
    let moved = wait();
    assert_eq!(moved["status"], "done", "{moved}");
    let x = |view: &serde_json::Value| view["calibration"]["image"]["corners"][0][0].as_f64().unwrap();
    assert!(
        (x(&moved) - x(&view) - 1.0).abs() < 0.1,
        "{} {}",
        x(&view),
        x(&moved)
    );
    assert!(service.json("GET", "/api/v1/devices", "", 200)["devices"].is_array());
    let lines = service.json("GET", "/api/v1/logs?lines=50", "", 200)["lines"].clone();
    assert!(lines.to_string().contains("calibrated in "), "{lines}");
}
