//! What is to be seen where something did not come true: the status, the pods, the last events, and what the operator said.

use std::{fmt::Write as _, path::PathBuf};

use anyhow::Result;
use cluster::operator::NAMESPACE;
use convex_operator::api::ConvexInstance;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, LogParams},
};

use crate::follow::State;

const EVENTS: usize = 10;
const LINES: usize = 15;
const OPERATOR: &str = "app.kubernetes.io/name=convex-operator";

/// Who looks around in a namespace.
#[derive(Clone)]
pub struct Witness {
    /// As whom.
    pub client: Client,
    /// Where.
    pub namespace: String,
    /// The operator's log where it runs as a process of this machine; elsewhere its pod is asked.
    pub log: Option<PathBuf>,
}

impl Witness {
    /// Everything worth knowing, in lines; what cannot be had says why.
    pub async fn account(&self) -> String {
        let parts = [
            ("instances", self.instances().await),
            ("pods", self.pods().await),
            ("last events", self.events().await),
            ("the operator's last lines", self.operator().await),
        ];
        let mut account = String::new();
        for (title, lines) in parts {
            let lines = lines.unwrap_or_else(|error| vec![format!("{error:#}")]);
            let _ = write!(account, "\n-- {title}\n{}", lines.join("\n"));
        }
        account
    }

    async fn instances(&self) -> Result<Vec<String>> {
        let all = Api::<ConvexInstance>::namespaced(self.client.clone(), &self.namespace);
        let listed = all.list(&ListParams::default()).await?;
        Ok(listed.iter().map(|it| format!("{}: {}", it.name_any(), State::from(it))).collect())
    }

    async fn pods(&self) -> Result<Vec<String>> {
        let all = Api::<Pod>::namespaced(self.client.clone(), &self.namespace);
        let listed = all.list(&ListParams::default()).await?;
        Ok(listed.iter().map(told).collect())
    }

    async fn events(&self) -> Result<Vec<String>> {
        let all = Api::<Event>::namespaced(self.client.clone(), &self.namespace);
        let mut listed = all.list(&ListParams::default()).await?.items;
        listed.sort_by_key(ResourceExt::creation_timestamp);
        let last = listed.split_off(listed.len().saturating_sub(EVENTS));
        Ok(last.iter().map(happened).collect())
    }

    async fn operator(&self) -> Result<Vec<String>> {
        if let Some(log) = &self.log {
            return Ok(tail(&std::fs::read_to_string(log)?));
        }
        let pods = Api::<Pod>::namespaced(self.client.clone(), NAMESPACE);
        let mut lines = Vec::new();
        for pod in pods.list(&ListParams::default().labels(OPERATOR)).await? {
            lines.push(told(&pod));
            let last = LogParams { tail_lines: i64::try_from(LINES).ok(), ..LogParams::default() };
            lines.extend(tail(&pods.logs(&pod.name_any(), &last).await?));
        }
        Ok(lines)
    }
}

fn tail(text: &str) -> Vec<String> {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].iter().map(ToString::to_string).collect()
}

fn happened(event: &Event) -> String {
    let about = event.involved_object.name.as_deref().unwrap_or_default();
    let reason = event.reason.as_deref().unwrap_or_default();
    format!("{reason} {about}: {}", event.message.as_deref().unwrap_or_default())
}

fn told(pod: &Pod) -> String {
    let status = pod.status.clone().unwrap_or_default();
    let containers = status.init_container_statuses.into_iter().flatten();
    let containers = containers.chain(status.container_statuses.into_iter().flatten());
    let containers: Vec<_> = containers
        .map(|it| {
            let state = serde_json::to_string(&it.state).unwrap_or_default();
            format!("{} ready={} restarts={} {state}", it.name, it.ready, it.restart_count)
        })
        .collect();
    let phase = status.phase.unwrap_or_default();
    format!("{} {phase}: {}", pod.name_any(), containers.join("; "))
}
