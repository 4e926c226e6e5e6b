//! The access token: made at the first start, kept in a file that only its owner can read.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::{self, IsTerminal as _, Write as _};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::broadcast::{AccessToken, TokenError};

/// Bytes of chance in a token: more than anybody can try.
const RANDOM_BYTES: usize = 24;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum AccessTokenError {
    /// Nobody says where the program may keep things.
    #[error(
        "expected HOME, XDG_STATE_HOME or STATE_DIRECTORY to name a folder for the access token, found none"
    )]
    NoFolder,
    /// The file cannot be read or written.
    #[error("cannot keep the access token in {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What the file holds is no token.
    #[error("{}: {source}; remove the file for a new one", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: TokenError,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers for an access token: {0}")]
    Random(getrandom::Error),
}

/// Where the program keeps what it needs again: the folder that systemd (`STATE_DIRECTORY`) or the XDG base directory
/// specification (`XDG_STATE_HOME`, else `~/.local/state`) names.
pub fn state_folder(environment: &[(OsString, OsString)]) -> Option<PathBuf> {
    let folder = |name: &str| {
        let value = environment.iter().find(|(known, _)| known == name);
        value
            .map(|(_, folder)| PathBuf::from(folder))
            .filter(|folder| folder.is_absolute())
    };
    folder("STATE_DIRECTORY")
        .or_else(|| folder("XDG_STATE_HOME").map(|folder| folder.join("ghostball")))
        .or_else(|| folder("HOME").map(|home| home.join(".local/state/ghostball")))
}

/// Where the token is kept.
pub fn file(environment: &[(OsString, OsString)]) -> Result<PathBuf, AccessTokenError> {
    let folder = state_folder(environment).ok_or(AccessTokenError::NoFolder)?;
    Ok(folder.join("token"))
}

/// The token in `path`, which is made if it is not there.
pub fn load(path: &Path) -> Result<AccessToken, AccessTokenError> {
    let failed = |source| AccessTokenError::File {
        path: path.to_owned(),
        source,
    };
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create(path, &random()?).map_err(failed)?;
            // Somebody else may have been faster: theirs it is.
            fs::read_to_string(path).map_err(failed)?
        }
        text => text.map_err(failed)?,
    };
    // Also where somebody copied it.
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
    AccessToken::new(text.trim()).map_err(|source| AccessTokenError::Wrong {
        path: path.to_owned(),
        source,
    })
}

fn random() -> Result<String, AccessTokenError> {
    let mut bytes = [0; RANDOM_BYTES];
    getrandom::fill(&mut bytes).map_err(AccessTokenError::Random)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Writes the file whole or not at all; one that is there stays.
fn create(path: &Path, token: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // Readable by nobody else from the first moment.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(file, "{token}")?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
        _ => Ok(()),
    }
}

/// Tells whoever started the program how to get in: a ready address on a terminal; anything else may be a log, which gets
/// the path only.
#[allow(
    clippy::print_stderr,
    reason = "the token must not go through the log, which others can read"
)]
pub fn announce(token: &AccessToken, file: &Path, listen: SocketAddr) {
    if io::stderr().is_terminal() {
        let reachable = SocketAddr::new(reachable_address(listen.ip()), listen.port());
        eprintln!("\n    http://{reachable}/?token={}\n", token.reveal());
    } else {
        tracing::info!("the access token is in {}", file.display());
    }
}

/// An address at which others find this machine, where it listens on all of them.
fn reachable_address(listen: IpAddr) -> IpAddr {
    if !listen.is_unspecified() {
        return listen;
    }
    // Sends nothing: the system only says which of its addresses it would use. The other end is one for documentation.
    let route = || {
        let socket = UdpSocket::bind(SocketAddr::new(listen, 0)).ok()?;
        let elsewhere = if listen.is_ipv4() {
            "192.0.2.1:9"
        } else {
            "[2001:db8::1]:9"
        };
        socket.connect(elsewhere).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    route().unwrap_or(match listen {
        IpAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(_) => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/ghostball/token");
        let made = load(&path).unwrap();
        assert_eq!(made.reveal().len(), 2 * RANDOM_BYTES);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777,
            0o700
        );

        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(load(&path).unwrap() == made, "it is kept");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(
            load(&folder.path().join("other/token")).unwrap() != made,
            "another is another"
        );

        fs::write(&path, "1234\n").unwrap();
        let error = load(&path).unwrap_err().to_string();
        assert!(
            error.contains("expected a token of 16 to 256") && !error.contains("1234"),
            "{error}"
        );
    }
}
