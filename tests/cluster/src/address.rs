//! Which addresses and names a cluster takes, derived from its checkout so that clusters run side by side.

use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};

use anyhow::{Context, Result, bail};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::checkout::NodeKind;

/// Where the API server listens in every cluster.
pub const API_PORT: u16 = 6443;
/// Where etcd listens for clients and for peers.
pub const ETCD_PORTS: [u16; 2] = [2379, 2380];
/// Where the operator serves metrics and health when it runs as a host process.
pub const OPERATOR_PORT: u16 = 8080;

const SLOTS: u32 = 256;

/// The addresses and names of one cluster.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Addresses {
    /// What the API server listens on.
    pub control_plane: Ipv4Addr,
    /// Pods get theirs from here.
    pub pods: Ipv4Net,
    /// Cluster IPs come from here.
    pub services: Ipv4Net,
    /// The cluster's own network, where it has one (real node).
    pub network: Option<Network>,
}

/// A network namespace joined to the host by a veth pair.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// Name of the namespace, also of the cluster's cgroup and of its folder under /run.
    pub namespace: String,
    /// The end of the pair that stays on the host.
    pub host_link: String,
    /// The end inside the namespace.
    pub inner_link: String,
    /// The host's address on the pair.
    pub host: Ipv4Addr,
    /// Both addresses of the pair.
    pub pair: Ipv4Net,
}

impl Addresses {
    /// The addresses of the cluster in a slot, which may turn out to be taken.
    #[must_use]
    pub fn in_slot(kind: NodeKind, slot: u32) -> Self {
        match kind {
            NodeKind::Fake => fake(slot),
            NodeKind::Real => real(slot),
        }
    }

    /// The first Cluster IP: that of the Service `kubernetes`.
    #[must_use]
    pub fn first_service(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.services.network().to_bits() + 1)
    }

    /// The address for DNS inside the cluster; reserved, nothing listens there yet.
    #[must_use]
    pub fn dns(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.services.network().to_bits() + 10)
    }
}

/// All on loopback. Cluster IPs too: nothing answers there, but nothing can leave this machine either.
fn fake(slot: u32) -> Addresses {
    let base = (127 << 24) | ((64 + slot % 184) << 16) | ((slot / 184 % 16) << 12);
    let range = |offset: u32, length| net(base + offset, length);
    Addresses {
        control_plane: Ipv4Addr::from_bits(base + 1),
        pods: range(8 << 8, 21),
        services: range(4 << 8, 22),
        network: None,
    }
}

fn real(slot: u32) -> Addresses {
    let slot = slot % SLOTS;
    let pair = net((10 << 24) | (223 << 16) | (slot << 8), 30);
    let end = |n| Ipv4Addr::from_bits(pair.network().to_bits() + n);
    Addresses {
        control_plane: end(2),
        pods: net((10 << 24) | (208 << 16) | (slot << 10), 22),
        services: net((10 << 24) | (224 << 16) | (slot << 12), 20),
        network: Some(Network {
            namespace: format!("convex-{slot:02x}"),
            host_link: format!("convex-{slot:02x}-host"),
            inner_link: format!("convex-{slot:02x}-node"),
            host: end(1),
            pair,
        }),
    }
}

fn net(bits: u32, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::from_bits(bits), length)
}

/// What is in use on this host already.
#[derive(Debug, Default)]
pub struct InUse {
    /// Destinations in the host's routing table, without the default route.
    pub routes: Vec<Ipv4Net>,
    /// Network namespaces and links.
    pub names: Vec<String>,
}

/// Chooses the first slot from the seed's on that nobody uses.
///
/// # Errors
/// Every slot is taken.
pub fn choose(kind: NodeKind, seed: u32, in_use: &InUse) -> Result<Addresses> {
    (0..SLOTS)
        .map(|n| Addresses::in_slot(kind, seed.wrapping_add(n) % (SLOTS * 8)))
        .find(|addresses| match &addresses.network {
            Some(network) => !collides(addresses, network, in_use),
            None => ports_are_free(addresses.control_plane),
        })
        .context("every range of addresses for a local cluster is in use on this host")
}

fn collides(addresses: &Addresses, network: &Network, in_use: &InUse) -> bool {
    let ours = [addresses.pods, addresses.services, network.pair];
    let taken_name =
        [&network.namespace, &network.host_link].iter().any(|n| in_use.names.contains(n));
    // A very wide route (a VPN for all of 10.0.0.0/8) does not name these ranges; ours are narrower and win.
    let narrow = in_use.routes.iter().filter(|route| route.prefix_len() > 8);
    taken_name
        || narrow.flat_map(|r| ours.iter().map(move |o| (r, o))).any(|(r, o)| overlap(*r, *o))
}

fn overlap(a: Ipv4Net, b: Ipv4Net) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

fn ports_are_free(address: Ipv4Addr) -> bool {
    [API_PORT, ETCD_PORTS[0], ETCD_PORTS[1], OPERATOR_PORT]
        .iter()
        .all(|port| TcpListener::bind(SocketAddrV4::new(address, *port)).is_ok())
}

/// Reads destinations from what `ip -json -4 route show table all` prints.
///
/// # Errors
/// The text is not what iproute2 prints.
pub fn routes_from_json(text: &str) -> Result<Vec<Ipv4Net>> {
    let listed: Vec<serde_json::Value> =
        serde_json::from_str(text).context("ip printed no JSON")?;
    let mut routes = Vec::new();
    for entry in listed {
        match entry["dst"].as_str() {
            Some("default") => {}
            Some(text) => routes.push(parse_range(text)?),
            None => bail!("a route without a destination: {entry}"),
        }
    }
    Ok(routes)
}

fn parse_range(text: &str) -> Result<Ipv4Net> {
    let written = if text.contains('/') { text.to_owned() } else { format!("{text}/32") };
    written.parse().with_context(|| format!("not a range of addresses: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_of_a_fake_cluster_is_on_loopback() {
        for slot in 0..SLOTS * 8 {
            let a = Addresses::in_slot(NodeKind::Fake, slot);
            assert!(a.control_plane.is_loopback() && a.pods.network().is_loopback());
            assert!(a.services.broadcast().is_loopback());
            assert!(!overlap(a.pods, a.services) && !a.pods.contains(&a.control_plane));
        }
    }

    #[test]
    fn slots_share_no_address() {
        for kind in NodeKind::ALL {
            let mut pods: Vec<_> =
                (0..SLOTS).map(|slot| Addresses::in_slot(kind, slot).pods).collect();
            pods.sort();
            assert!(pods.windows(2).all(|pair| !overlap(pair[0], pair[1])), "{kind}");
        }
    }

    #[test]
    fn a_real_cluster_steps_aside_for_a_route_of_the_host() {
        let wanted = Addresses::in_slot(NodeKind::Real, 7);
        let in_use = InUse { routes: vec![wanted.services], names: vec![] };
        let chosen = choose(NodeKind::Real, 7, &in_use).unwrap();
        assert_eq!(chosen, Addresses::in_slot(NodeKind::Real, 8));
    }

    #[test]
    fn a_real_cluster_steps_aside_for_a_namespace_of_its_name() {
        let in_use = InUse { routes: vec![], names: vec!["convex-07".into()] };
        let chosen = choose(NodeKind::Real, 7, &in_use).unwrap();
        assert_eq!(chosen, Addresses::in_slot(NodeKind::Real, 8));
    }

    #[test]
    fn a_wide_route_of_the_host_is_no_obstacle() {
        let in_use = InUse { routes: vec!["10.0.0.0/8".parse().unwrap()], names: vec![] };
        assert!(choose(NodeKind::Real, 7, &in_use).is_ok());
    }

    #[test]
    fn a_host_that_uses_every_range_is_told_so() {
        let in_use = InUse { routes: vec!["10.128.0.0/9".parse().unwrap()], names: vec![] };
        assert!(choose(NodeKind::Real, 7, &in_use).is_err());
    }

    #[test]
    fn a_fake_cluster_steps_aside_for_a_listener() {
        let wanted = Addresses::in_slot(NodeKind::Fake, 1500);
        let _held = TcpListener::bind((wanted.control_plane, ETCD_PORTS[0])).unwrap();
        assert_ne!(choose(NodeKind::Fake, 1500, &InUse::default()).unwrap(), wanted);
    }

    #[test]
    fn routes_are_read_as_iproute2_prints_them() {
        let text = r#"[{"dst":"default","gateway":"198.51.100.1"},{"dst":"10.1.0.0/16"},
            {"type":"local","dst":"127.0.0.1"}]"#;
        let read = routes_from_json(text).unwrap();
        let expected: Vec<Ipv4Net> =
            vec!["10.1.0.0/16".parse().unwrap(), "127.0.0.1/32".parse().unwrap()];
        assert_eq!(read, expected);
    }
}
