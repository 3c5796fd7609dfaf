//! The certificates of a cluster: one authority, and a pair of files per use.
//!
//! Uses and subjects are Kubernetes' own: <https://kubernetes.io/docs/setup/best-practices/certificates/>.

use std::{
    fs,
    net::IpAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};

use crate::address::Addresses;

/// The authority of one cluster; it writes what it signs into its folder.
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

/// A certificate and its key, in PEM and in files.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The certificate.
    pub certificate: String,
    /// Its private key (PKCS 8).
    pub key: String,
    /// The file with the certificate.
    pub certificate_file: PathBuf,
    /// The file with the key, readable by its owner alone.
    pub key_file: PathBuf,
}

impl Authority {
    /// Makes a new authority with its files in `folder`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn create(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let key = KeyPair::generate()?;
        let mut params = validity(CertificateParams::default());
        params.distinguished_name.push(DnType::CommonName, "local-cluster");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let certificate = params.self_signed(&key)?.pem();
        let authority =
            Self { folder: folder.to_owned(), issuer: Issuer::new(params, key), certificate };
        fs::write(authority.file(), &authority.certificate)?;
        Ok(authority)
    }

    /// The authority's certificate, in PEM.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The file with the authority's certificate.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.join("ca.crt")
    }

    /// Signs a serving certificate for these names and addresses.
    ///
    /// # Errors
    /// A name is not a DNS name, or the folder cannot be written.
    pub fn server(&self, name: &str, subjects: Vec<SanType>) -> Result<Pair> {
        let mut params = validity(CertificateParams::default());
        params.subject_alt_names = subjects;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(name, name, params)
    }

    /// Signs a serving certificate for these host names.
    ///
    /// # Errors
    /// As [`Self::server`].
    pub fn server_for(&self, name: &str, hosts: &[String]) -> Result<Pair> {
        let host =
            |it: &String| Ok(SanType::DnsName(it.as_str().try_into().context("a DNS name")?));
        self.server(name, hosts.iter().map(host).collect::<Result<_>>()?)
    }

    /// Signs a serving certificate for these names and addresses that was good for a day, long ago.
    ///
    /// # Errors
    /// As [`Self::server`].
    pub fn expired(&self, name: &str, subjects: Vec<SanType>) -> Result<Pair> {
        let mut params = CertificateParams::default();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 2);
        params.subject_alt_names = subjects;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(name, name, params)
    }

    /// Signs a client certificate: the user is `user`, in the groups `groups`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn client(&self, name: &str, user: &str, group: Option<&str>) -> Result<Pair> {
        let mut params = validity(CertificateParams::default());
        if let Some(group) = group {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(name, user, params)
    }

    /// A key pair that signs service account tokens; its public half is in the file `<name>.pub`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn signing_key(&self, name: &str) -> Result<(PathBuf, PathBuf)> {
        let key = KeyPair::generate()?;
        let public = self.folder.join(format!("{name}.pub"));
        fs::write(&public, key.public_key_pem())?;
        let private = self.folder.join(format!("{name}.key"));
        write_secret(&private, &key.serialize_pem())?;
        Ok((private, public))
    }

    fn sign(&self, name: &str, common_name: &str, mut params: CertificateParams) -> Result<Pair> {
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let pair = Pair {
            certificate: params.signed_by(&key, &self.issuer)?.pem(),
            key: key.serialize_pem(),
            certificate_file: self.folder.join(format!("{name}.crt")),
            key_file: self.folder.join(format!("{name}.key")),
        };
        fs::write(&pair.certificate_file, &pair.certificate)?;
        write_secret(&pair.key_file, &pair.key)?;
        Ok(pair)
    }
}

/// What the API server is called: by its own processes, by pods, and by the host.
///
/// # Errors
/// Never in practice: the names are constants.
pub fn api_server_subjects(addresses: &Addresses) -> Result<Vec<SanType>> {
    let mut subjects = Vec::new();
    for name in [
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    ] {
        subjects.push(SanType::DnsName(name.try_into().context("a DNS name")?));
    }
    for address in [[127, 0, 0, 1].into(), addresses.first_service(), addresses.control_plane] {
        subjects.push(SanType::IpAddress(IpAddr::V4(address)));
    }
    Ok(subjects)
}

/// Fixed dates: certificates of a cluster that lives for hours need no clock, and no renewal.
fn validity(mut params: CertificateParams) -> CertificateParams {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2120, 1, 1);
    params
}

fn write_secret(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).context("restricting a key file")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkout::NodeKind;

    #[test]
    fn the_api_server_answers_to_every_name_it_is_called_by() {
        let addresses = Addresses::in_slot(NodeKind::Real, 3);
        let subjects = api_server_subjects(&addresses).unwrap();
        for address in ["127.0.0.1", "10.223.3.2", "10.224.48.1"] {
            let wanted = SanType::IpAddress(address.parse().unwrap());
            assert!(subjects.contains(&wanted), "{address}");
        }
        let service = SanType::DnsName("kubernetes.default.svc".try_into().unwrap());
        assert!(subjects.contains(&service));
    }

    #[test]
    fn keys_are_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::create(folder.path()).unwrap();
        let pair = authority.client("admin", "admin", Some("system:masters")).unwrap();
        let (signing, public) = authority.signing_key("service-accounts").unwrap();
        for file in [pair.key_file, signing] {
            let mode = fs::metadata(file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert!(fs::read_to_string(public).unwrap().contains("BEGIN PUBLIC KEY"));
        assert!(fs::read_to_string(pair.certificate_file).unwrap().contains("BEGIN CERTIFICATE"));
    }
}
