//! What one look at an instance finds.

use std::time::Duration;

use chrono::{DateTime, Utc};
use statemachine::{
    Observed, Phase, Stage, Step,
    pins::{Direction, Release, Store},
};

use super::{
    Answer, Children, Control, Exposure, Keys, Obstacle, Outside, Preflight, Requisites,
    Unmigrated, backend,
    hold::Hold,
    jobs::{Jobs, again::Again},
    trouble,
};
use crate::{
    api::ConvexInstance,
    plan::{Inputs, config, exports, names::Names, outside::Server},
};

/// One look at one instance: the facts for the machine, and what reports need besides.
#[derive(Debug)]
pub struct World {
    /// What the machine decides from.
    pub facts: Observed,
    /// What the children are called.
    pub names: Names,
    /// The children that exist.
    pub children: Children,
    /// The keys of the instance, as they are or as they are about to be made; none where they cannot be had.
    pub keys: Option<Keys>,
    /// What something that the spec refers to lacks.
    pub references: Option<Obstacle>,
    /// What the backend's pod takes from its namespace.
    pub requisites: Requisites,
    /// Why the claim must not be opened: it is somebody else's.
    pub barred: Option<Obstacle>,
    /// What is wrong with the keys.
    pub keys_obstacle: Option<Obstacle>,
    /// What is known of database and object storage, where they are servers.
    pub outside: Outside,
    /// What the backend's pod found of them before it started.
    pub preflight: Preflight,
    /// What keeps the backend from serving, as its pod and claim tell.
    pub trouble: Option<Obstacle>,
    /// What is known of the way in from outside.
    pub exposure: Exposure,
    /// What people, clocks and other instances say about the next upgrade and the next restart.
    pub control: Control,
    /// What the backend answered, where it was asked.
    pub answer: Option<Answer>,
    /// What the deployment said of its pause, where it was asked.
    pub hold: Option<Hold>,
    /// What carries data, or has carried some.
    pub jobs: Jobs,
    /// The worker that comes after one that failed, where one is to come.
    pub again: Option<Again>,
    /// Why the target of an upgrade does not count as serving though it does: its data is not migrated.
    pub unmigrated: Option<Unmigrated>,
    /// How long it has answered badly.
    pub unanswered: Option<Duration>,
    /// How long there has been no pod though the `StatefulSet` asks for one.
    pub unmade: Option<Duration>,
    /// What still has to go before the instance can.
    pub leftovers: Vec<String>,
    /// When this look was taken.
    pub now: DateTime<Utc>,
    /// The namespace that the operator itself runs in.
    pub operator_namespace: String,
    /// The repository of dashboard images, without a tag.
    pub dashboard_repository: String,
    /// The operator's own image.
    pub worker_image: String,
}

impl World {
    /// The world after the edge that was taken: its pins are the status' own now.
    #[must_use]
    pub fn after(mut self, step: &Step) -> Self {
        if let Some(pins) = &step.pins {
            self.facts.pins.clone_from(pins);
        }
        if step.taken.is_some() {
            self.control = Control::default(); // it was about the phase that was left
        }
        // What changes under an upgrade would be taken for its doing.
        if matches!(step.phase, Phase::Upgrading(_)) {
            self.outside = self.outside.unmoved();
            let sources = &self.requisites.sources;
            let live = self.keys.as_ref().and_then(|it| config::values_digest(it, sources));
            let template = self.children.stateful_set.as_deref();
            let sources = std::mem::take(&mut self.requisites.sources).unmoved(template);
            self.outside.waits |= sources.kept().is_some_and(|it| live.as_deref() != Some(it));
            self.requisites.sources = sources;
        }
        self
    }

    /// What the builders build from; none without keys.
    #[must_use]
    pub fn inputs<'a>(&'a self, instance: &'a ConvexInstance) -> Option<Inputs<'a>> {
        Some(Inputs {
            instance,
            names: self.names.clone(),
            keys: self.keys.as_ref()?,
            outside: self.outside.settings.as_ref()?,
            release: self.goes_to().clone(),
            store: self.leads_to(),
            dashboard_repository: &self.dashboard_repository,
            worker_image: &self.worker_image,
            operator_namespace: &self.operator_namespace,
            sources: &self.requisites.sources,
            fence: &self.facts.pins.fence.0,
            claims: &self.children.claims,
            schemes: self.exposure.schemes,
            restarted: self.control.restarted(instance, &self.children, self.now),
        })
    }

    /// The release that the data belongs to.
    #[must_use]
    pub fn release(&self) -> &Release {
        let home = self.facts.pins.home.as_ref();
        home.map_or(&self.facts.wish.release, |home| &home.release)
    }

    /// The release that the surroundings follow: that of the backend which is wanted.
    fn goes_to(&self) -> &Release {
        let moved = self.facts.pins.upgrade.as_ref().filter(|it| it.stage != Stage::Exporting);
        moved.map_or_else(
            || self.release(),
            |it| match it.direction {
                Direction::Forward => &it.to.release,
                Direction::Rollback => &it.from.release,
            },
        )
    }

    /// The store of the backend that is wanted.
    fn leads_to(&self) -> Store {
        let pins = &self.facts.pins;
        let moved = pins.upgrade.as_ref().filter(|it| it.stage != Stage::Exporting);
        let aim = moved.map(|it| it.aim().store);
        let home = || pins.home.as_ref().map(|it| it.store.clone());
        aim.or_else(home).unwrap_or_else(|| self.children.store.clone())
    }

    /// Whether the one backend is held for ready by Kubernetes.
    #[must_use]
    pub fn backend_serves(&self) -> bool {
        matches!(&self.children.pods[..], [pod] if backend::is_ready(pod))
    }

    /// Whether the backend ends by itself again and again.
    #[must_use]
    pub fn is_crashing(&self) -> bool {
        self.trouble.as_ref().is_some_and(|it| it.reason == "BackendCrashing")
    }

    /// Whether users got through when this look was taken.
    #[must_use]
    pub fn traffic_flows(&self) -> bool {
        self.service_flows() && !self.is_paused()
    }

    /// Whether the deployment said that it is paused; it is asked around upgrades only.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.hold.as_ref().is_some_and(|it| it.paused == Some(true))
    }

    /// Whether the Service leads to the backend, as it was found.
    #[must_use]
    pub fn service_flows(&self) -> bool {
        self.children.service.as_deref().is_some_and(crate::plan::service::flows)
    }

    /// What keeps the dashboard from being up, as its pods tell.
    #[must_use]
    pub fn dashboard_trouble(&self) -> Option<Obstacle> {
        let mut told = self.children.dashboard_pods.iter().filter_map(|pod| trouble::of_pod(pod));
        told.find(|it| it.abnormal)
    }

    /// The bucket that exports of the next upgrade go to; none where they go to the claim, or nobody knows it yet, and no
    /// upgrade begins.
    #[must_use]
    pub fn bucket_of_exports(&self, instance: &ConvexInstance) -> Option<String> {
        exports::bucket(instance, self.outside.given(Server::Storage).as_ref()).ok().flatten()
    }

    /// Whether something is gone that is never made anew; that is told before all else.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.facts.missing.is_some()
    }

    /// The name of the claim that holds the data.
    #[must_use]
    pub fn claim_name(&self, instance: &ConvexInstance) -> String {
        crate::plan::claim_name(instance, &self.names, &self.children.store)
    }
}
