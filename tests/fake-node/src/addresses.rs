//! Addresses for pods, one each, from a range.

use std::{
    collections::BTreeSet,
    net::Ipv4Addr,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

/// A range like `127.64.0.0/21`. Its first usable address is the node's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    first: u32,
    size: u32,
}

/// Why a range is refused.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not an IPv4 range like 127.64.0.0/21 with at least 4 addresses")]
pub struct InvalidRange(String);

impl FromStr for Range {
    type Err = InvalidRange;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.split_once('/').and_then(|(address, length)| {
            let length: u32 = length.parse().ok().filter(|length| (8..=30).contains(length))?;
            let size = 1 << (32 - length);
            Some(Self { first: u32::from(address.parse::<Ipv4Addr>().ok()?) & !(size - 1), size })
        });
        parsed.ok_or_else(|| InvalidRange(text.to_owned()))
    }
}

impl Range {
    /// The node's own address.
    #[must_use]
    pub const fn node(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first + 1)
    }

    fn pod(self, number: u32) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first + 2 + number % (self.size - 3))
    }
}

/// Hands out addresses; the one given back last is used again last.
#[derive(Clone)]
pub struct Addresses(Arc<Mutex<Taken>>);

struct Taken {
    range: Range,
    next: u32,
    used: BTreeSet<Ipv4Addr>,
}

/// An address for as long as it is held.
pub struct Lease {
    pool: Addresses,
    /// The address.
    pub address: Ipv4Addr,
}

impl Addresses {
    /// All pod addresses of `range`, none of them used.
    #[must_use]
    pub fn of(range: Range) -> Self {
        Self(Arc::new(Mutex::new(Taken { range, next: 0, used: BTreeSet::new() })))
    }

    /// A free address; `None` where all are used.
    #[must_use]
    pub fn lease(&self) -> Option<Lease> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..taken.range.size {
            let address = taken.range.pod(taken.next);
            taken.next = taken.next.wrapping_add(1);
            if taken.used.insert(address) {
                return Some(Lease { pool: self.clone(), address });
            }
        }
        None
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.0.lock().unwrap_or_else(PoisonError::into_inner).used.remove(&self.address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_node_has_the_first_address_and_pods_the_following() {
        let range: Range = "127.64.8.0/21".parse().unwrap();
        assert_eq!(range.node().to_string(), "127.64.8.1");
        let pool = Addresses::of(range);
        let (one, two) = (pool.lease().unwrap(), pool.lease().unwrap());
        assert_eq!(one.address.to_string(), "127.64.8.2");
        assert_eq!(two.address.to_string(), "127.64.8.3");
    }

    #[test]
    fn an_address_is_not_used_again_before_the_others_were() {
        let pool = Addresses::of("127.0.0.0/29".parse().unwrap());
        let first = pool.lease().unwrap().address;
        let later: Vec<_> =
            (0..4).filter_map(|_| pool.lease()).map(|lease| lease.address).collect();
        assert!(!later.contains(&first), "{later:?}");
    }

    #[test]
    fn a_full_range_has_none_until_one_is_given_back() {
        let pool = Addresses::of("127.0.0.0/30".parse().unwrap());
        let only = pool.lease().unwrap();
        assert!(pool.lease().is_none());
        drop(only);
        assert!(pool.lease().is_some());
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["127.0.0.0", "127.0.0.0/31", "127.0.0.0/0", "x/24", "::1/64"] {
            assert!(text.parse::<Range>().is_err(), "{text}");
        }
    }
}
