//! The network namespace, the pair that joins it to the host, and the routes that keep its addresses from leaving.

use std::ffi::OsStr;

use anyhow::Result;

use crate::{
    address::{Addresses, Network},
    launch::in_namespace,
    process::{captured, output},
    record::{Record, Records},
};

/// Makes all of it, each part recorded first.
///
/// # Errors
/// The kernel refuses, or something of that name is there.
pub fn create(network: &Network, addresses: &Addresses, records: &mut Records) -> Result<()> {
    let Network { namespace, host_link, inner_link, host, pair } = network;
    records.write(&Record::Namespace { name: namespace.clone() })?;
    ip(&["netns", "add", namespace])?;
    records.write(&Record::Link { name: host_link.clone() })?;
    ip(&[
        "link", "add", host_link, "type", "veth", "peer", "name", inner_link, "netns", namespace,
    ])?;
    let length = pair.prefix_len();
    ip(&["address", "add", &format!("{host}/{length}"), "dev", host_link])?;
    ip(&["link", "set", host_link, "up"])?;

    let inner = format!("{}/{length}", addresses.control_plane);
    let inside = |arguments: &[&str]| run_inside(namespace, "ip", arguments);
    inside(&["link", "set", "lo", "up"])?;
    inside(&["address", "add", &inner, "dev", inner_link])?;
    inside(&["link", "set", inner_link, "up"])?;
    // Without a way to a Cluster IP the kernel refuses to connect before kube-proxy could translate it. There is no default
    // route: nothing in here has any business outside, and a pull of an image that does not exist fails at once.
    inside(&["route", "add", &addresses.services.to_string(), "via", &host.to_string()])?;
    run_inside(namespace, "sysctl", &["-q", "-w", "net.ipv4.ip_forward=1"])?;
    bridged_packets_are_seen(namespace)?;
    for range in [addresses.services, addresses.pods] {
        records.write(&Record::Unreachable { range })?;
        ip(&["route", "add", "unreachable", &range.to_string()])?;
    }
    Ok(())
}

/// Pods on one bridge reach each other by Cluster IP only if bridged packets pass the translation.
fn bridged_packets_are_seen(namespace: &str) -> Result<()> {
    // Built into some kernels, a module in others.
    drop(output("modprobe", ["br_netfilter"]));
    run_inside(namespace, "sysctl", &["-q", "-w", "net.bridge.bridge-nf-call-iptables=1"])
}

fn ip(arguments: &[&str]) -> Result<()> {
    output("ip", arguments).map(drop)
}

fn run_inside(namespace: &str, program: &str, arguments: &[&str]) -> Result<()> {
    let mut command = in_namespace(Some(namespace), OsStr::new(program));
    captured(command.args(arguments)).map(drop)
}
