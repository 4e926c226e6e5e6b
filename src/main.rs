//! The command `ghostball`.

use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use ghostball::cli::{Cli, Command};
use ghostball::detect::Detected;
use ghostball::output::{Output, OutputError};
use ghostball::run::Outcome;
use ghostball::{calibrate, config, detect, devices, inspect, log, record, replay, run, simulate};

/// Done, but data was lost.
const EXIT_WITH_LOSSES: u8 = 3;

fn main() -> ExitCode {
    let cli = Cli::parse();
    log::start();
    match dispatch(cli) {
        Ok(code) => code,
        // Whoever read our output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // The whole chain on one line: what failed, and why.
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn code_of(outcome: Outcome) -> ExitCode {
    match outcome {
        Outcome::Whole => ExitCode::SUCCESS,
        Outcome::WithLosses => ExitCode::from(EXIT_WITH_LOSSES),
    }
}

fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command.unwrap_or(Command::Run(cli.run)) {
        Command::Run(args) => return Ok(code_of(run::run(&args)?)),
        Command::Replay(args) => return Ok(code_of(replay::replay(&args)?)),
        Command::Record(args) => return Ok(code_of(record::record(&args)?)),
        Command::Info(args) => print(&inspect::info(&args.file)?)?,
        Command::Doctor(args) => {
            let verdict = inspect::doctor(&args.file)?;
            print(&verdict.text)?;
            if verdict.is_lossy {
                return Ok(ExitCode::from(EXIT_WITH_LOSSES));
            }
        }
        Command::Detect(args) => {
            if detect::detect(&args)? == Detected::WithFailures {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Calibrate(args) => calibrate::calibrate(&args)?,
        Command::Devices(args) => devices::devices(&args)?,
        Command::Simulate(args) => {
            // Before the output is created: a mistake in the input must not cost an earlier result.
            let cases = simulate::read(&args.cases)?;
            let mut lines = args.jsonl.as_deref().map(Output::create).transpose()?;
            let summary = simulate::simulate(&cases, lines.as_mut().map(Output::writer))?;
            lines.map_or(Ok(()), Output::finish)?;
            tracing::info!("{summary}");
        }
        Command::Config(args) => config::command::run(&args.command)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn print(text: &str) -> Result<(), OutputError> {
    let mut out = Output::create(Path::new("-"))?;
    out.write_text(text)?;
    out.finish()
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}
