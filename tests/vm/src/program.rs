//! `ghostball run`, watched from outside: what it logs, which alerts it sends, what it holds.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::Value;

const ADDRESS: &str = "127.0.0.1:8000";

/// The program while it runs. Dropping it ends it.
pub(crate) struct Program {
    child: Child,
    /// What it writes to standard error.
    lines: Receiver<String>,
    /// The alerts it sends: whether each begins a condition.
    alerts: Receiver<bool>,
    /// All lines so far.
    pub(crate) log: Vec<String>,
}

impl Program {
    /// Starts it on `source`, with `variables` of the environment.
    pub(crate) fn start(source: &str, variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut child = Command::new("ghostball")
            .args(["run", "--source", source, "--listen", ADDRESS])
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start ghostball")?;
        let stderr = child.stderr.take().context("ghostball has no standard error")?;
        let (line_sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if line_sender.send(line).is_err() {
                    break;
                }
            }
        });
        let (alert_sender, alerts) = channel();
        let mut socket = connect()?;
        thread::spawn(move || {
            while let Ok(message) = socket.read() {
                let Ok(message) = serde_json::from_slice::<Value>(&message.into_data()) else {
                    continue;
                };
                let is_ours =
                    message["type"] == "alert" && message["data"]["code"] == "HW_CAMERA_UNAVAILABLE";
                let begins = message["data"]["level"] != "info";
                if is_ours && alert_sender.send(begins).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            child,
            lines,
            alerts,
            log: Vec::new(),
        })
    }

    /// Waits until it logs a line with `text` in it; how long that took.
    pub(crate) fn wait_for(&mut self, text: &str, limit: Duration) -> anyhow::Result<Duration> {
        let began = Instant::now();
        while let Some(left) = limit.checked_sub(began.elapsed()) {
            let Ok(line) = self.lines.recv_timeout(left) else {
                break;
            };
            let is_it = line.contains(text);
            self.log.push(line);
            if is_it {
                return Ok(began.elapsed());
            }
        }
        let last = self.log.iter().rev().take(5).rev();
        let last = last.map(String::as_str).collect::<Vec<_>>().join(" | ");
        bail!("expected '{text}' in its log within {limit:?}; it said last: {last}");
    }

    /// Alerts since the last call: those that began an outage, and those that ended one. Waits for `expected` of each, and
    /// a while longer: one too many may be on its way.
    pub(crate) fn alerts(&mut self, expected: usize) -> (usize, usize) {
        let (mut begun, mut ended) = (0, 0);
        loop {
            let patience = match begun < expected || ended < expected {
                true => Duration::from_secs(3),
                false => Duration::from_millis(500),
            };
            match self.alerts.recv_timeout(patience) {
                Ok(true) => begun += 1,
                Ok(false) => ended += 1,
                Err(_) => return (begun, ended),
            }
        }
    }

    /// Open files.
    pub(crate) fn open_files(&self) -> anyhow::Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count())
    }

    /// Memory in use, KiB.
    pub(crate) fn resident_kib(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        number
            .and_then(|number| number.parse().ok())
            .context("no VmRSS in its status")
    }

    /// Ends it; an error where it had ended before, or panicked.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("it ended by itself: {status}");
        }
        self.log.extend(self.lines.try_iter());
        if let Some(line) = self.log.iter().find(|line| line.contains("panicked")) {
            bail!("it panicked: {line}");
        }
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

type Socket = tungstenite::WebSocket<tungstenite::stream::MaybeTlsStream<std::net::TcpStream>>;

/// Connects as soon as the port is there.
fn connect() -> anyhow::Result<Socket> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match tungstenite::connect(format!("ws://{ADDRESS}/api/v1/ws?subscribe=alert")) {
            Ok((socket, _)) => return Ok(socket),
            Err(error) if Instant::now() > deadline => {
                return Err(error).context("cannot connect to ghostball");
            }
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}
