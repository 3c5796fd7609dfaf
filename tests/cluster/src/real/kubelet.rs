//! The kubelet of a real node.

use std::{fs, path::Path};

use anyhow::Result;
use rcgen::SanType;
use serde_json::json;

use crate::{
    control_plane::Parts, kubeconfig::Server, launch::Program, process::Daemon, up::NODE_NAME,
};

/// Starts it as a node of its own name.
///
/// # Errors
/// It cannot be started.
pub fn start(parts: &Parts<'_>, server: &Server, socket: &Path) -> Result<Daemon> {
    let folder = parts.run.join("kubelet");
    fs::create_dir_all(&folder)?;
    let user = format!("system:node:{NODE_NAME}");
    let kubeconfig = parts.user(server, "kubelet", &user, "system:nodes")?;
    let config = folder.join("config.json");
    fs::write(&config, configuration(parts, socket, &folder)?)?;
    parts.launcher.start(&Program::new("kubelet", parts.tools.path("kubelet")?).args([
        format!("--config={}", config.display()),
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--root-dir={}", folder.display()),
        format!("--hostname-override={NODE_NAME}"),
        format!("--node-ip={}", parts.addresses.control_plane),
    ]))
}

fn configuration(parts: &Parts<'_>, socket: &Path, folder: &Path) -> Result<Vec<u8>> {
    let address = parts.addresses.control_plane;
    let subjects = vec![SanType::IpAddress(address.into())];
    let serving = parts.authority.server("kubelet-serving", subjects)?;
    let config = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": address,
        "containerRuntimeEndpoint": format!("unix://{}", socket.display()),
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": true },
            "x509": { "clientCAFile": parts.authority.file() },
        },
        "authorization": { "mode": "Webhook" },
        "tlsCertFile": serving.certificate_file,
        "tlsPrivateKeyFile": serving.key_file,
        "clusterDNS": [parts.addresses.dns()],
        "clusterDomain": "cluster.local",
        "resolvConf": "/dev/null",
        // Test machines have version 1 of cgroups, or swap, or neither a slice nor the right to move into one.
        "failCgroupV1": false,
        "failSwapOn": false,
        "cgroupDriver": "cgroupfs",
        "cgroupsPerQOS": false,
        "enforceNodeAllocatable": [],
        // A disk that is nearly full, or images that nobody uses just now, are no reason to throw anything out.
        "evictionHard": {
            "memory.available": "50Mi", "nodefs.available": "1%", "nodefs.inodesFree": "1%",
            "imagefs.available": "1%", "imagefs.inodesFree": "1%",
        },
        "imageGCHighThresholdPercent": 100,
        "podLogsDir": folder.join("logs"),
        "volumePluginDir": folder.join("plugins"),
        "syncFrequency": "10s",
        "serializeImagePulls": false,
    });
    Ok(serde_json::to_vec_pretty(&config)?)
}
