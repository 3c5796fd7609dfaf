//! Where a server is started.

use std::{
    net::{Ipv4Addr, SocketAddrV4, TcpListener},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use cluster::{description::Description, process::TOKEN_VARIABLE};

/// Where a server is started: its folder, its address, and its network.
#[derive(Clone, Debug)]
pub struct Place {
    folder: PathBuf,
    address: Ipv4Addr,
    port: Option<u16>,
    names: Vec<String>,
    namespace: Option<String>,
    token: Option<String>,
}

impl Place {
    /// On a loopback address that nobody else uses. Files are in a folder below `folder`, which others may pass through afterwards:
    /// database servers refuse to run as root, and run as `nobody` instead.
    ///
    /// # Errors
    /// No such address is found.
    pub fn loopback(folder: &Path) -> Result<Self> {
        let free = |address: &Ipv4Addr| {
            TcpListener::bind(SocketAddrV4::new(*address, crate::postgres::PORT)).is_ok()
        };
        let address = (0..16).map(|_| random_loopback()).find(free);
        Ok(Self {
            folder: folder.to_owned(),
            address: address.context("no loopback address is free")?,
            port: None,
            names: Vec::new(),
            namespace: None,
            token: None,
        })
    }

    /// In the network of a cluster, at the address that its pods know as their node's and that this host reaches, too.
    #[must_use]
    pub fn in_cluster(folder: &Path, cluster: &Description) -> Self {
        Self {
            folder: folder.to_owned(),
            address: cluster.addresses.control_plane,
            port: None,
            names: Vec::new(),
            namespace: cluster.namespace().map(ToOwned::to_owned),
            // What a killed test leaves behind goes with the cluster.
            token: Some(cluster.token.clone()),
        }
    }

    /// At another port than the server's usual one.
    #[must_use]
    pub fn at_port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Known by a host name as well: certificates are for it too.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.names.push(name.to_owned());
        self
    }

    /// Its address.
    #[must_use]
    pub const fn address(&self) -> Ipv4Addr {
        self.address
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn listening(&self, usual: u16) -> SocketAddrV4 {
        SocketAddrV4::new(self.address, self.port.unwrap_or(usual))
    }

    pub(crate) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    pub(crate) fn mark(&self) -> Option<(&'static str, &str)> {
        self.token.as_deref().map(|token| (TOKEN_VARIABLE, token))
    }
}

/// Beside those that local clusters take (127.64.0.0 and above), and beside 127.0.0.1, where other things listen.
fn random_loopback() -> Ipv4Addr {
    let [a, b, c] = crate::rand_bytes();
    Ipv4Addr::new(127, 16 + a % 32, b, c.clamp(1, 254))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_on_loopback_have_addresses_of_their_own() {
        let place = || Place::loopback(Path::new("/nowhere")).unwrap().address();
        let (one, other) = (place(), place());
        assert!(one.is_loopback() && other.is_loopback());
        assert_ne!(one, other);
    }

    #[test]
    fn a_port_that_is_given_replaces_the_usual_one() {
        let place = Place::loopback(Path::new("/nowhere")).unwrap();
        assert_eq!(place.listening(5432).port(), 5432);
        assert_eq!(place.at_port(6000).listening(5432).port(), 6000);
    }
}
