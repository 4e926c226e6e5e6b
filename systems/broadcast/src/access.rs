//! Who may use the server, and from which pages.

use std::fmt;

use axum::http::uri::Authority;
use subtle::ConstantTimeEq as _;

/// Who may use the server. By default everybody who reaches it, which is right on loopback only.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Access {
    /// What has to be shown. Without one, everybody may do everything.
    pub token: Option<AccessToken>,
    /// Whether reading needs no token.
    pub open_read: bool,
    /// Pages from elsewhere that may use the server as its own may, and names it goes by behind a proxy.
    pub allowed_origins: Vec<Origin>,
}

/// A secret that lets in. It does not show itself: not in logs, not in errors.
#[derive(Clone)]
pub struct AccessToken(String);

/// Fewer letters could be guessed.
const SHORTEST_TOKEN: usize = 16;
/// A cookie has to hold it, and a line of a file.
const LONGEST_TOKEN: usize = 256;

/// A token that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a token of 16 to 256 letters, digits, `-` or `_`, found one of {length} characters or with others"
)]
pub struct TokenError {
    /// Characters that were found.
    pub length: usize,
}

impl AccessToken {
    /// Takes a text for a token: letters, digits, `-` and `_`, so that it can stand in an address and a cookie as it is.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (SHORTEST_TOKEN..=LONGEST_TOKEN).contains(&text.len()) && text.bytes().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(TokenError { length: text.len() })
        }
    }

    /// The secret itself, for whoever started the program.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Compares in a time that does not tell how much of it is right.
    pub(crate) fn is(&self, shown: &str) -> bool {
        self.0.as_bytes().ct_eq(shown.as_bytes()).into()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

impl PartialEq for AccessToken {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.0)
    }
}

/// Where a page came from: scheme, name and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    authority: Authority,
}

/// A text that names no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected the origin of a page, as in https://table.example.org:8443, found {found:?}")]
pub struct OriginError {
    /// What was found.
    pub found: String,
}

impl Origin {
    /// Takes `scheme://name:port` apart.
    pub fn new(text: &str) -> Result<Self, OriginError> {
        let parsed = text.split_once("://").and_then(|(scheme, authority)| {
            let authority: Authority = authority.parse().ok()?;
            let is_web = matches!(scheme, "http" | "https");
            (is_web && !authority.as_str().contains('@')).then(|| Self {
                scheme: scheme.to_owned(),
                authority,
            })
        });
        parsed.ok_or_else(|| OriginError {
            found: text.to_owned(),
        })
    }

    /// Name and port.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_compared_whole_and_never_shows_itself() {
        let token = AccessToken::new("0123456789abcdef").unwrap();
        assert!(token.is("0123456789abcdef"));
        for wrong in ["", "0123456789abcde", "0123456789abcdeg", "0123456789abcdef0"] {
            assert!(!token.is(wrong), "{wrong}");
        }
        let access = Access {
            token: Some(token),
            ..Access::default()
        };
        assert!(!format!("{access:?}").contains("0123"));
        for wrong in ["short", "0123456789abcde;", "0123456789abc ef", &"x".repeat(257)] {
            let error = AccessToken::new(wrong).unwrap_err().to_string();
            assert!(!error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn an_origin_has_a_scheme_of_the_web_and_nothing_behind_its_port() {
        assert_eq!(
            Origin::new("https://table.example.org:8443")
                .unwrap()
                .authority()
                .host(),
            "table.example.org"
        );
        for wrong in [
            "null",
            "table.example.org",
            "file://",
            "https://a/b",
            "ftp://a",
            "http://me@a",
            "*",
        ] {
            assert!(Origin::new(wrong).is_err(), "{wrong}");
        }
    }
}
