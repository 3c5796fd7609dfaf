//! Asking a backend pod, through the cluster's own network.

mod app;

use std::{process::Stdio, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use cluster::{NodeKind, description::Description};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::Kubectl;

/// The port of the API of a backend.
const API: u16 = 3210;
const OPENING: Duration = Duration::from_secs(15);
const ANSWER: Duration = Duration::from_secs(5);

/// How pods are reached from here.
#[derive(Clone, Debug)]
pub enum Reach {
    /// Directly: pods of a fake node listen on loopback addresses of this machine.
    Direct,
    /// Through API server and node, which works wherever kubectl does. The API server's proxy of pods would not do: it
    /// takes the header away that carries an admin key.
    Forwarded(Kubectl),
}

/// A way to the API port of one pod, open until it is dropped.
#[derive(Debug)]
pub struct Door {
    address: String,
    client: reqwest::Client,
    _forward: Option<Child>,
}

/// What the stand-in says about its data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The id of the start that found the directory empty.
    pub first_start: String,
    /// How many starts there were since.
    pub starts: u64,
    /// How many second live writers were seen. More than none is the cardinal sin.
    pub second_writers: u64,
    /// The version that answers.
    pub version: String,
}

impl Reach {
    /// The way to pods of a cluster of ours.
    ///
    /// # Errors
    /// The cluster was started without kubectl.
    pub fn into(cluster: &Description) -> Result<Self> {
        Ok(match cluster.node {
            NodeKind::Fake => Self::Direct,
            NodeKind::Real => Self::Forwarded(Kubectl::of(cluster)?),
        })
    }

    /// Opens the way to a pod.
    ///
    /// # Errors
    /// The pod has no address yet, or kubectl finds no way.
    pub async fn open(&self, pod: &Pod) -> Result<Door> {
        let (address, forward) = match self {
            Self::Direct => {
                let address = pod.status.as_ref().and_then(|status| status.pod_ip.as_ref());
                let address = address.with_context(|| format!("{} has no address", pod.name_any()));
                (format!("{}:{API}", address?), None)
            }
            Self::Forwarded(kubectl) => {
                let namespace = pod.namespace().unwrap_or_default();
                let mut command = kubectl.command();
                command.args(["port-forward", "--namespace", &namespace]);
                command.args([format!("pod/{}", pod.name_any()), format!(":{API}")]);
                let (address, child) = forwarded(command).await?;
                (address, Some(child))
            }
        };
        let client = reqwest::Client::builder().timeout(ANSWER).no_proxy().build()?;
        Ok(Door { address, client, _forward: forward })
    }
}

/// Starts `kubectl port-forward` and learns from its first line where it listens.
async fn forwarded(mut command: Command) -> Result<(String, Child)> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("kubectl has an output")?).lines();
    let first = timeout(OPENING, lines.next_line()).await.context("kubectl port-forward")??;
    let Some(line) = first else {
        let output = child.wait_with_output().await?;
        bail!("kubectl port-forward: {}", String::from_utf8_lossy(&output.stderr).trim());
    };
    // Else it would end of a broken pipe at its next line.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    let words = line.strip_prefix("Forwarding from ").and_then(|rest| rest.split(' ').next());
    Ok((words.with_context(|| format!("kubectl port-forward said {line:?}"))?.to_owned(), child))
}

impl Door {
    /// What `/version` answers.
    ///
    /// # Errors
    /// The backend does not answer, or not with 200.
    pub async fn version(&self) -> Result<String> {
        self.text("/version").await
    }

    /// Nothing, where `/api/check_admin_key` takes this key.
    ///
    /// # Errors
    /// It does not take it; the message holds the answer and never the key.
    pub async fn accepts(&self, key: &str) -> Result<()> {
        let path = "/api/check_admin_key";
        let request = self.client.get(self.url(path)).header("Authorization", authorization(key));
        let answer = request.send().await?;
        let (code, body) = (answer.status(), answer.text().await?);
        ensure!(code.is_success(), "{path}: {code}: {body}");
        Ok(())
    }

    /// What the stand-in says about its data.
    ///
    /// # Errors
    /// The backend does not answer, or is no stand-in.
    pub async fn marker(&self) -> Result<Marker> {
        let text = self.text("/stand-in/marker").await?;
        let read: Value = serde_json::from_str(&text)?;
        let words = |key: &str| read[key].as_str().map(ToOwned::to_owned).context("no marker");
        let number = |key: &str| read[key].as_u64().context("no marker");
        Ok(Marker {
            first_start: words("firstStart")?,
            starts: number("starts")?,
            second_writers: number("secondWriters")?,
            version: words("version")?,
        })
    }

    /// Sets an environment variable of the deployment, which lives in its database.
    ///
    /// # Errors
    /// The backend refuses.
    pub async fn set_variable(&self, key: &str, name: &str, value: &str) -> Result<()> {
        let path = "/api/update_environment_variables";
        let body = serde_json::json!({ "changes": [{ "name": name, "value": value }] });
        let request = self.client.post(self.url(path)).header("Authorization", authorization(key));
        let answer = request.json(&body).send().await?;
        let (code, body) = (answer.status(), answer.text().await?);
        ensure!(code.is_success(), "{path}: {code}: {body}");
        Ok(())
    }

    /// Lets users in again, as the owner of a paused deployment does.
    ///
    /// # Errors
    /// The backend refuses.
    pub async fn resume(&self, key: &str) -> Result<()> {
        let path = "/api/v1/unpause_deployment";
        let request = self.client.post(self.url(path)).header("Authorization", authorization(key));
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// An environment variable of the deployment.
    ///
    /// # Errors
    /// The backend refuses, or is older than 2025-08-28 and has no such question.
    pub async fn variable(&self, key: &str, name: &str) -> Result<Option<String>> {
        let path = "/api/v1/list_environment_variables";
        let request = self.client.get(self.url(path)).header("Authorization", authorization(key));
        let answer = request.send().await?.error_for_status()?;
        let listed: Value = answer.json().await?;
        Ok(listed["environmentVariables"][name].as_str().map(ToOwned::to_owned))
    }

    async fn text(&self, path: &str) -> Result<String> {
        let answer = self.client.get(self.url(path)).send().await?;
        let (code, body) = (answer.status(), answer.text().await?);
        ensure!(code.is_success(), "{path}: {code}: {body}");
        Ok(body)
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn authorization(key: &str) -> String {
    format!("Convex {key}")
}
