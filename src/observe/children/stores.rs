//! The stores of an instance: which is in use, and the claims of all of them.

use std::sync::Arc;

use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{PersistentVolumeClaim, Secret},
};
use kube::{
    Api, ResourceExt,
    runtime::reflector::{self, ObjectRef},
};
use statemachine::{
    Stage,
    pins::{Direction, Pins, Snapshot, Store, Upgrade},
};

use super::{
    super::jobs::{fills, task},
    Children,
};
use crate::{
    api::ConvexInstance,
    context::Context,
    plan::{
        Claimed,
        claim::{is_going, is_usable},
        claim_name,
        deed::Deed,
        gate::Record,
        labels::{self, Belongs},
        names::{Errand, Names},
    },
};

impl Children {
    /// The claim of the store that the data is in, or is meant for.
    #[must_use]
    pub fn claim(&self) -> Option<&PersistentVolumeClaim> {
        let used = self.claims.iter().find(|(store, _)| *store == self.store);
        used.map(|(_, claim)| &**claim)
    }

    /// The `INSTANCE_NAME` that the data was made under, where there is some.
    #[must_use]
    pub fn instance_name(&self) -> Option<&str> {
        let annotations = self.claim()?.metadata.annotations.as_ref()?;
        annotations.get(labels::INSTANCE_NAME).map(String::as_str)
    }

    /// Whether the claim is gone, is going, or has lost its volume.
    #[must_use]
    pub fn claim_is_lost(&self) -> bool {
        self.store_is_lost(&self.store)
    }

    /// Whether somebody has deleted the claim: it goes as soon as no pod uses it.
    #[must_use]
    pub fn claim_is_going(&self) -> bool {
        self.claim().is_some_and(is_going)
    }

    /// Whether the claim of this store is gone, is going, or has lost its volume.
    #[must_use]
    pub fn store_is_lost(&self, store: &Store) -> bool {
        let claim = self.claims.iter().find(|(of, _)| of == store);
        claim.is_none_or(|(_, claim)| !is_usable(claim))
    }
}

/// A claim that is not watched may have lost its label, or never have had one: before it is held to
/// be gone, the API server is asked.
pub(super) async fn claim(
    ctx: &Context,
    instance: &ConvexInstance,
    names: &Names,
    store: &Store,
) -> kube::Result<Option<Arc<PersistentVolumeClaim>>> {
    if !instance.spec.backend.storage.pvc.enabled {
        return Ok(None);
    }
    let name = claim_name(instance, names, store);
    match watched(ctx, instance, &name) {
        Some(known) => Ok(Some(known)),
        None => asked_for(ctx, instance, &name).await,
    }
}

pub(super) fn watched(
    ctx: &Context,
    instance: &ConvexInstance,
    name: &str,
) -> Option<Arc<PersistentVolumeClaim>> {
    let namespace = instance.namespace().unwrap_or_default();
    ctx.stores.claims.get(&ObjectRef::new(name).within(&namespace))
}

pub(super) async fn asked_for(
    ctx: &Context,
    instance: &ConvexInstance,
    name: &str,
) -> kube::Result<Option<Arc<PersistentVolumeClaim>>> {
    let namespace = instance.namespace().unwrap_or_default();
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(ctx.client.clone(), &namespace);
    Ok(claims.get_opt(name).await?.map(Arc::new))
}

/// The claims, with that of the copy as it is now. A Job whose claim is gone, or another one by now, is ended, and no way
/// back is given up whose claim is gone: before that, the API server is asked, for what the watch does not show yet, or
/// still shows as going, need not be so.
pub(super) async fn with_copy(
    ctx: &Context,
    instance: &ConvexInstance,
    names: &Names,
    pins: &Pins,
    (jobs, mut claims): (&[Arc<Job>], Vec<Claimed>),
) -> kube::Result<Vec<Claimed>> {
    let Some(store) = doubted(pins, jobs, &claims) else { return Ok(claims) };
    let found = asked_for(ctx, instance, &names.store(&store)).await?;
    let ours = found.filter(|it| labels::belongs(instance, &it.metadata) == Belongs::Ours);
    claims.retain(|(it, _)| *it != store);
    claims.extend(ours.map(|it| (store, it)));
    claims.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(claims)
}

/// The copy that is needed, where its claim is not known as it has to be.
fn doubted(pins: &Pins, jobs: &[Arc<Job>], claims: &[Claimed]) -> Option<Store> {
    let upgrade = pins.upgrade.as_ref()?;
    match upgrade.stage {
        Stage::Exporting => filled(&upgrade.next_snapshot(), jobs, claims),
        Stage::Rolling | Stage::Importing => refuge(upgrade, claims),
    }
}

/// The copy that is being made, where its Job would be ended for the claim that is known, or for none.
fn filled(of: &Snapshot, jobs: &[Arc<Job>], claims: &[Claimed]) -> Option<Store> {
    let mut jobs = jobs.iter().filter(|it| task(&***it) == Some((Errand::Copy, of.clone())));
    let store = Store::Copied(of.clone());
    let known = claims.iter().find(|(it, _)| *it == store);
    let ends = |job: &Arc<Job>| {
        let named = job.annotations().get(labels::CLAIM_UID);
        known.is_none_or(|(_, claim)| is_going(claim) || !fills(named, claim))
    };
    jobs.any(ends).then_some(store)
}

/// The copy that is the way back, where it would be held to be gone. Once it is gone back to, it is the store in use.
fn refuge(upgrade: &Upgrade, claims: &[Claimed]) -> Option<Store> {
    let forward = upgrade.direction == Direction::Forward && upgrade.overwritten();
    let store = Store::Copied(upgrade.copy.clone().filter(|_| forward)?);
    let there = claims.iter().any(|(of, claim)| *of == store && is_usable(claim));
    (!there).then_some(store)
}

/// The store that the data is in, or that it is on its way to, where the pins say so.
fn pinned(pins: &Pins) -> Option<Store> {
    let aim = pins.upgrade.as_ref().map(|upgrade| match upgrade.stage {
        Stage::Exporting => upgrade.from.store.clone(),
        Stage::Rolling | Stage::Importing => upgrade.aim().store,
    });
    aim.or_else(|| pins.home.as_ref().map(|home| home.store.clone()))
}

/// What the Secret with the keys says of data on a server.
pub(super) async fn deed(
    ctx: &Context,
    instance: &ConvexInstance,
    names: &Names,
) -> kube::Result<Option<Deed>> {
    if !instance.spec.backend.db.is_server() {
        return Ok(None);
    }
    let theirs = instance.spec.backend.instance.secret_ref.clone();
    let namespace = instance.namespace().unwrap_or_default();
    let secrets: Api<Secret> = Api::namespaced(ctx.client.clone(), &namespace);
    let found = secrets.get_opt(&theirs.unwrap_or_else(|| names.instance_secret())).await?;
    Ok(found.and_then(|it| Deed::of(instance, &it)))
}

/// The store that the data is in, or that it is on its way to, with its claim. Where nothing is pinned, it is the newest one
/// that was ever served from.
pub(super) async fn in_use(
    ctx: &Context,
    instance: &ConvexInstance,
    names: &Names,
    (pins, record, deed): (&Pins, Option<&Record>, Option<&Deed>),
) -> kube::Result<(Store, Option<Arc<PersistentVolumeClaim>>)> {
    let store = match (pinned(pins), record) {
        (Some(store), _) => store,
        (None, None) => deed.map(Deed::about).unwrap_or_default(),
        (None, Some(record)) => {
            let original = claim(ctx, instance, names, &Store::Original).await?;
            let all = claims(&ctx.stores.claims, instance, (&Store::Original, original.as_ref()));
            let sealed = newest_sealed(&all, Some(record)).map(|(store, _)| store.clone());
            sealed.unwrap_or_else(|| record.home())
        }
    };
    let found = claim(ctx, instance, names, &store).await?;
    Ok((store, found))
}

/// The newest store that was ever served from. A store whose claim is gone is still the one that the record names: nothing
/// is put in its place.
pub(in crate::observe) fn newest_sealed<'a>(
    claims: &'a [Claimed],
    record: Option<&Record>,
) -> Option<&'a Claimed> {
    let lost = record.is_some_and(|it| claims.iter().all(|(of, _)| *of != it.backend.store));
    let seal = |it: &&Claimed| it.1.annotations().get(labels::SEALED).cloned();
    let marked = |it: &&Claimed| seal(it).is_some();
    // The original store is sealed from its birth, every other one by the number of an edge.
    let number = |it: &&Claimed| seal(it).and_then(|it| it.parse::<u128>().ok());
    claims.iter().filter(|_| !lost).filter(marked).max_by_key(number)
}

/// The claims that carry the name of a store of this instance, and the one in use, whatever it carries.
pub(super) fn claims(
    watched: &reflector::Store<PersistentVolumeClaim>,
    instance: &ConvexInstance,
    (store, claim): (&Store, Option<&Arc<PersistentVolumeClaim>>),
) -> Vec<Claimed> {
    let used = claim.map(|it| it.name_any());
    let others = watched.state().into_iter().filter(|it| {
        it.namespace() == instance.namespace()
            && labels::belongs(instance, &it.metadata) == Belongs::Ours
            && Some(it.name_any()) != used
    });
    let named = |it: Arc<PersistentVolumeClaim>| {
        let word = it.annotations().get(labels::STORE)?.clone();
        Some((Store::try_from(word).ok()?, it))
    };
    let mut claims: Vec<_> = claim.map(|it| (store.clone(), it.clone())).into_iter().collect();
    claims.extend(others.filter_map(named).filter(|(of, _)| of != store));
    claims.sort_by(|one, other| one.0.cmp(&other.0));
    claims
}
