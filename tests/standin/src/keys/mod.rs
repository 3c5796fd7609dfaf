//! Admin keys: the documented format, issued and verified.
//!
//! A key is `<INSTANCE_NAME>|<hex>`, where the hexadecimal part is a version byte, a nonce and a sealed protobuf message
//! ([`claims`]). The seal is AES-128-GCM-SIV under a key derived from the instance secret ([`seal`]), or the older `NaCl`
//! secretbox, still accepted ([`legacy`]). Keys have no expiry and no revocation list.

pub mod claims;
pub mod legacy;
pub mod seal;

pub use claims::{Claims, Identity};
pub use seal::Secret;

/// The only version byte that exists.
const VERSION: u8 = 1;

/// Why a key is bad. None of these ever holds a part of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The part after `|` is not hexadecimal, or too short.
    #[error("the key is not well formed")]
    Malformed,
    /// The version byte is not 1.
    #[error("the key has an unknown version")]
    UnknownVersion,
    /// Neither scheme opens it: made from another secret, or changed.
    #[error("the key was not made with this deployment's secret")]
    NotOurs,
    /// It opens, but belongs to a deployment of another name, or to none.
    #[error("the key is for another deployment")]
    OtherInstance,
    /// It opens, but its message lacks the time or the identity.
    #[error("the key says nothing about who it is for")]
    Incomplete,
}

/// Makes a key for the deployment `instance`.
#[must_use]
pub fn issue(instance: &str, secret: &Secret, claims: &Claims, nonce: [u8; 12]) -> String {
    let sealed = seal::seal(secret, nonce, &claims.encode());
    let body: Vec<u8> = [VERSION].into_iter().chain(nonce).chain(sealed).collect();
    format!("{instance}|{}", hex::encode(body))
}

/// Opens a key presented to the deployment `instance`.
///
/// # Errors
/// Says why the key is bad.
pub fn verify(instance: &str, secret: &Secret, key: &str) -> Result<Claims, KeyError> {
    let (prefix, body) = match key.split_once('|') {
        Some((prefix, body)) => (named(prefix), body),
        None => (None, key),
    };
    let body = hex::decode(body).map_err(|_| KeyError::Malformed)?;
    let (version, sealed) = body.split_first().ok_or(KeyError::Malformed)?;
    if *version != VERSION {
        return Err(KeyError::UnknownVersion);
    }
    let (opened, legacy) = match seal::open(secret, sealed) {
        Some(opened) => (opened, false),
        None => (legacy::open(secret, sealed).ok_or(KeyError::NotOurs)?, true),
    };
    let message = claims::Message::decode(&opened).ok_or(KeyError::Incomplete)?;
    // Only legacy keys may carry their name inside: a new one without a prefix is invalid.
    let name = prefix.or_else(|| message.named().filter(|_| legacy));
    if name != Some(instance) {
        return Err(KeyError::OtherInstance);
    }
    message.claims().ok_or(KeyError::Incomplete)
}

/// The name in `prod:name`, `name` itself, and none in `preview:…` and `project:…`.
fn named(prefix: &str) -> Option<&str> {
    match prefix.split_once(':') {
        Some(("preview" | "project", _)) => None,
        Some((_, name)) => Some(name),
        None => Some(prefix),
    }
}

/// `N` bytes from the system's generator.
///
/// # Panics
/// Where the operating system cannot supply randomness; nothing useful can go on then.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "a system without randomness cannot run anything that this crate is for"
)]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system supplies random bytes");
    bytes
}

#[cfg(test)]
mod tests;
