//! What this host has: programs, routes, links and namespaces.

use std::{env, fs, path::Path, process::Command, time::Instant};

use anyhow::{Context, Result, bail};

use crate::{
    address::{InUse, routes_from_json},
    process::{captured, output},
    progress,
};

/// Programs of a real node and the Debian packages that bring them.
const NEEDED: [(&str, &str); 12] = [
    ("containerd", "containerd"),
    ("ctr", "containerd"),
    ("containerd-shim-runc-v2", "containerd"),
    ("runc", "runc"),
    ("nft", "nftables"),
    ("iptables", "iptables"),
    ("conntrack", "conntrack"),
    ("busybox", "busybox-static"),
    ("ip", "iproute2"),
    ("sysctl", "procps"),
    ("mount", "mount"),
    ("nsenter", "util-linux"),
];
/// CNI plugins are not in PATH; Debian's containerd and this crate look for them here.
pub const CNI_PLUGINS: &str = "/usr/lib/cni";
const CNI_PACKAGE: &str = "containernetworking-plugins";

/// Installs the Debian packages of a real node that are missing.
///
/// # Errors
/// Not root, or something is missing where apt-get cannot bring it.
pub fn ensure_packages() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        bail!("a real node needs root (network namespace, mounts); `--node fake` does not");
    }
    ensure(missing_packages)
}

/// Installs the Debian packages that `missing` names, until it names none. Who asks concurrently has to keep a lock.
///
/// # Errors
/// Something is missing, and this is not root, or apt-get cannot bring it.
pub fn ensure(missing: impl Fn() -> Vec<&'static str>) -> Result<()> {
    let wanted = missing();
    if wanted.is_empty() {
        return Ok(());
    }
    let names = wanted.join(", ");
    if !rustix::process::geteuid().is_root() {
        bail!("missing on this host: {names}; root may install them, or does so when it runs this");
    }
    if find("apt-get").is_none() {
        bail!("missing on this host, and there is no apt-get to bring it: {names}");
    }
    let started = Instant::now();
    progress::say(&format!("installing {names}"));
    if install(&wanted).is_err() {
        // The lists of packages may be old or not there at all.
        apt(&["update", "--quiet"])?;
        install(&wanted)?;
    }
    match missing() {
        left if left.is_empty() => {}
        left => bail!("still missing after apt-get install: {}", left.join(", ")),
    }
    progress::done("installed Debian packages", started);
    Ok(())
}

fn missing_packages() -> Vec<&'static str> {
    let absent = NEEDED.iter().filter(|(program, _)| find(program).is_none());
    let mut missing: Vec<&str> = absent.map(|(_, package)| *package).collect();
    if !Path::new(CNI_PLUGINS).join("bridge").exists() {
        missing.push(CNI_PACKAGE);
    }
    missing.dedup();
    missing
}

fn install(packages: &[&str]) -> Result<()> {
    apt(&[&["install", "--yes", "--quiet", "--no-install-recommends"], packages].concat())
}

fn apt(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    captured(&mut command).map(drop)
}

/// Looks a program up in PATH and where administrators' programs are.
#[must_use]
pub fn find(program: &str) -> Option<std::path::PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// Which routes, links and namespaces there are.
///
/// # Errors
/// iproute2 cannot tell.
pub fn in_use() -> Result<InUse> {
    let routes = output("ip", ["-json", "-4", "route", "show", "table", "all"])?;
    let mut names = Vec::new();
    for folder in ["/run/netns", "/sys/class/net"] {
        if Path::new(folder).is_dir() {
            for entry in fs::read_dir(folder).with_context(|| format!("reading {folder}"))? {
                names.push(entry?.file_name().to_string_lossy().into_owned());
            }
        }
    }
    Ok(InUse { routes: routes_from_json(&routes)?, names })
}
