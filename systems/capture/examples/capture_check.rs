//! Reads a source as fast as it comes and says what came: sizes, stamps, sequence and a hash of each frame.
//!
//! `capture_check SRC [FRAMES] [--quiet]`
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a tool for the terminal, which measures"
)]

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use ghostball_capture::{CaptureError, Pace, Received, RingPolicy, SourceSpec, open, spawn};

fn main() -> ExitCode {
    match check() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("capture_check: {error}");
            ExitCode::FAILURE
        }
    }
}

fn check() -> Result<(), CaptureError> {
    let mut arguments = std::env::args().skip(1);
    let spec: SourceSpec = arguments.next().unwrap_or_default().parse()?;
    let limit = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(u64::MAX);
    let quiet = arguments.next().is_some();
    let receiver = spawn(open(&spec)?, RingPolicy::Replay, Pace::Max, 4)?;
    println!("{:?}", receiver.description());
    let started = Instant::now();
    let mut count = 0;
    while count < limit {
        let frame = match receiver.receive(Duration::from_secs(3)) {
            Received::Frame(frame) => frame,
            Received::Idle => {
                println!("idle");
                continue;
            }
            Received::Failed(error) => {
                println!("failed after {count} frames: {error}");
                return Err(error);
            }
            Received::End => break,
        };
        let picture = &frame.picture;
        if !quiet {
            let mut hasher = DefaultHasher::new();
            (picture.bytes(), &frame.jpeg).hash(&mut hasher);
            println!(
                "{count} sequence {} stamp {:.6} {:?} {}x{} {:?} jpeg {} hash {:016x}",
                frame.sequence,
                frame.captured_at.nanos as f64 * 1e-9,
                picture.format(),
                picture.width(),
                picture.height(),
                picture.color(),
                frame.jpeg.len(),
                hasher.finish(),
            );
        }
        count += 1;
    }
    let secs = started.elapsed().as_secs_f64();
    println!(
        "{count} frames in {secs:.3} s, {:.1} a second, {:?}",
        count as f64 / secs,
        receiver.counters()
    );
    Ok(())
}
