//! The current seal: AES-128-GCM-SIV with the version byte as associated data.

use aes_gcm_siv::{
    Aes128GcmSiv, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::VERSION;

/// Bytes of a nonce.
const NONCE: usize = 12;

/// The 32 bytes that every key of a deployment is derived from.
#[derive(Clone)]
pub struct Secret([u8; 32]);

/// Why an instance secret is refused.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Not hexadecimal. A newline at the end is the usual cause: it makes the number of digits odd.
    #[error("couldn't decode instance secret: {0}")]
    NotHex(hex::FromHexError),
    /// Hexadecimal of another length.
    #[error("instance secret has {0} bytes instead of 32")]
    Length(usize),
}

impl Secret {
    /// Reads 64 hexadecimal digits, and nothing but them.
    ///
    /// # Errors
    /// Where there is anything else, a newline at the end included.
    pub fn from_hex(text: &str) -> Result<Self, SecretError> {
        let bytes = hex::decode(text).map_err(SecretError::NotHex)?;
        let length = bytes.len();
        bytes.try_into().map(Self).map_err(|_| SecretError::Length(length))
    }

    /// The raw bytes, which the legacy seal uses as they are.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key of the admin key's seal: KBKDF (NIST SP 800-108) in counter mode over HMAC-SHA-256, with neither separator,
    /// context nor length after the label.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    #[must_use]
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    pub fn admin_key(&self) -> [u8; 16] {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.0).expect("any key length");
        mac.update(&1_u32.to_be_bytes());
        mac.update(b"admin key");
        let digest = mac.finalize().into_bytes();
        std::array::from_fn(|at| digest[at])
    }
}

/// Seals `message`; the answer is the ciphertext and its tag.
///
/// # Panics
/// Never: messages are far below the cipher's limit.
#[must_use]
#[expect(clippy::expect_used, reason = "messages are far below the cipher's limit")]
pub fn seal(secret: &Secret, nonce: [u8; NONCE], message: &[u8]) -> Vec<u8> {
    cipher(secret)
        .encrypt(Nonce::from_slice(&nonce), Payload { msg: message, aad: &[VERSION] })
        .expect("the message is short")
}

/// Opens nonce, ciphertext and tag.
#[must_use]
pub fn open(secret: &Secret, sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, message) = sealed.split_at_checked(NONCE)?;
    let payload = Payload { msg: message, aad: &[VERSION] };
    cipher(secret).decrypt(Nonce::from_slice(nonce), payload).ok()
}

fn cipher(secret: &Secret) -> Aes128GcmSiv {
    Aes128GcmSiv::new(&secret.admin_key().into())
}
