//! Where results go: a file, or standard output for `-`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Results cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {name}")]
pub struct OutputError {
    /// Where they should go.
    name: String,
    /// Why not.
    source: io::Error,
}

/// A buffered file or standard output. Call [`Output::finish`] at the end: only then are write errors all known.
pub struct Output {
    name: String,
    out: BufWriter<Box<dyn Write>>,
}

impl Output {
    /// Creates the file, or takes standard output for `-`.
    pub fn create(path: &Path) -> Result<Self, OutputError> {
        let name = path.display().to_string();
        let out: Box<dyn Write> = if name == "-" {
            Box::new(io::stdout().lock())
        } else {
            Box::new(File::create(path).map_err(|source| OutputError {
                name: name.clone(),
                source,
            })?)
        };
        Ok(Self {
            name,
            out: BufWriter::new(out),
        })
    }

    /// Where to write.
    pub fn writer(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// Writes `row` as one line of JSON.
    pub fn write_line(&mut self, row: &impl serde::Serialize) -> Result<(), OutputError> {
        let written = serde_json::to_writer(&mut self.out, row).map_err(io::Error::from);
        let written = written.and_then(|()| self.out.write_all(b"\n"));
        written.map_err(|source| OutputError {
            name: self.name.clone(),
            source,
        })
    }

    /// Writes `text` as it is.
    pub fn write_text(&mut self, text: &str) -> Result<(), OutputError> {
        let written = self.out.write_all(text.as_bytes());
        written.map_err(|source| OutputError {
            name: self.name.clone(),
            source,
        })
    }

    /// Writes out what is still buffered.
    pub fn finish(mut self) -> Result<(), OutputError> {
        self.out.flush().map_err(|source| OutputError {
            name: self.name,
            source,
        })
    }
}
