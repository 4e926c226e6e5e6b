//! What can go wrong with a recording.

use std::io;
use std::path::{Path, PathBuf};

/// Why a recording cannot be written or read. Each text names the file, what was expected and found, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The operating system refuses.
    #[error("{}: cannot {action}: {cause}", path.display())]
    Io {
        /// The recording.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system says.
        cause: io::Error,
    },
    /// The file is no MCAP file.
    #[error("{}: it does not begin as an MCAP file does; expected a recording (.mcap)", path.display())]
    NotARecording {
        /// The file.
        path: PathBuf,
    },
    /// An MCAP file without pictures that can be read here.
    #[error("{}: {found}; expected JPEG or PNG pictures as foxglove.CompressedImage in protobuf, in chunks without compression", path.display())]
    NothingToSee {
        /// The file.
        path: PathBuf,
        /// What it holds instead.
        found: String,
    },
    /// A record that cannot be what it says.
    #[error("{}: {found}; run `ghostball doctor` on it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        found: String,
    },
    /// Too much is asked for at once.
    #[error("{}: cannot save it: others still wait to be saved; ask again when they are", path.display())]
    Busy {
        /// The recording.
        path: PathBuf,
    },
    /// What was to be recorded fits no record.
    #[error("{}: cannot record: {cause}", path.display())]
    Encoding {
        /// The recording.
        path: PathBuf,
        /// Why not.
        cause: String,
    },
}

impl RecordingError {
    /// An error of the operating system with what was tried.
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Io {
            path: path.to_owned(),
            action,
            cause,
        }
    }
}

/// Why a picture of a recording is none.
#[derive(Debug, thiserror::Error)]
#[error("expected a PNG that ghostball wrote, found {0}")]
pub struct LosslessError(pub(crate) String);
