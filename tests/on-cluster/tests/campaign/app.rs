//! What the owner of an app has in it: written before an upgrade and read after it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use on_cluster::Stage;
use serde_json::{Value, json};

const TABLE: &str = "notes";
const NOTES: usize = 20;
const ANSWER: Duration = Duration::from_secs(5);

/// The backend of an instance, as its users see it.
pub struct App {
    address: String,
    client: reqwest::Client,
}

impl App {
    /// That of the backend's pod of now.
    pub async fn of(stage: &Stage, instance: &str) -> Result<Self> {
        let pod: Pod = stage.pod(instance).await?;
        let address = pod.status.and_then(|it| it.pod_ip).context("a pod without an address")?;
        let client = reqwest::Client::builder().timeout(ANSWER).no_proxy().build()?;
        Ok(Self { address, client })
    }

    /// Writes documents and a file, deploys a function, and says what is there then.
    pub async fn fill(&self) -> Result<Value> {
        let documents: Vec<_> = (0..NOTES).map(|it| json!({"text": format!("{it}")})).collect();
        self.post("documents", json!({"table": TABLE, "documents": documents}).to_string()).await?;
        self.post("files", "what somebody has kept".to_owned()).await?;
        self.deploy().await?;
        self.content().await
    }

    /// Deploys the code of the app, held or not.
    pub async fn deploy(&self) -> Result<()> {
        self.post("deploy", json!({"functions": ["notes:list"]}).to_string()).await.map(|_| ())
    }

    /// Everything that users can read: refused while they are held.
    pub async fn content(&self) -> Result<Value> {
        let notes = self.get(&format!("documents/{TABLE}")).await?;
        let files = self.get("documents/_storage").await?;
        Ok(json!({"notes": sorted(&notes), "files": sorted(&files)}))
    }

    /// Whether users are held.
    pub async fn paused(&self) -> Result<bool> {
        self.get("store").await?["paused"].as_bool().context("whether it is paused")
    }

    async fn get(&self, path: &str) -> Result<Value> {
        self.answer(self.client.get(self.url(path))).await
    }

    async fn post(&self, path: &str, body: String) -> Result<Value> {
        let request = self.client.post(self.url(path)).header("Content-Type", "application/json");
        self.answer(request.body(body)).await
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Value> {
        let answer = request.send().await?;
        let (code, text) = (answer.status(), answer.text().await?);
        ensure!(code.is_success(), "{code}: {text}");
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}:3210/stand-in/{path}", self.address)
    }
}

fn sorted(read: &Value) -> Vec<String> {
    let documents = read["documents"].as_array().cloned().unwrap_or_default();
    let mut documents: Vec<_> = documents.iter().map(ToString::to_string).collect();
    documents.sort();
    documents
}
