//! Instances, pods, claims and worlds for tests, in words that read as prose.

pub(crate) mod gateways;
mod instances;
mod pods;
mod stores;
mod worlds;

pub(crate) use self::{
    gateways::hosts_of,
    instances::{UID, instance, instance_with, keys, secret},
    pods::{PodWords, pod},
    stores::{ClaimWords, FENCE, SetWords, claim, deployment, gate, stateful_set},
    worlds::{all_is_well, built_for, built_reading, claimed, made, seen, two_stores, world},
};
