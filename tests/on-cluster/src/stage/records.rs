//! What is on record about a namespace: requests of the operator, Events, and lines of its log.

use std::fs;

use anyhow::Result;
use cluster::{
    audit::Entry,
    operator::{self, USER},
};
use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;

use super::Stage;

/// What anybody may read who may not read Secrets, in any cluster: what the operator makes, and what follows from that.
const READABLE: [&str; 16] = [
    "convexinstances.convex.icod.de",
    "events",
    "events.v1.events.k8s.io",
    "configmaps",
    "services",
    "serviceaccounts",
    "pods",
    "persistentvolumeclaims",
    "statefulsets.apps",
    "controllerrevisions.apps",
    "deployments.apps",
    "replicasets.apps",
    "jobs.batch",
    "ingresses.networking.k8s.io",
    "networkpolicies.networking.k8s.io",
    "poddisruptionbudgets.policy",
];
/// The same where the Gateway API is.
const IF_SERVED: [&str; 3] = [
    "gateways.gateway.networking.k8s.io",
    "httproutes.gateway.networking.k8s.io",
    "clientsettingspolicies.gateway.nginx.org",
];

impl Stage {
    /// Where the audit log ends now, for the questions below.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn mark(&self) -> Result<u64> {
        self.cluster.audit_mark()
    }

    /// What the operator asked about this namespace since a mark, watches left out.
    ///
    /// # Errors
    /// The audit log cannot be read.
    pub fn requests_since(&self, mark: u64) -> Result<Vec<Entry>> {
        let namespace = format!("\"namespace\":\"{}\"", self.namespace());
        let found = self.cluster.audit_matching(mark, &[USER, &namespace])?;
        let about = |it: &Entry| it.user == USER && it.namespace == self.namespace();
        Ok(found.into_iter().filter(|it| about(it) && it.verb != "watch").collect())
    }

    /// What the operator wrote in this namespace since a mark, Events and refused writes included.
    ///
    /// # Errors
    /// The audit log cannot be read.
    pub fn writes_since(&self, mark: u64) -> Result<Vec<Entry>> {
        Ok(self.requests_since(mark)?.into_iter().filter(Entry::is_write).collect())
    }

    /// What the operator wrote in this namespace since the test began.
    ///
    /// # Errors
    /// The audit log cannot be read.
    pub fn writes(&self) -> Result<Vec<Entry>> {
        self.writes_since(self.began)
    }

    /// The Events about instances of this namespace, as the API of today has them, oldest first.
    ///
    /// # Errors
    /// The API server does not answer.
    pub async fn events(&self) -> Result<Vec<Event>> {
        let mut events = self.all::<Event>().list(&ListParams::default()).await?.items;
        let about = |it: &Event| it.regarding.as_ref().and_then(|about| about.kind.clone());
        events.retain(|it| about(it).as_deref() == Some("ConvexInstance"));
        events.sort_by_key(|it| it.event_time.as_ref().map(|time| time.0));
        Ok(events)
    }

    /// The reasons of these Events.
    ///
    /// # Errors
    /// As [`Self::events`].
    pub async fn reasons(&self) -> Result<Vec<String>> {
        let events = self.events().await?;
        Ok(events.iter().map(|it| it.reason.clone().unwrap_or_default()).collect())
    }

    /// Everything that could be read about this namespace by somebody without access to Secrets: the instances, every kind of
    /// child and of what children make, Events, and the operator's whole log.
    ///
    /// # Errors
    /// kubectl or the log cannot be read.
    pub async fn everything_readable(&self) -> Result<String> {
        let mut kinds = READABLE.to_vec();
        // Not every cluster has them, and kubectl refuses to ask for a kind that is not there.
        let served = self.kubectl.run(&["api-resources", "--output", "name"]).await?;
        kinds.extend(IF_SERVED.iter().filter(|kind| served.lines().any(|it| it == **kind)));
        let kinds = kinds.join(",");
        let get = ["get", &kinds, "--namespace", self.namespace(), "--output", "yaml"];
        let objects = self.kubectl.run(&get).await?;
        let log = fs::read_to_string(operator::log(self.cluster.description()))?;
        Ok(objects + &log)
    }
}

/// Writes as lines, for messages.
#[must_use]
pub fn lines(entries: &[Entry]) -> String {
    let line = |(number, it): (usize, &Entry)| {
        let of = [&it.resource, &it.subresource, &it.name].map(String::as_str);
        let of: Vec<_> = of.into_iter().filter(|part| !part.is_empty()).collect();
        format!("{:3} {} {} -> {}", number + 1, it.verb, of.join("/"), it.code)
    };
    entries.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}
