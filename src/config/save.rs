//! Saves the configuration on a thread of its own: a slow disk delays no frame.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use serde_json::Value;

use crate::broadcast::{Refusal, RefusalReason, Request};

/// Files that wait to be written; when full, the next change is refused.
const QUEUE: usize = 4;

/// A file to write, and whom to tell.
pub struct Save {
    /// The file; without one nothing is saved.
    pub path: Option<PathBuf>,
    /// What it is to hold.
    pub after: String,
    /// Who asked for it.
    pub request: Request,
    /// What to answer when it is done.
    pub answer: Value,
    /// Its other end is dropped once the change is in force: an answer before that would be too early.
    pub in_force: Receiver<()>,
}

/// The thread that saves. Dropped, it finishes what waits.
pub struct Saver {
    queue: Option<SyncSender<Save>>,
    thread: Option<JoinHandle<()>>,
}

impl Saver {
    /// Starts the thread. `text` is what the file holds.
    pub fn start(text: String) -> io::Result<Self> {
        let (queue, saves) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("configuration".to_owned())
            .spawn(move || work(&saves, text))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Has it saved and answered; false where it is refused, which is answered too.
    pub fn save(&self, save: Save) -> bool {
        let Some(queue) = &self.queue else { return false };
        match queue.try_send(save) {
            Ok(()) => true,
            Err(TrySendError::Full(save) | TrySendError::Disconnected(save)) => {
                let message = "earlier changes are still being saved; try again in a moment";
                save.request
                    .answer(Err(Refusal::new(RefusalReason::Busy, message)));
                false
            }
        }
    }
}

impl Drop for Saver {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that saves the configuration had ended before its time");
        }
    }
}

/// `on_disk` is what the file is believed to hold.
fn work(saves: &Receiver<Save>, mut on_disk: String) {
    for save in saves {
        let saved = match &save.path {
            Some(path) => replace(path, &on_disk, &save.after),
            None => Ok(()),
        };
        if saved.is_ok() {
            // What could not be saved is not there, and comes with the next change.
            on_disk = save.after;
        }
        // Nothing is ever sent.
        save.in_force.recv().ok();
        save.request.answer(match saved {
            Ok(()) => Ok(save.answer),
            Err(refusal) => {
                tracing::error!("{refusal}");
                Err(refusal)
            }
        });
    }
}

/// Replaces the file as a whole: whoever reads it sees the old one or the new one.
fn replace(path: &Path, before: &str, after: &str) -> Result<(), Refusal> {
    let failed = |error: io::Error| {
        let path = path.display();
        Refusal::new(
            RefusalReason::Failed,
            format!("the change is in force until the program ends, but {path} cannot be written: {error}"),
        )
    };
    // A link stays one: what it leads to is replaced.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let found = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        found => found.map_err(failed)?,
    };
    if found != before {
        let message = format!(
            "the change is in force until the program ends, but not saved: {} was changed by somebody else since the program \
             started",
            path.display()
        );
        return Err(Refusal::new(RefusalReason::Conflict, message));
    }
    if found == after {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || {
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(after.as_bytes())?;
        let permissions = match std::fs::metadata(path) {
            Ok(metadata) => metadata.permissions(),
            // Nothing in it is a secret.
            Err(_) => Permissions::from_mode(0o644),
        };
        file.as_file().set_permissions(permissions)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/folder/a.toml");
        replace(&path, "", "a = 1\n").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        replace(&path, "a = 1\n", "a = 2\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a = 2\n");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_somebody_else_wrote_is_not_overwritten() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "b = 1\n").unwrap();
        let refusal = replace(file.path(), "a = 1\n", "a = 2\n").unwrap_err();
        assert_eq!(refusal.reason, RefusalReason::Conflict);
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "b = 1\n");
    }
}
