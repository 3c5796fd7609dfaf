//! The way to a server: its name, its port, and whether its certificate is to be trusted.

use std::{
    error::Error,
    fs,
    future::Future,
    io,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{
    CertificateError, ClientConfig, RootCertStore,
    crypto::{CryptoProvider, ring},
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::reason::Why;

/// How long a name may take to be resolved, and a connection to be made.
pub(super) const STEP: Duration = Duration::from_secs(3);

/// Why a server was not reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreached {
    /// Its name leads nowhere.
    Unresolvable,
    /// Nobody answers there.
    Unreachable(Why),
}

/// Resolves the name and connects.
pub(super) async fn connect(host: &str, port: u16) -> Result<TcpStream, Unreached> {
    // As in a URL, and as resolvers take it, differ for addresses of IPv6.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let found = timeout(STEP, lookup_host((host, port))).await;
    let addresses: Vec<_> = match found {
        Ok(Ok(addresses)) => addresses.collect(),
        _ => Vec::new(),
    };
    if addresses.is_empty() {
        return Err(Unreached::Unresolvable);
    }
    match timeout(STEP, TcpStream::connect(&addresses[..])).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(Unreached::Unreachable(of_io(&error))),
        Err(_) => Err(Unreached::Unreachable(Why::TimedOut)),
    }
}

/// What became of a connection.
pub(super) fn of_io(error: &io::Error) -> Why {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Why::Refused,
        io::ErrorKind::TimedOut => Why::TimedOut,
        _ => Why::Closed,
    }
}

/// Within this time, or that it took longer. What clients do is a large value, and moved aside at once.
pub(super) fn within<T>(
    limit: Duration,
    work: impl Future<Output = T>,
) -> impl Future<Output = Result<T, Why>> {
    let work = Box::pin(work);
    async move { timeout(limit, work).await.map_err(|_| Why::TimedOut) }
}

/// What came of something, and how long it took.
pub(super) fn timed<T>(work: impl Future<Output = T>) -> impl Future<Output = (T, Duration)> {
    let work = Box::pin(work);
    async move {
        let begun = Instant::now();
        (work.await, begun.elapsed())
    }
}

/// The provider of cryptography of this process: there is one only, and libraries that ask for none get it.
pub(super) fn provide() {
    if CryptoProvider::get_default().is_none() {
        let _other_thread_was_first = ring::default_provider().install_default();
    }
}

/// Trusts the authorities of the image, and those of a file.
pub(super) fn trusting(authorities: Option<&Path>) -> Result<ClientConfig, Why> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = authorities {
        let pem = fs::read(path).map_err(|_| Why::Authorities)?;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let added = certificate.ok().and_then(|it| roots.add(it).ok());
            added.ok_or(Why::Authorities)?;
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|_| Why::Authorities)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Why a certificate is not to be trusted, where that is what an error is about at its root.
pub(super) fn distrusted(error: &(dyn Error + 'static)) -> Option<Why> {
    causes(error).find_map(|it| match it.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(certificate) => Some(of_certificate(certificate)),
        _ => None,
    })
}

fn of_certificate(error: &CertificateError) -> Why {
    match error {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Why::Host
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => Why::Expired,
        _ => Why::Issuer,
    }
}

/// An error and everything under it. What an [`io::Error`] wraps is its source only in part: it leaves itself out.
pub(super) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |it| under(*it))
}

fn under<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    wrapped.map(|it| it as &(dyn Error + 'static)).or_else(|| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_found_under_everything_that_wraps_it() {
        let not_known = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, not_known));
        assert_eq!(distrusted(&wrapped), Some(Why::Issuer));
        assert_eq!(distrusted(&io::Error::other("closed")), None);
    }

    #[tokio::test]
    async fn a_name_that_leads_nowhere_and_a_port_that_is_closed_are_told_apart() {
        let nowhere = connect("nowhere.invalid", 5432).await;
        assert_eq!(nowhere.unwrap_err(), Unreached::Unresolvable);
        let bound = std::net::TcpListener::bind("[::1]:0")
            .or_else(|_| std::net::TcpListener::bind("127.0.0.1:0"));
        let address = bound.unwrap().local_addr().unwrap(); // closed again
        let closed = connect(&address.ip().to_string(), address.port()).await;
        assert_eq!(closed.unwrap_err(), Unreached::Unreachable(Why::Refused));
    }

    #[test]
    fn authorities_that_cannot_be_read_are_told_as_such() {
        assert_eq!(trusting(Some(Path::new("/nowhere"))).unwrap_err(), Why::Authorities);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.crt");
        fs::write(&path, "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n")
            .unwrap();
        assert_eq!(trusting(Some(&path)).unwrap_err(), Why::Authorities);
        trusting(None).unwrap();
    }
}
