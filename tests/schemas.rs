//! Every message of the assembled program, over a while, as its own schemas say.
//!
//! A run of SCHEMA_SECONDS, 8 where nobody says.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "helpers of tests: a failure ends the test, and a run takes its time"
)]

mod common;

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::service::Service;
use jsonschema::Validator;
use serde_json::Value;
use tungstenite::Message;

const STREAMS: &str = "state,trajectory,events,motion,alert,config,performance,metrics";

/// Follows everything in one space for `run`; how many messages of each type came.
fn follow(service: &Service, space: &str, run: Duration) -> BTreeMap<String, usize> {
    let stream = TcpStream::connect(&service.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let url = format!(
        "ws://{}/api/v1/ws?subscribe={STREAMS}&coords={space}",
        service.address
    );
    let (mut socket, _) = tungstenite::client(url, stream).unwrap();
    let mut validators: BTreeMap<String, Validator> = BTreeMap::new();
    let mut counts = BTreeMap::new();
    let mut sequence = 0;
    let began = Instant::now();
    while began.elapsed() < run {
        let Message::Text(text) = socket.read().unwrap() else {
            continue;
        };
        let message: Value = serde_json::from_str(&text).unwrap();
        let kind = message["type"].as_str().unwrap().to_owned();
        let validator = validators.entry(kind.clone()).or_insert_with(|| {
            let (status, schema) = service.ask("GET", &format!("/api/v1/schema/{kind}"), "");
            assert_eq!(status, 200, "{kind}: {schema}");
            let schema = serde_json::from_str(&schema).unwrap();
            jsonschema::draft202012::options()
                .should_validate_formats(true)
                .build(&schema)
                .unwrap()
        });
        let errors: Vec<_> = validator
            .iter_errors(&message)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:?} in {message}");
        sequence += 1;
        assert_eq!(message["sequence"], sequence, "each message has its number");
        *counts.entry(kind).or_default() += 1;
    }
    counts
}

#[test]
fn every_message_of_a_run_is_as_the_programs_own_schemas_say() {
    let seconds = std::env::var("SCHEMA_SECONDS").ok();
    let run = Duration::from_secs(seconds.map_or(8, |seconds| seconds.parse().unwrap()));
    let service = Service::start(common::ghostball().args([
        "run",
        "--source",
        "sim?seed=7",
        "--listen",
        "127.0.0.1:0",
    ]));
    std::thread::scope(|scope| {
        let spaces =
            ["metres", "4k", "camera"].map(|space| (space, scope.spawn(|| follow(&service, space, run))));
        for (space, followed) in spaces {
            let counts = followed.join().unwrap();
            for kind in [
                "connection",
                "state",
                "trajectory",
                "config",
                "performance",
                "metrics",
            ] {
                assert!(counts.contains_key(kind), "{space}: no {kind} in {counts:?}");
            }
            // Two keep-alives a second, whatever happens on the table; the first may take a moment.
            assert!(counts["state"] >= run.as_secs() as usize, "{space}: {counts:?}");
        }
    });
}
