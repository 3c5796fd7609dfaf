//! kube-proxy: Cluster IPs inside the namespace.

use std::{ffi::OsStr, fs, net::Ipv4Addr};

use anyhow::Result;
use serde_json::json;

use crate::{
    control_plane::Parts,
    kubeconfig::Server,
    launch::{Program, in_namespace},
    process::{Daemon, captured},
    up::NODE_NAME,
};

/// Whether it has translated the first Cluster IP, that of the API server: until then no pod reaches the API.
///
/// # Errors
/// It has no table yet.
pub fn translates(namespace: &str, first_service: Ipv4Addr) -> Result<Option<()>> {
    let mut nft = in_namespace(Some(namespace), OsStr::new("nft"));
    let map = captured(nft.args(["list", "map", "ip", "kube-proxy", "service-ips"]))?;
    Ok(map.contains(&format!(" {first_service} ")).then_some(()))
}

/// Starts it.
///
/// # Errors
/// It cannot be started.
pub fn start(parts: &Parts<'_>, server: &Server) -> Result<Daemon> {
    let kubeconfig = parts.user(server, "proxy", "system:kube-proxy", "")?;
    let config = json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": { "kubeconfig": kubeconfig },
        "hostnameOverride": NODE_NAME,
        "clusterCIDR": parts.addresses.pods,
        "mode": "nftables",
        // The default of a second is how long a ready pod would stay unreachable.
        "nftables": { "minSyncPeriod": "100ms" },
        // Limits of the whole host are not this cluster's to set.
        "conntrack": { "maxPerCore": 0, "min": 0 },
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
    });
    let path = parts.run.join("kube-proxy.json");
    fs::write(&path, serde_json::to_vec_pretty(&config)?)?;
    let program = Program::new("kube-proxy", parts.tools.path("kube-proxy")?);
    parts.launcher.start(&program.args([format!("--config={}", path.display())]))
}
