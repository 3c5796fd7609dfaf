//! The namespace of the demo, and how its instance is seen and asked.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cluster::{NodeKind, wait};
use k8s_openapi::api::core::v1::{Namespace, Pod, Secret};
use kube::{Api, Client, ResourceExt, api::PostParams};
use on_cluster::{Follower, Kubectl, Reach, State, Witness, reach::Door, stage::pod_name};
use serde_json::json;

use crate::{acts::short, sample::Sample, story::Story};

/// A namespace on a cluster, and the ways into it.
pub struct Scene {
    /// The user, as a program.
    pub client: Client,
    /// The user, at a keyboard.
    pub kubectl: Kubectl,
    /// The namespace of the demo.
    pub namespace: String,
    /// Which sample is shown.
    pub shown: Sample,
    /// Its manifest.
    pub sample: String,
    /// How pods are asked.
    pub reach: Reach,
    /// Who tells what is to be seen where a fact does not come.
    pub witness: Witness,
    /// What plays the node, where it is one of ours.
    pub node: Option<NodeKind>,
}

/// Makes a namespace for the demo.
///
/// # Errors
/// The API server refuses.
pub async fn fresh_namespace(client: &Client) -> Result<String> {
    let labels = json!({ "pod-security.kubernetes.io/enforce": "restricted" });
    let wanted: Namespace = serde_json::from_value(
        json!({ "metadata": { "generateName": "convex-demo-", "labels": labels } }),
    )?;
    let made = Api::all(client.clone()).create(&PostParams::default(), &wanted).await;
    Ok(made.context("making a namespace")?.name_any())
}

impl Scene {
    /// What the sample calls its instance.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.shown.instance()
    }

    /// What the one pod of its backend is called.
    #[must_use]
    pub fn pod_name(&self) -> String {
        pod_name(self.name())
    }

    /// Begins to follow the instance.
    ///
    /// # Errors
    /// The API server does not answer.
    pub async fn follow(&self) -> Result<Follower> {
        Follower::begin(&self.client, &self.namespace, self.name()).await
    }

    /// kubectl in this namespace.
    ///
    /// # Errors
    /// What kubectl says.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        let here = ["--namespace", self.namespace.as_str()];
        self.kubectl.run(&[&here[..], arguments].concat()).await
    }

    /// The way to the backend.
    ///
    /// # Errors
    /// Its pod is not there, or cannot be reached.
    pub async fn door(&self) -> Result<Door> {
        self.reach.open(&self.pod().await?).await
    }

    /// The backend's pod.
    ///
    /// # Errors
    /// It is not there.
    pub async fn pod(&self) -> Result<Pod> {
        let pods = Api::<Pod>::namespaced(self.client.clone(), &self.namespace);
        let name = self.pod_name();
        pods.get(&name).await.with_context(|| format!("looking for pod {name}"))
    }

    /// Waits until another pod than this one is up.
    ///
    /// # Errors
    /// It is not, at the end of that time.
    pub async fn another_pod(&self, old: &Pod, patience: Duration) -> Result<()> {
        wait::until("new backend pod that is ready", patience, &[], || async {
            let pod = self.pod().await?;
            Ok((pod.uid() != old.uid() && is_ready(&pod)).then_some(()))
        })
        .await
    }

    /// A value of the Secret that applications use.
    ///
    /// # Errors
    /// The Secret or its key is not there.
    pub async fn for_applications(&self, key: &str) -> Result<String> {
        let secrets = Api::<Secret>::namespaced(self.client.clone(), &self.namespace);
        let secret = secrets.get(&format!("{}-admin", self.name())).await?;
        let value = secret.data.and_then(|mut data| data.remove(key));
        Ok(String::from_utf8(value.with_context(|| format!("no key {key}"))?.0)?)
    }
}

/// Whether a pod takes traffic.
#[must_use]
pub fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.is_some_and(|all| all.iter().any(|it| it.type_ == "Ready" && it.status == "True"))
}

/// Tells every phase once, as it is entered.
pub struct Phases<'a> {
    story: &'a Story,
    since: Instant,
    last: String,
}

impl<'a> Phases<'a> {
    /// Tells phases other than this one.
    #[must_use]
    pub fn after(phase: &str, story: &'a Story, since: Instant) -> Self {
        Self { story, since, last: phase.to_owned() }
    }

    /// Tells the phase, where it is another; Ready is for the caller to tell, with proof.
    pub fn see(&mut self, state: &State) {
        if state.phase == self.last || state.phase.is_empty() {
            return;
        }
        self.last.clone_from(&state.phase);
        if state.phase != "Ready" {
            self.story.fact(self.since, &format!("{:<18} {}", state.phase, state.message));
        }
    }
}

/// The lines that `kubectl get cvx -w` prints, each once, with the time that it came.
pub struct Lines<'a> {
    story: &'a Story,
    since: Instant,
    last: String,
}

impl<'a> Lines<'a> {
    /// Prints the header.
    #[must_use]
    pub fn begin(story: &'a Story, since: Instant) -> Self {
        let lines = Self { story, since, last: String::new() };
        println!(
            "          {}",
            columns(["VERSION", "PHASE", "STAGE", "READY", "REASON", "MESSAGE"])
        );
        lines
    }

    /// Prints a state where it is another.
    pub fn see(&mut self, state: &State) {
        let (phase, part) = state.phase.split_once('/').unwrap_or((&state.phase, ""));
        let ready = if state.ready { "True" } else { "False" };
        // Where an upgrade goes is what tells a rollback.
        let to = state.message.split_once(',').map(|(to, _)| to).filter(|_| !part.is_empty());
        let to = to.unwrap_or_default();
        let line = columns([short(&state.running), phase, part, ready, &state.reason, to]);
        if line != self.last {
            self.story.fact(self.since, &line);
            self.last = line;
        }
    }
}

fn columns([version, phase, stage, ready, reason, message]: [&str; 6]) -> String {
    let line = format!("{version:<9} {phase:<11} {stage:<10} {ready:<6} {reason:<17} {message}");
    line.trim_end().to_owned()
}
