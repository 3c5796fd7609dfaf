//! What a platform team runs in front of instances: a shared Gateway with a certificate for their hosts, and what gets through it.

use std::net::IpAddr;

use anyhow::{Result, ensure};
use cluster::{
    description::Description,
    gateway::{CLASS, HTTP_PORT, HTTPS_PORT},
    pki::Authority,
};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{Kubectl, outside::Outside};

/// The Secret with the certificate.
const CERTIFICATE: &str = "certificate";
const MIB: usize = 1024 * 1024;

/// A Gateway that somebody else looks after, with a listener for HTTP and one for HTTPS.
#[must_use]
pub fn shared() -> Value {
    let all = json!({"namespaces": {"from": "Same"}});
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
    "metadata": {"name": "public"},
    "spec": {"gatewayClassName": CLASS, "listeners": [
        {"name": "web", "protocol": "HTTP", "port": HTTP_PORT, "allowedRoutes": all},
        {"name": "websecure", "protocol": "HTTPS", "port": HTTPS_PORT, "allowedRoutes": all,
            "tls": {"certificateRefs": [{"name": CERTIFICATE}]}},
    ]}})
}

/// Makes a certificate for these hosts, and a client that trusts who signed it.
///
/// # Errors
/// The API server refuses it.
pub async fn client(
    kubectl: &Kubectl,
    cluster: &Description,
    namespace: &str,
    hosts: &[String],
) -> Result<Outside> {
    let folder = tempfile::tempdir()?;
    let authority = Authority::create(folder.path())?;
    let pair = authority.server_for("hosts", hosts)?;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {"name": CERTIFICATE},
        "stringData": {"tls.crt": pair.certificate, "tls.key": pair.key}});
    kubectl.apply(namespace, &secret.to_string()).await?;
    let address = IpAddr::V4(cluster.addresses.control_plane);
    let names: Vec<_> = hosts.iter().map(String::as_str).collect();
    Outside::of(address, [HTTP_PORT, HTTPS_PORT], authority.certificate(), &names)
}

/// Whether the data plane knows the host, and where it leads: it tells that it has taken a route a moment before it does.
///
/// # Errors
/// Nobody answers.
pub async fn leads(outside: &Outside, host: &str, tls: bool) -> Result<Option<()>> {
    let answer = outside.get(host, tls, "/").await?;
    let unknown = answer.body == "404 page not found\n" || answer.status.is_server_error();
    Ok((!unknown).then_some(()))
}

/// Uploads 64 MiB, and compares what comes back.
///
/// # Errors
/// It does not get through, or is not the same.
pub async fn uploaded(outside: &Outside, host: &str) -> Result<()> {
    let sent: Vec<u8> = (0..64 * MIB).map(|at| b'a' + u8::try_from(at % 23).unwrap_or(0)).collect();
    let kept = outside.post(host, "/stand-in/files", sent.clone()).await?;
    ensure!(kept.status == StatusCode::OK, "{kept:?}");
    let kept: Value = serde_json::from_str(&kept.body)?;
    let path = format!("/stand-in/files/{}", kept["id"].as_str().unwrap_or_default());
    let back = outside.get(host, true, &path).await?;
    ensure!(back.status == StatusCode::OK && back.body.as_bytes() == sent, "{}", back.status);
    Ok(())
}
