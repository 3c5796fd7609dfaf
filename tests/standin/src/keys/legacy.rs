//! The seal of images before mid-2025, still accepted for admin keys: `NaCl` secretbox under the raw secret.

use crypto_secretbox::{KeyInit, Nonce, XSalsa20Poly1305, aead::Aead};

use super::Secret;

/// Bytes of a nonce.
const NONCE: usize = 24;

/// Opens nonce and box.
#[must_use]
pub fn open(secret: &Secret, sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, message) = sealed.split_at_checked(NONCE)?;
    let cipher = XSalsa20Poly1305::new(secret.bytes().into());
    cipher.decrypt(Nonce::from_slice(nonce), message).ok()
}
