//! Kubeconfig files, each complete in itself.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use anyhow::{Context, Result};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::pki::Pair;

/// Which API server is meant, and how it proves itself.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where it listens, as a URL.
    pub url: String,
    /// The authority that signed its certificate, in PEM.
    pub authority: String,
}

/// Writes a kubeconfig for a user with a client certificate.
///
/// # Errors
/// The file cannot be written.
pub fn for_certificate(path: &Path, server: &Server, pair: &Pair) -> Result<()> {
    let user = json!({
        "client-certificate-data": BASE64_STANDARD.encode(&pair.certificate),
        "client-key-data": BASE64_STANDARD.encode(&pair.key),
    });
    write(path, server, &user)
}

/// Writes a kubeconfig for a user with a bearer token.
///
/// # Errors
/// The file cannot be written.
pub fn for_token(path: &Path, server: &Server, token: &str) -> Result<()> {
    write(path, server, &json!({ "token": token }))
}

/// JSON is YAML, and needs no second serializer.
fn write(path: &Path, server: &Server, user: &Value) -> Result<()> {
    let authority = BASE64_STANDARD.encode(&server.authority);
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "local", "cluster": {
            "server": server.url, "certificate-authority-data": authority } }],
        "users": [{ "name": "user", "user": user }],
        "contexts": [{ "name": "local", "context": { "cluster": "local", "user": "user" } }],
        "current-context": "local",
    });
    fs::write(path, serde_json::to_vec_pretty(&config)?)
        .with_context(|| format!("writing {}", path.display()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).context("restricting a kubeconfig")
}

#[cfg(test)]
mod tests {
    use kube::config::Kubeconfig;

    use super::*;

    #[test]
    fn a_token_kubeconfig_is_read_by_kube() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kubeconfig");
        let server =
            Server { url: "https://127.1.2.3:6443".into(), authority: "certificate".into() };
        for_token(&path, &server, "secret").unwrap();
        let read = Kubeconfig::read_from(&path).unwrap();
        assert_eq!(read.current_context.as_deref(), Some("local"));
        let cluster = read.clusters[0].cluster.clone().unwrap();
        assert_eq!(cluster.server.as_deref(), Some("https://127.1.2.3:6443"));
        assert!(read.auth_infos[0].auth_info.as_ref().unwrap().token.is_some());
    }
}
