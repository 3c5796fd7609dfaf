//! containerd with a configuration, a folder and a socket of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use rustix::fs::statfs;
use serde_json::json;

use crate::{
    address::Addresses,
    control_plane::Parts,
    host::CNI_PLUGINS,
    image::Image,
    images::PAUSE,
    launch::Program,
    process::{Daemon, output},
    record::{Record, Records},
    wait,
};

const START: Duration = Duration::from_secs(30);
/// `OVERLAYFS_SUPER_MAGIC` of linux/magic.h.
const OVERLAYFS: i128 = 0x794c_7630;

/// Where containerd listens.
#[must_use]
pub fn socket(runtime: &Path) -> PathBuf {
    runtime.join("containerd.sock")
}

fn state(runtime: &Path) -> PathBuf {
    runtime.join("state")
}

/// Starts it; images and containers are in the run folder, what lasts no longer than the process in `runtime`.
///
/// # Errors
/// It cannot be started.
pub fn start(parts: &Parts<'_>, runtime: &Path) -> Result<Daemon> {
    let folder = parts.run.join("containerd");
    let networks = folder.join("cni");
    fs::create_dir_all(&networks)?;
    fs::write(networks.join("10-pods.conflist"), cni(parts.addresses, runtime)?)?;
    let path = folder.join("config.toml");
    fs::write(&path, configuration(&folder, runtime, snapshotter(&folder)?))?;
    let program = Program::new("containerd", "containerd").args([Path::new("--config"), &path]);
    parts.launcher.start(&program)
}

/// Writes down that there will be containers.
///
/// Before the kubelet, the first to make some, and after the rest: so they end after the kubelet, which would make them
/// anew, and before containerd, through which they end, and the API server, which waits for those that follow it.
///
/// # Errors
/// The disk refuses it.
pub fn record_containers(parts: &Parts<'_>, runtime: &Path) -> Result<()> {
    let running = state(runtime).join("io.containerd.runtime.v2.task/k8s.io");
    Records::open(parts.run)?.write(&Record::Containers { socket: socket(runtime), running })
}

/// Waits until it answers.
///
/// # Errors
/// It does not, or has ended.
pub async fn wait(socket: &Path, daemon: &Daemon) -> Result<()> {
    wait::until("answer from containerd", START, &[daemon], || async {
        ctr(socket, &["version".as_ref()]).map(Some)
    })
    .await
}

/// Brings an image in under all its names and under its digest, as if it had been pulled.
///
/// # Errors
/// The archive cannot be written, or containerd refuses it.
pub fn import(socket: &Path, folder: &Path, image: &Image) -> Result<()> {
    fs::create_dir_all(folder)?;
    let archive = folder.join(format!("{}.tar", image.name));
    image.write(&archive)?;
    let words = ["--namespace", "k8s.io", "images", "import", "--digests", "--base-name"];
    let words = words.into_iter().chain([image.repository()]).map(Path::new);
    ctr(socket, &words.chain([archive.as_path()]).collect::<Vec<_>>())
        .with_context(|| format!("importing the image {}", image.name))?;
    fs::remove_file(&archive).context("removing an imported archive")
}

fn ctr(socket: &Path, arguments: &[&Path]) -> Result<()> {
    output("ctr", [&[Path::new("--address"), socket], arguments].concat()).map(drop)
}

/// The form of containerd 1.6, which Debian has (newer ones read it too).
fn configuration(folder: &Path, runtime: &Path, snapshotter: &str) -> String {
    format!(
        r#"version = 2
root = "{root}"
state = "{state}"
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  disable_apparmor = true
  # Where CAP_SYS_RESOURCE is missing, runc cannot lower the score and dies of it.
  restrict_oom_score_adj = true
  # Else the namespaces of pods are among the host's.
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{cni}"
"#,
        root = folder.join("root").display(),
        state = state(runtime).display(),
        socket = socket(runtime).display(),
        cni = folder.join("cni").display(),
    )
}

/// An overlay on an overlay is refused by the kernel; then layers are copied.
fn snapshotter(folder: &Path) -> Result<&'static str> {
    let on_overlay = i128::from(statfs(folder)?.f_type) == OVERLAYFS;
    Ok(if on_overlay { "native" } else { "overlayfs" })
}

fn cni(addresses: &Addresses, runtime: &Path) -> Result<Vec<u8>> {
    let config = json!({
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "pods",
                "isGateway": true,
                "isDefaultGateway": true,
                "ipMasq": true,
                "hairpinMode": true,
                "ipam": {
                    "type": "host-local",
                    "dataDir": runtime.join("addresses"),
                    "ranges": [[{ "subnet": addresses.pods }]],
                },
            },
            { "type": "portmap", "capabilities": { "portMappings": true } },
        ],
    });
    serde_json::to_vec_pretty(&config).context("writing a network configuration")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkout::NodeKind;

    #[test]
    fn pods_get_addresses_from_the_range_of_their_cluster() {
        let addresses = Addresses::in_slot(NodeKind::Real, 2);
        let text = cni(&addresses, Path::new("/run/convex-02")).unwrap();
        let config: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let ipam = &config["plugins"][0]["ipam"];
        assert_eq!(ipam["ranges"][0][0]["subnet"], "10.208.8.0/22");
        assert_eq!(ipam["dataDir"], "/run/convex-02/addresses");
    }

    #[test]
    fn nothing_of_the_configuration_is_outside_its_two_folders() {
        let text = configuration(Path::new("/a/run"), Path::new("/run/convex-02"), "overlayfs");
        assert!(text.contains("root = \"/a/run/root\""));
        assert!(text.contains("address = \"/run/convex-02/containerd.sock\""));
    }
}
