//! The fake node: a process that plays the kubelet, and stand-ins that listen on loopback addresses.

use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use rcgen::SanType;

use crate::{
    binaries::Programs,
    control_plane::Parts,
    images::{OPERATOR, VERSIONS},
    kubeconfig::Server,
    launch::Program,
    operator,
    process::Daemon,
    up::NODE_NAME,
};

/// The programs that a fake node needs.
pub const PROGRAMS: [&str; 2] = ["fake-node", "convex-standin"];

/// Starts the fake node.
///
/// # Errors
/// It does not start.
pub fn start(parts: &Parts<'_>, server: &Server, programs: &Programs) -> Result<Daemon> {
    // The first address is the node's own; the API server asks there for logs, and checks who answers.
    let address = Ipv4Addr::from_bits(parts.addresses.pods.network().to_bits() + 1);
    let subjects = vec![SanType::IpAddress(address.into())];
    let serving = parts.authority.server("fake-node-serving", subjects)?;
    let (worker, tag) = OPERATOR.split_once(':').context("the operator's image has a tag")?;
    let kubeconfig = parts.user(server, "fake-node", "fake-node", "system:masters")?;
    let program = Program::new("fake-node", programs.path("fake-node")?).args([
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--node-name={NODE_NAME}"),
        format!("--state-dir={}", parts.run.join("node").display()),
        format!("--addresses={}", parts.addresses.pods),
        format!("--tls-cert={}", serving.certificate_file.display()),
        format!("--tls-key={}", serving.key_file.display()),
        format!("--standin={}", programs.path("convex-standin")?.display()),
        // The copy that the operator itself runs from, so that both are always of one build.
        format!("--image={worker}={}:program", operator::program(parts.run).display()),
        format!("--tags={}", [&VERSIONS[..], &[tag]].concat().join(",")),
    ]);
    parts.launcher.start(&program)
}
