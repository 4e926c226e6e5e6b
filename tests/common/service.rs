//! A running service, and HTTP to look at it from outside.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

/// The program, serving on a port of its own; it is told to end when this is dropped.
pub struct Service {
    child: Child,
    pub address: String,
    /// Sent with every request.
    pub token: Option<String>,
    said: Arc<Mutex<String>>,
}

impl Service {
    /// Starts `command` (with `--listen …:0`) and waits until it says where it listens.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let address = loop {
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("it ended:\n{said}"))
                .unwrap();
            said += &line;
            if let Some((_, rest)) = line.split_once("http://") {
                break rest.split('/').next().unwrap().to_owned();
            }
        };
        // What it says later is read too, so that it never waits for a reader.
        let said = Arc::new(Mutex::new(said));
        let later = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                *later.lock().unwrap() += &line;
            }
        });
        Self {
            child,
            address,
            token: None,
            said,
        }
    }

    /// Its number as a process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, as the system does, and waits until it has, well.
    pub fn terminate(self) {
        self.terminate_with(0);
    }

    /// The same, ending with this exit code.
    pub fn terminate_with(mut self, exit_code: i32) {
        let asked = Command::new("kill").arg(self.id().to_string()).status();
        assert!(asked.unwrap().success());
        let ended = self.child.wait().unwrap().code();
        assert_eq!(ended, Some(exit_code), "{}", self.said());
    }

    /// What it said on standard error so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// One request: status and body.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let token = self
            .token
            .iter()
            .map(|token| format!("Authorization: Bearer {token}\r\n"));
        let token: String = token.collect();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{token}Connection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// One request whose answer has to be JSON with this status.
    #[track_caller]
    pub fn json(&self, method: &str, path: &str, body: &str, status: u16) -> Value {
        let (found, answer) = self.ask(method, path, body);
        assert_eq!(found, status, "{answer}");
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
