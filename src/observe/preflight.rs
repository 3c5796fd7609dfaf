//! What the preflight of the backend's pod has told, and what that means for people.
//!
//! It is believed from the gate of a pod of this instance only, and nothing of it but words that are known here.

mod words;

use k8s_openapi::{
    api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod},
    apimachinery::pkg::apis::meta::v1::Time,
};

use self::words::About;
use super::{Children, Keys, Obstacle, backend, cut};
use crate::{
    api::ConvexInstance,
    plan::outside::Server,
    worker::preflight::{
        subject::Subject,
        verdict::{Finding, Verdict},
    },
};

/// The container that looks.
pub(super) const GATE: &str = "gate";

/// What was found of everything that the backend depends on; empty where nobody has looked yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preflight {
    /// One for each server, the database first.
    pub dependencies: Vec<Dependency>,
}

/// What was found of one server.
#[derive(Clone, Debug, PartialEq)]
pub struct Dependency {
    /// Its name in the status.
    pub name: String,
    /// Which kind it is of.
    pub server: Server,
    /// Why the backend could not use it.
    pub obstacle: Option<Obstacle>,
    /// What people should know though it can.
    pub note: String,
    /// How long it took to get in.
    pub latency_ms: Option<i64>,
    /// When that was told.
    pub at: Option<Time>,
}

impl Preflight {
    /// What was found of one kind of server.
    pub fn of(&self, server: Server) -> impl Iterator<Item = &Dependency> {
        self.dependencies.iter().filter(move |it| it.server == server)
    }

    /// The first thing that is amiss.
    #[must_use]
    pub fn obstacle(&self) -> Option<&Obstacle> {
        self.dependencies.iter().find_map(|it| it.obstacle.as_ref())
    }

    /// What keeps the backend from serving, where its pod tells of a crash and the gate has said why.
    pub(super) fn explained(&self, trouble: Option<Obstacle>) -> Option<Obstacle> {
        let crash = trouble.as_ref().is_some_and(|it| it.reason == "BackendCrashing");
        let said = self.obstacle().filter(|_| crash).cloned();
        said.or(trouble)
    }
}

/// What the newest pod that has told something has told.
pub(super) fn of(instance: &ConvexInstance, keys: Option<&Keys>, children: &Children) -> Preflight {
    let made = |pod: &&Pod| pod.metadata.creation_timestamp.as_ref().map(|it| it.0);
    let told = children.pods.iter().map(|it| &**it).filter(|it| verdict(it).is_some());
    let told = told.max_by_key(made).and_then(|pod| Some((verdict(pod)?, pod)));
    let Some(((verdict, at), pod)) = told else { return Preflight::default() };
    let about = About::of(instance, keys, &backend::of_pod(pod).store);
    let dependencies = verdict.dependencies.iter().map(|it| dependency(it, at.as_ref(), &about));
    Preflight { dependencies: dependencies.collect() }
}

fn dependency(finding: &Finding, at: Option<&Time>, about: &About<'_>) -> Dependency {
    let words = |it| Obstacle::new(it, about.failure(finding));
    let obstacle = finding.failure.as_ref().map(|it| words(it.reason.word()));
    Dependency {
        name: finding.name.to_string(),
        server: match finding.name {
            Subject::Database => Server::Database,
            Subject::Bucket(_) => Server::Storage,
        },
        obstacle,
        note: finding.note.map(|it| cut(&words::note(it))).unwrap_or_default(),
        latency_ms: finding.latency_ms.map(|it| i64::try_from(it).unwrap_or(i64::MAX)),
        at: at.cloned(),
    }
}

/// What the gate of a pod has told last: while it runs once more, what it has told before.
fn verdict(pod: &Pod) -> Option<(Verdict, Option<Time>)> {
    let gates = pod.status.as_ref()?.init_container_statuses.as_ref()?;
    let gate = gates.iter().find(|it| it.name == GATE)?;
    let ended = ended(gate)?;
    Some((Verdict::read(ended.message.as_deref()?)?, ended.finished_at.clone()))
}

fn ended(container: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    let states = [&container.state, &container.last_state];
    states.into_iter().flatten().find_map(|it| it.terminated.as_ref())
}

#[cfg(test)]
mod tests;
