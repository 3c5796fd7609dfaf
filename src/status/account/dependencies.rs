//! The servers that the backend depends on, as its newest pod that has told something found them.

use crate::{
    api::{ConvexInstance, ConvexInstanceStatus, DependencyStatus},
    observe::{Dependency, World},
    plan::outside::Server,
};

/// What was found; where no pod has told anything since, what was found before.
pub(super) fn of(
    instance: &ConvexInstance,
    world: &World,
    before: &ConvexInstanceStatus,
) -> Vec<DependencyStatus> {
    let spec = &instance.spec.backend;
    if !spec.db.is_server() && !spec.s3.enabled {
        return Vec::new();
    }
    let told: Vec<_> = [Server::Database, Server::Storage]
        .into_iter()
        .flat_map(|server| world.preflight.of(server))
        .map(|it| status(it, world, before))
        .collect();
    if told.is_empty() { before.dependencies.clone() } else { told }
}

fn status(found: &Dependency, world: &World, before: &ConvexInstanceStatus) -> DependencyStatus {
    let before = before.dependencies.iter().find(|it| it.name == found.name);
    let reached = found.obstacle.is_none();
    let last = || before.and_then(|it| it.last_connected_time.clone());
    let crashes = world.is_crashing().then(|| outdated(world)).filter(|_| reached);
    let message = found.obstacle.as_ref().map_or(&found.note, |it| &it.message);
    DependencyStatus {
        name: found.name.clone(),
        connected: reached && crashes.is_none(),
        latency_ms: found.latency_ms,
        last_connected_time: found.at.clone().filter(|_| reached).or_else(last),
        message: Some(crashes.unwrap_or_else(|| message.clone())).filter(|it| !it.is_empty()),
    }
}

/// A pod looks before its backend starts, and not again while that starts anew in it.
fn outdated(world: &World) -> String {
    let pod = format!("{}-0", world.names.backend());
    format!(
        "reached when pod {pod} was made; its backend has ended since, again and again, and may have lost it. The backend's log says more: kubectl logs {pod} --previous. A pod that is made anew looks again: kubectl delete pod {pod}"
    )
}

/// Whether two statuses differ in more than how fast a server was, and when: every look at a server that cannot be used yet
/// finds another latency of the one beside it.
pub(in crate::status) fn differ(one: &ConvexInstanceStatus, other: &ConvexInstanceStatus) -> bool {
    let bare = |it: &DependencyStatus| DependencyStatus {
        latency_ms: None,
        last_connected_time: None,
        ..it.clone()
    };
    let bare = |status: &ConvexInstanceStatus| ConvexInstanceStatus {
        dependencies: status.dependencies.iter().map(bare).collect(),
        ..status.clone()
    };
    one != other && bare(one) != bare(other)
}

#[cfg(test)]
mod tests;
