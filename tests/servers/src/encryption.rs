//! Whether a server encrypts, and with whose certificate.

use std::{fmt, fs, path::Path};

use anyhow::Result;
use cluster::pki::{Authority, Pair};
use rcgen::SanType;

use crate::place::Place;

/// What a server does about TLS.
#[derive(Clone, Copy)]
pub enum Encryption<'a> {
    /// It speaks none.
    None,
    /// It takes both, with a certificate of this authority.
    Offered(&'a Authority),
    /// It takes encrypted connections only. An S3 server knows no other way.
    Required(&'a Authority),
}

impl fmt::Debug for Encryption<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Offered(_) => "Offered",
            Self::Required(_) => "Required",
        })
    }
}

impl<'a> Encryption<'a> {
    pub(crate) fn authority(self) -> Option<&'a Authority> {
        match self {
            Self::None => None,
            Self::Offered(authority) | Self::Required(authority) => Some(authority),
        }
    }

    pub(crate) fn is_required(self) -> bool {
        matches!(self, Self::Required(_))
    }

    /// A certificate for the address and the names of a place.
    pub(crate) fn certificate(self, server: &str, place: &Place) -> Result<Option<Pair>> {
        let Some(authority) = self.authority() else { return Ok(None) };
        let mut subjects = vec![SanType::IpAddress(place.address().into())];
        for name in place.names() {
            subjects.push(SanType::DnsName(name.as_str().try_into()?));
        }
        authority.server(&format!("{server}-{}", place.address()), subjects).map(Some)
    }
}

/// Copies a certificate to where a server may read it; its own pair is for its maker alone.
pub fn hand_over(pair: &Pair, folder: &Path) -> Result<()> {
    for (text, name) in [(&pair.certificate, "server.crt"), (&pair.key, "server.key")] {
        let path = folder.join(name);
        fs::write(&path, text)?;
        crate::process::give(&path, 0o600)?;
    }
    Ok(())
}
