//! The whole status of one pass, as a value: what is remembered, what was seen, what was done.

mod dependencies;
mod plan;
mod stores;
pub(super) mod upgrade;

use chrono::{DateTime, Utc};
use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use kube::Resource;
use statemachine::{Phase, Step, phase::Wire};

use super::{
    conditions::{self, Verdict},
    messages,
};
use crate::{
    api::{
        Component, Components, Condition, ConvexInstance, ConvexInstanceStatus, Endpoints,
        Transition,
    },
    observe::{Obstacle, World, image},
    plan::{Applied, Origins},
};

pub(super) use self::dependencies::differ;

/// How many edges are remembered.
const HISTORY: usize = 10;
/// The longest version that the status holds.
const LONGEST_VERSION: usize = 128;

/// The status after a pass.
pub(super) struct Account {
    /// What is to be written.
    pub status: ConvexInstanceStatus,
    /// Whether what it says is more than a matter of waiting.
    pub abnormal: bool,
}

/// The account of this pass.
pub(super) fn of(
    instance: &ConvexInstance,
    step: &Step,
    world: &World,
    applied: &Applied,
) -> Account {
    let before = instance.status.clone().unwrap_or_default();
    let now = time(world);
    let pins = step.pins.clone().unwrap_or_else(|| world.facts.pins.clone());
    let told = messages::tell(instance, step, world, applied, &before);
    let Wire { phase, stage } = Wire::from(step.phase);
    let seen = world.answer.as_ref().and_then(|it| it.verdict.as_ref().ok());
    let running = seen.map(|it| bounded(it.as_str())).or_else(|| before.running_version.clone());
    let entered = before.phase_transition_time.clone().filter(|_| step.taken.is_none());
    let stage = Some(stage).filter(|it| !it.is_empty());
    let generation = instance.meta().generation.unwrap_or_default();
    let conditions = conditions::of(instance, step, world, applied, &told)
        .into_iter()
        .map(|it| it.since(&before.conditions, generation, &now))
        .collect();
    let status = ConvexInstanceStatus {
        phase: Some(phase),
        stage,
        message: Some(told.message.clone()),
        observed_generation: generation,
        version: running.as_deref().map(messages::short),
        target: Some(messages::short(&instance.spec.version)),
        running_version: running,
        image: seen.and_then(|_| image::running(&world.children)).or_else(|| before.image.clone()),
        instance_name: named(instance, world).or_else(|| before.instance_name.clone()),
        phase_transition_time: Some(entered.unwrap_or_else(|| now.clone())),
        endpoints: Some(endpoints(instance, world)),
        components: Some(components(instance, world)),
        dependencies: dependencies::of(instance, world, &before),
        blocked_by: told.blocked.iter().cloned().collect(),
        history: history(&before, step, &told.news, &now),
        conditions,
        upgrade: upgrade::under_way(instance, &before, &pins, world, &now),
        plan: plan::of(instance, world, &before),
        next_upgrade_time: plan::opens(world).map(instant),
        snapshots: upgrade::snapshots(instance, &before, world),
        stores: stores::stores(instance, &before, &pins, world, &now),
        retry: upgrade::retry(&before, &pins),
        traffic: upgrade::traffic(instance, step, world, applied),
        lifecycle: Some(pins),
    };
    Account { status, abnormal: told.obstacle.is_some_and(|it| it.abnormal) }
}

/// The conditions of a status that is left as it is, but for this one.
pub(super) fn amended(
    instance: &ConvexInstance,
    verdict: Verdict,
    before: &ConvexInstanceStatus,
) -> Vec<Condition> {
    let now = Time(Timestamp::now());
    let generation = instance.meta().generation.unwrap_or_default();
    let one = verdict.since(&before.conditions, generation, &now);
    let mut all = before.conditions.clone();
    match all.iter_mut().find(|it| it.type_ == one.type_) {
        Some(condition) => *condition = one,
        None => all.push(one),
    }
    all
}

/// On a volume it is in nobody's way.
fn named(instance: &ConvexInstance, world: &World) -> Option<String> {
    let keys = world.keys.as_ref().filter(|_| instance.spec.backend.db.is_server())?;
    Some(keys.deployment.to_string())
}

/// An image of one's own may answer with more than the status can hold.
fn bounded(version: &str) -> String {
    version.chars().take(LONGEST_VERSION).collect()
}

fn time(world: &World) -> Time {
    instant(world.now)
}

fn instant(at: DateTime<Utc>) -> Time {
    Time(Timestamp::from_second(at.timestamp()).unwrap_or_default())
}

fn history(before: &ConvexInstanceStatus, step: &Step, news: &str, now: &Time) -> Vec<Transition> {
    let mut history = before.history.clone();
    let lasted = before.phase_transition_time.as_ref().map(|it| now.0.duration_since(it.0));
    history.extend(step.taken.map(|taken| Transition {
        time: now.clone(),
        seconds: lasted.map(|it| it.as_secs().max(0)),
        from: place(taken.from),
        to: place(taken.to),
        reason: taken.reason().to_owned(),
        message: news.to_owned(),
    }));
    history.split_off(history.len().saturating_sub(HISTORY))
}

fn place(phase: Phase) -> String {
    match phase.stage() {
        "" => phase.name().to_owned(),
        stage => format!("{}/{stage}", phase.name()),
    }
}

fn endpoints(instance: &ConvexInstance, world: &World) -> Endpoints {
    let origins = Origins::of(instance, &world.names, world.exposure.schemes);
    Endpoints {
        api_url: Some(origins.cloud),
        site_url: Some(origins.site),
        dashboard_url: origins.dashboard,
    }
}

fn components(instance: &ConvexInstance, world: &World) -> Components {
    let message = |obstacle: Option<&Obstacle>| obstacle.map(|it| it.message.clone());
    let dashboard = conditions::dashboard(world);
    Components {
        backend: Component {
            ready: world.backend_serves(),
            image: Some(world.release().image.clone()),
            message: message(world.trouble.as_ref()),
        },
        dashboard: instance.spec.dashboard.enabled.then(|| Component {
            ready: dashboard.is_none(),
            image: world.inputs(instance).map(|inputs| inputs.dashboard_image()),
            message: message(dashboard.as_ref()),
        }),
    }
}

#[cfg(test)]
mod tests;
