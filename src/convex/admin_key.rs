//! The admin key: minted and checked in process.
//!
//! A key is `<instance name>|<hex>`, where the hex is a version byte, a nonce of 12 bytes, and the
//! sealed [`Grant`] with its tag of 16 bytes. The scheme is AES-128-GCM-SIV (RFC 8452) with the
//! version byte as additional data, under a key derived from the instance secret by one step of the
//! counter mode of NIST SP 800-108 with HMAC-SHA-256. Upstream has it in
//! `crates/keybroker/src/{broker,encryptor}.rs` and `crates/common/src/types/admin_key.rs`.
//!
//! Keys do not expire and each minting gives another one, all of them valid until the secret
//! changes. So a stored key is never compared with a new one: ask [`AdminKey::opens`].

use std::fmt;

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes128GcmSiv, Nonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::grant::{Grant, Identity, NotAGrant};
use super::instance::{InstanceName, InstanceSecret, NoRandomness};

/// The only version of the scheme there is; also its additional authenticated data.
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
/// The block of SHA-256 in bytes.
const HMAC_BLOCK: usize = 64;
/// What the derived key is for, as upstream spells it.
const PURPOSE: &[u8] = b"admin key";
/// Far above any real key (about 140 characters), far below what a Secret may hold.
const LONGEST_KEY: usize = 1024;

/// An admin key of a deployment (`CONVEX_SELF_HOSTED_ADMIN_KEY`).
///
/// Whoever holds it administers the deployment. It is wiped from memory when dropped, and `Debug`
/// shows none of it.
#[derive(Clone)]
pub struct AdminKey(Zeroizing<String>);

/// Why a value cannot be an admin key at all. Says what is wrong and never what was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAdminKey {
    /// There is nothing there.
    #[error("is empty")]
    Empty,
    /// It ends in a line break.
    #[error("ends in a newline")]
    TrailingNewline,
    /// It is not text of visible ASCII characters.
    #[error("has a character that is not visible ASCII")]
    NotVisibleAscii,
    /// It is much longer than any admin key.
    #[error("has {found} characters, more than any admin key has")]
    TooLong {
        /// How many characters there are.
        found: usize,
    },
}

/// Why no key was minted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMinted {
    /// There was nothing to make a nonce from.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The cipher refused the message; it does so only beyond 64 GiB.
    #[error("the grant could not be sealed")]
    NotSealed,
}

/// Why a key does not administer a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefused {
    /// There is no `name|` before the sealed part.
    #[error("the key names no instance")]
    Nameless,
    /// It names another instance.
    #[error("the key is for an instance of another name")]
    OtherName,
    /// The sealed part is not hexadecimal, or too short to be one.
    #[error("the key is damaged or cut short")]
    Damaged,
    /// The sealed part is of a version that is not known here.
    #[error("the key is of version {0}, only {VERSION} is known")]
    UnknownVersion(u8),
    /// It was sealed under another secret, was changed since, or is of the scheme before May 2025.
    #[error("the key does not open with the instance secret")]
    OtherSecret,
    /// It opened, and what was inside makes no sense.
    #[error("the key opens, but the grant in it {0}")]
    Senseless(#[from] NotAGrant),
    /// It is a key of the system identity, to which the key check of a backend says no.
    #[error("the key is a system key, not an administrator's")]
    SystemKey,
    /// It may only read, and could not even ask for an export.
    #[error("the key may only read")]
    ReadOnly,
}

impl AdminKey {
    /// Mints an administrator's key, issued at `issued` (seconds since 1970, at least 1; 0 is
    /// written as 1, since Convex takes 0 for "never issued").
    ///
    /// # Errors
    /// When the operating system has no randomness for the nonce, or the cipher fails.
    pub fn mint(
        name: &InstanceName,
        secret: &InstanceSecret,
        issued: u64,
    ) -> Result<Self, NotMinted> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(NoRandomness::from)?;
        seal(name, secret, &Grant::administrator(issued.max(1)), nonce)
    }

    /// Reads a key as it stands in a Secret's key. Whether it is worth anything, [`Self::opens`]
    /// says.
    ///
    /// # Errors
    /// What is wrong with it; the value is never part of the message.
    pub fn parse(value: impl AsRef<[u8]>) -> Result<Self, InvalidAdminKey> {
        let value = value.as_ref();
        if value.is_empty() {
            return Err(InvalidAdminKey::Empty);
        }
        if value.ends_with(b"\n") {
            return Err(InvalidAdminKey::TrailingNewline);
        }
        if !value.iter().all(u8::is_ascii_graphic) {
            return Err(InvalidAdminKey::NotVisibleAscii);
        }
        if value.len() > LONGEST_KEY {
            return Err(InvalidAdminKey::TooLong { found: value.len() });
        }
        Ok(Self(Zeroizing::new(value.iter().copied().map(char::from).collect())))
    }

    /// Whether a backend of this name and secret would take the key for an administrator's.
    ///
    /// # Errors
    /// Why it would not.
    pub fn opens(&self, name: &InstanceName, secret: &InstanceSecret) -> Result<(), KeyRefused> {
        match self.grant(name, secret)? {
            Grant { identity: Identity::System, .. } => Err(KeyRefused::SystemKey),
            Grant { read_only: true, .. } => Err(KeyRefused::ReadOnly),
            Grant { .. } => Ok(()),
        }
    }

    /// Opens the key and says what it grants.
    ///
    /// # Errors
    /// Why it does not open, or is for another instance.
    pub fn grant(&self, name: &InstanceName, secret: &InstanceSecret) -> Result<Grant, KeyRefused> {
        let (named, sealed) = self.0.split_once('|').ok_or(KeyRefused::Nameless)?;
        let grant = unseal(secret, sealed)?;
        let inside = grant.instance_name.as_deref();
        if plain_name(named).or(inside).ok_or(KeyRefused::Nameless)? != name.as_str() {
            return Err(KeyRefused::OtherName);
        }
        if inside.is_some_and(|inside| inside != name.as_str()) {
            return Err(KeyRefused::OtherName);
        }
        Ok(grant)
    }

    /// The key itself, for a Secret or an `Authorization` header and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AdminKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminKey(redacted)")
    }
}

/// The name before the `|`. A deployment's type may stand before it (`prod:name`), and what stands
/// after these two types is no deployment's name.
fn plain_name(named: &str) -> Option<&str> {
    let name = match named.split_once(':') {
        Some(("preview" | "project", _)) => return None,
        Some((_, name)) => name,
        None => named,
    };
    (!name.is_empty()).then_some(name)
}

fn seal(
    name: &InstanceName,
    secret: &InstanceSecret,
    grant: &Grant,
    nonce: [u8; NONCE_BYTES],
) -> Result<AdminKey, NotMinted> {
    let payload = Payload { msg: &grant.encode(), aad: &[VERSION] };
    let message = cipher(secret)
        .encrypt(Nonce::from_slice(&nonce), payload)
        .map_err(|_| NotMinted::NotSealed)?;
    let sealed = [[VERSION].as_slice(), &nonce, &message].concat();
    Ok(AdminKey(Zeroizing::new(format!("{name}|{}", hex::encode(sealed)))))
}

fn unseal(secret: &InstanceSecret, sealed: &str) -> Result<Grant, KeyRefused> {
    let sealed = hex::decode(sealed).map_err(|_| KeyRefused::Damaged)?;
    let (&version, rest) = sealed.split_first().ok_or(KeyRefused::Damaged)?;
    if version != VERSION {
        return Err(KeyRefused::UnknownVersion(version));
    }
    let (nonce, msg) = rest.split_at_checked(NONCE_BYTES).ok_or(KeyRefused::Damaged)?;
    if msg.len() < TAG_BYTES {
        return Err(KeyRefused::Damaged);
    }
    let message = cipher(secret)
        .decrypt(Nonce::from_slice(nonce), Payload { msg, aad: &[VERSION] })
        .map_err(|_| KeyRefused::OtherSecret)?;
    Ok(Grant::decode(&message)?)
}

fn cipher(secret: &InstanceSecret) -> Aes128GcmSiv {
    Aes128GcmSiv::new(derive(secret).as_slice().into())
}

/// One step of SP 800-108 in counter mode: the counter, then the purpose, and nothing between.
fn derive(secret: &InstanceSecret) -> Zeroizing<[u8; 16]> {
    // HMAC pads a short key with zeros to its block. Done here, since a key of a whole block is the
    // one that it takes without a way to fail.
    let mut block = Zeroizing::new([0; HMAC_BLOCK]);
    block[..secret.bytes().len()].copy_from_slice(secret.bytes());
    let mac = <Hmac<Sha256> as KeyInit>::new(block.as_slice().into())
        .chain_update(1_u32.to_be_bytes())
        .chain_update(PURPOSE)
        .finalize()
        .into_bytes();
    let mut derived = Zeroizing::new([0; 16]);
    derived.copy_from_slice(&mac[..16]);
    derived
}

#[cfg(test)]
mod tests;
