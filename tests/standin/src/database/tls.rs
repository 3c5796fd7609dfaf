//! Encryption as the backend does it: proven wholly, by the system's authorities and those of `PG_CA_FILE`.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::DatabaseError;

/// What proves and encrypts; `bundle` is a path of more authorities.
///
/// # Errors
/// The bundle cannot be read.
pub fn connector(bundle: Option<&Path>) -> Result<MakeRustlsConnect, DatabaseError> {
    let mut roots = RootCertStore::empty();
    // An image without authorities of its own has those of the bundle.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for certificate in bundle.map(of_bundle).transpose()?.into_iter().flatten() {
        roots.add(certificate).map_err(|error| DatabaseError::Authorities(error.to_string()))?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| DatabaseError::Authorities(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn of_bundle(path: &Path) -> Result<Vec<CertificateDer<'static>>, DatabaseError> {
    let unreadable =
        |error| DatabaseError::Authorities(format!("PG_CA_FILE {}: {error}", path.display()));
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_that_is_not_there_or_is_none_is_named() {
        let missing = connector(Some(Path::new("/nowhere/ca.crt"))).err().unwrap().to_string();
        assert!(missing.contains("PG_CA_FILE /nowhere/ca.crt"), "{missing}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.crt");
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
            .unwrap();
        assert!(connector(Some(&path)).is_err());
    }
}
