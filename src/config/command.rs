//! `ghostball config`.

use std::io::Write as _;

use super::effective::Effective;
use super::error::ConfigError;
use super::{layers, reference};
use crate::cli::{ConfigCommand, ConfigFileArgs};

/// Why `ghostball config` failed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigCommandError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Standard output takes nothing.
    #[error("cannot write to standard output")]
    Output(#[from] std::io::Error),
}

/// Prints what is asked for; `check` says on standard error that all is well.
pub fn run(command: &ConfigCommand) -> Result<(), ConfigCommandError> {
    let load =
        |args: &ConfigFileArgs| Effective::load(args.config.as_deref(), std::env::vars_os(), Vec::new());
    let text = match command {
        ConfigCommand::Show(args) => reference::effective(&load(args)?),
        ConfigCommand::Check(args) => {
            let all = load(args)?;
            let set = all
                .origins
                .values()
                .filter(|origin| **origin != layers::Origin::Default);
            let file = all
                .file
                .as_ref()
                .map_or("no file".into(), |file| file.to_string_lossy());
            tracing::info!("the configuration is right: {file}, {} values set", set.count());
            String::new()
        }
        ConfigCommand::Reference => reference::reference(),
        ConfigCommand::Schema => format!("{:#}\n", reference::schema()),
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
