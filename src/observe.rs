//! Reads the cluster once, without writing, and turns objects into facts.
//!
//! [`cluster`] is the only part that talks to anybody; everything below takes objects and returns values.
//! A fact that is not asked for by the phase is not looked for: but for its Secrets, which are not watched,
//! nothing is asked for while an instance is at rest.

mod answer;
mod backend;
mod children;
mod clearance;
mod exposure;
mod facts;
pub mod hold;
pub mod image;
pub mod jobs;
mod keys;
mod leave;
mod migrations;
mod obstacle;
mod opened;
mod outside;
mod preflight;
mod references;
mod requisites;
mod trouble;
mod wish;
mod world;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use kube::{ResourceExt, api::ObjectMeta};
use statemachine::{
    Phase,
    pins::{Pins, Store, Upgrade},
};

pub use self::{
    answer::Answer,
    children::Children,
    exposure::Exposure,
    keys::{AdminFound, Keys, KeysFound, Source},
    leave::{Control, Hours, Turn},
    migrations::Unmigrated,
    obstacle::{Obstacle, cut},
    outside::{Identity, Outside},
    preflight::{Dependency, Preflight},
    requisites::{Requisites, Sources},
    wish::{asked_again, engine, is_server},
    world::World,
};
use self::{facts::Looked, outside::Hidden};
use crate::{
    api::ConvexInstance,
    context::{Context, Span},
    error::Error,
    plan::{deployment, exports, labels, names::Names, outside::Server},
};

/// How long an image may fail to be pulled before it is held for one that cannot be: a registry has its moments.
const UNPROVEN: Duration = Duration::from_secs(45);

/// Reads everything that one pass needs to know.
///
/// # Errors
/// [`Error::Observe`] when the API server does not answer.
pub async fn cluster(ctx: &Context, instance: &Arc<ConvexInstance>) -> Result<World, Error> {
    let names = Names::of(&instance.name_any());
    let pins = pins(instance);
    let served = pins.served;
    let children = Children::read(ctx, instance, &names, &pins).await.map_err(Error::Observe)?;
    let opened = opened::read(ctx, instance, &names, &children).await.map_err(Error::Observe)?;
    let barred = references::barred(ctx, instance, &names, &children, (served, opened.as_ref()));
    let found = backend::found(&children).filter(|_| barred.is_none());
    let data = data(instance, &pins, &children, found.is_some());
    let own = stores(&pins, &children);
    let asked = keys::Asked { data: &data, used: &children.store, own: &own };
    let keys = keys::read(ctx, instance, &names, asked).await.map_err(Error::Observe)?;
    let keys = keys.for_data_of(children.instance_name().filter(|_| barred.is_none()));
    let references = references::read(ctx, instance, &names, &children, opened.as_ref())
        .await
        .map_err(Error::Observe)?;
    let outside = outside::read(ctx, instance, &names, keys.keys.as_ref(), asked);
    let outside = outside.await.map_err(Error::Observe)?;
    let pending = phase(instance) == Phase::Pending;
    let keyless = keys.keys.is_none() || pending;
    let references = references.or_else(|| keys.obstacle.clone().filter(|_| keyless));
    let hidden = Hidden::of(&outside);
    let unread = outside.obstacle().cloned();
    let wish = wish::of(instance, &ctx.settings);
    let wishes = pins.home.as_ref().is_some_and(|home| home.release != wish.release);
    // An upgrade is not begun before it is known where its export goes.
    let aimless =
        wishes && exports::bucket(instance, outside.given(Server::Storage).as_ref()).is_err();
    let references = references.or_else(|| unread.filter(|_| pending || aimless));
    let requisites = requisites::read(ctx, instance).await.map_err(Error::Observe)?;
    let references = references.or_else(|| requisites.obstacle.clone());
    let answer = answer::ask(ctx, instance, &children, keys.keys.as_ref()).await;
    let bad = answer.as_ref().is_some_and(|it| it.verdict.is_err());
    let unanswered = ctx.memory.lasted(&uid(instance), Span::Unanswered, bad);
    let asked = (&pins, wish.strategy, wishes);
    let hold = hold::ask(instance, &children, asked, keys.keys.as_ref()).await;
    let (jobs, again) = jobs(ctx, instance, &children, &pins);
    let unmigrated = migrations::of(ctx, instance, &pins, &children, answer.as_ref(), &hidden);
    let unmigrated = unmigrated.await;
    let leftovers = clearance::leftovers(instance, &children, &keys);
    let preflight = preflight::of(instance, keys.keys.as_ref(), &children);
    let trouble = preflight.explained(trouble::of(ctx, &children, &hidden).await);
    let now = Utc::now();
    let unmade = backend::is_started(&children) && children.pods.is_empty();
    let unmade = ctx.memory.lasted(&uid(instance), Span::Unmade, unmade);
    let exposure = exposure::of(ctx, instance, &children);
    let control = leave::read(ctx, instance, &children, (&pins, &wish), now);
    let facts = Looked {
        instance,
        children: &children,
        found,
        keys: &keys,
        resolved: references.is_none(),
        answer: answer.as_ref(),
        hold: hold.as_ref(),
        unmigrated: unmigrated.as_ref(),
        jobs: &jobs,
        away: ctx.memory.lasted(&uid(instance), Span::Away, backend::is_away(&children)),
        unproven: is_unproven(ctx, instance, &pins, &jobs),
        leave: control.leave,
        cleared: leftovers.is_empty(),
        waited: waited(instance, now),
    }
    .facts(pins, wish);
    Ok(World {
        facts,
        names,
        children,
        keys: keys.keys,
        references,
        requisites,
        barred,
        keys_obstacle: keys.obstacle,
        outside,
        preflight,
        trouble,
        exposure,
        control,
        answer,
        hold,
        jobs,
        again,
        unmigrated,
        unanswered,
        unmade,
        leftovers,
        now,
        operator_namespace: ctx.settings.namespace.clone(),
        dashboard_repository: ctx.settings.dashboard_repository.clone(),
        worker_image: ctx.settings.worker_image.clone(),
    })
}

/// What its Jobs have come to, and which one comes next.
fn jobs(
    ctx: &Context,
    instance: &ConvexInstance,
    children: &Children,
    pins: &Pins,
) -> (jobs::Jobs, Option<jobs::again::Again>) {
    let mut jobs = jobs::Jobs::of(children, hold::address(children));
    let tasks = jobs::again::tasks(phase(instance), pins);
    let lasted = |fails| ctx.memory.lasted(&uid(instance), Span::WorkerFailed, fails);
    let again = jobs.begin_again(&tasks, lasted);
    (jobs, again)
}

/// Whether the image of the upgrade has failed to be pulled for so long that it cannot be.
fn is_unproven(ctx: &Context, instance: &ConvexInstance, pins: &Pins, jobs: &jobs::Jobs) -> bool {
    let attempt = pins.upgrade.as_ref().map(Upgrade::next_snapshot);
    let fails = jobs.pull_fails(attempt.as_ref());
    let lasted = ctx.memory.lasted(&uid(instance), Span::Unproven, fails);
    lasted.is_some_and(|it| it >= UNPROVEN)
}

/// Every store that is the instance's, as far as anything of its own tells.
fn stores(pins: &Pins, children: &Children) -> BTreeSet<Store> {
    let mut own = deployment::stores(pins, children.record().as_ref());
    let asked = children.stateful_set.as_deref().and_then(backend::template);
    own.extend(asked.map(|it| it.store));
    own.insert(children.store.clone());
    own
}

/// The phase that is written in the status.
#[must_use]
pub fn phase(instance: &ConvexInstance) -> Phase {
    instance.status.as_ref().map_or(Phase::Pending, crate::api::ConvexInstanceStatus::phase)
}

/// What identifies an instance for as long as it lives.
#[must_use]
pub fn uid(instance: &ConvexInstance) -> String {
    instance.uid().unwrap_or_default()
}

/// Which of two instances was there first: the lesser one. Two of one second are told apart by what they are called.
fn age(instance: &ObjectMeta) -> (Option<i64>, Option<&str>, Option<&str>) {
    let born = instance.creation_timestamp.as_ref().map(|it| it.0.as_second());
    (born, instance.namespace.as_deref(), instance.name.as_deref())
}

fn pins(instance: &ConvexInstance) -> Pins {
    instance.status.as_ref().and_then(|status| status.lifecycle.clone()).unwrap_or_default()
}

/// Where the status was lost, or never was, the children say whether there is data that was served.
fn data(instance: &ConvexInstance, pins: &Pins, children: &Children, found: bool) -> keys::Data {
    // What was started under a key has written under it, whether anybody was let in yet or not.
    let started = children.stateful_set.is_some() || !children.pods.is_empty();
    if pins.served || (pins.home.is_some() && started) {
        return keys::Data::Own;
    }
    if pins.home.is_some() || !found {
        return keys::Data::New;
    }
    let claim = children.claim();
    match claim.filter(|it| labels::belongs(instance, &it.metadata) != labels::Belongs::Ours) {
        None => keys::Data::Own,
        Some(claim) => keys::Data::Inherited {
            claim: claim.name_any(),
            secret: claim.labels().get(labels::INSTANCE).map(|it| Names::of(it).instance_secret()),
        },
    }
}

fn waited(instance: &ConvexInstance, now: DateTime<Utc>) -> Duration {
    let status = instance.status.as_ref();
    let entered = status.and_then(|it| it.phase_transition_time.as_ref());
    let Some(entered) = entered else { return Duration::ZERO };
    let seconds = now.timestamp() - entered.0.as_second();
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}
