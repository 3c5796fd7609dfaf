//! The two values that a Convex deployment is known by: `INSTANCE_NAME` and `INSTANCE_SECRET`.
//!
//! Both may come from a Secret that somebody wrote by hand, so each has one parser, and what is
//! wrong is named without repeating any of the value.

use std::fmt;

use zeroize::Zeroizing;

/// The longest instance name in bytes: it names the database too (with `-` as `_`), and Postgres
/// cuts identifiers at 63 bytes.
const LONGEST_NAME: usize = 63;

/// Bytes in an instance secret (`crates/keybroker/src/secret.rs` upstream).
const SECRET_BYTES: usize = 32;

/// The name of a deployment (`INSTANCE_NAME`).
///
/// It is part of the admin key, of the database's name and of the prefix of every stored object,
/// and must not change once there is data.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InstanceName(String);

/// Why a text cannot be an instance name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// There is nothing there.
    #[error("is empty")]
    Empty,
    /// It ends in a line break, as `echo` without `-n` leaves one.
    #[error("ends in a newline")]
    TrailingNewline,
    /// It is not text of visible ASCII characters.
    #[error("has a character that is not visible ASCII")]
    NotVisibleAscii,
    /// The admin key separates its parts with these two.
    #[error("has a ':' or '|', which separate the parts of an admin key")]
    Separator,
    /// It would not fit the name of a database.
    #[error("has {found} bytes, at most {LONGEST_NAME} are possible")]
    TooLong {
        /// How many bytes there are.
        found: usize,
    },
}

impl InstanceName {
    /// Reads a name as it stands in a spec or a Secret.
    ///
    /// # Errors
    /// What is wrong with it; the value is never part of the message.
    pub fn parse(value: impl AsRef<[u8]>) -> Result<Self, InvalidName> {
        let value = value.as_ref();
        if value.is_empty() {
            return Err(InvalidName::Empty);
        }
        if value.ends_with(b"\n") {
            return Err(InvalidName::TrailingNewline);
        }
        if !value.iter().all(u8::is_ascii_graphic) {
            return Err(InvalidName::NotVisibleAscii);
        }
        if value.iter().any(|byte| matches!(byte, b':' | b'|')) {
            return Err(InvalidName::Separator);
        }
        if value.len() > LONGEST_NAME {
            return Err(InvalidName::TooLong { found: value.len() });
        }
        Ok(Self(value.iter().copied().map(char::from).collect()))
    }

    /// The name that is a label of DNS (RFC 1123), which has nothing that a name may not have: 63 bytes of letters, digits and
    /// dashes at most.
    #[must_use]
    pub fn of_label(label: &str) -> Self {
        debug_assert!(Self::parse(label).is_ok(), "no label: {label}");
        Self(label.to_owned())
    }

    /// The name as Convex reads it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The secret of a deployment (`INSTANCE_SECRET`): 32 bytes, written as 64 hexadecimal characters.
///
/// Whoever holds it can mint admin keys. It is wiped from memory when dropped, and `Debug` shows
/// none of it.
#[derive(Clone)]
pub struct InstanceSecret(Zeroizing<[u8; SECRET_BYTES]>);

/// Why a value cannot be an instance secret. Says what is wrong and never what was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    /// There is nothing there.
    #[error("is empty")]
    Empty,
    /// It ends in a line break; Convex would refuse to start with it.
    #[error("ends in a newline")]
    TrailingNewline,
    /// It is not text, perhaps the 32 bytes themselves.
    #[error("is binary; it must be text of 64 hexadecimal characters")]
    Binary,
    /// It has too few or too many characters.
    #[error("has {found} characters; it must have 64 hexadecimal ones")]
    Length {
        /// How many characters there are.
        found: usize,
    },
    /// It has the right length and other characters than 0-9 and a-f.
    #[error("is not hexadecimal (character {position})")]
    NotHex {
        /// The first character that does not fit, counted from 1.
        position: usize,
    },
}

/// The operating system gave no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct NoRandomness(#[from] getrandom::Error);

impl InstanceSecret {
    /// Reads a secret as it stands in a Secret's key.
    ///
    /// # Errors
    /// What is wrong with it; the value is never part of the message.
    pub fn parse(value: impl AsRef<[u8]>) -> Result<Self, InvalidSecret> {
        let value = value.as_ref();
        if value.is_empty() {
            return Err(InvalidSecret::Empty);
        }
        let text = std::str::from_utf8(value).map_err(|_| InvalidSecret::Binary)?;
        if text.ends_with('\n') {
            return Err(InvalidSecret::TrailingNewline);
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidSecret::Binary);
        }
        if text.chars().count() != 2 * SECRET_BYTES {
            return Err(InvalidSecret::Length { found: text.chars().count() });
        }
        if let Some(index) = text.chars().position(|c| !c.is_ascii_hexdigit()) {
            return Err(InvalidSecret::NotHex { position: index + 1 });
        }
        let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
        hex::decode_to_slice(text, bytes.as_mut_slice()).map_err(|_| InvalidSecret::Binary)?;
        Ok(Self(bytes))
    }

    /// Makes a new secret from the operating system's randomness.
    ///
    /// # Errors
    /// When the operating system has none to give.
    pub fn generate() -> Result<Self, NoRandomness> {
        let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
        getrandom::fill(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// The secret as Convex reads it: 64 lowercase hexadecimal characters, wiped when dropped.
    #[must_use]
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0.as_slice()))
    }

    /// The bytes, for deriving keys from.
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl fmt::Debug for InstanceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InstanceSecret(redacted)")
    }
}

#[cfg(test)]
mod tests;
