//! What the users of an app and its owner ask of a stand-in.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Door;

impl Door {
    /// Writes a document, as a user of the app, and tells its id.
    ///
    /// # Errors
    /// It is refused: while the deployment is paused the message holds `DeploymentPaused`.
    pub async fn write(&self, table: &str, document: Value) -> Result<String> {
        let body = json!({ "table": table, "documents": [document] });
        let ids = self.asked("/stand-in/documents", &body).await?;
        Ok(ids["ids"][0].as_str().context("an id")?.to_owned())
    }

    /// Every document of a table, as a user of the app reads them.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn documents(&self, table: &str) -> Result<Vec<Value>> {
        let text = self.text(&format!("/stand-in/documents/{table}")).await?;
        let read: Value = serde_json::from_str(&text)?;
        Ok(read["documents"].as_array().cloned().unwrap_or_default())
    }

    /// Keeps a file and tells its id.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn keep(&self, content: &str) -> Result<String> {
        let path = "/stand-in/files";
        let request = self.client.post(self.url(path)).header("Content-Type", "text/plain");
        let answer = request.body(content.to_owned()).send().await?;
        let (code, body) = (answer.status(), answer.text().await?);
        ensure!(code.is_success(), "{path}: {code}: {body}");
        let kept: Value = serde_json::from_str(&body)?;
        Ok(kept["id"].as_str().context("an id")?.to_owned())
    }

    /// What a file holds.
    ///
    /// # Errors
    /// As [`Self::write`], or there is no such file.
    pub async fn file(&self, id: &str) -> Result<String> {
        self.text(&format!("/stand-in/files/{id}")).await
    }

    /// Deploys functions, as the owner of the app, paused or not.
    ///
    /// # Errors
    /// The backend does not answer.
    pub async fn deploy(&self, functions: &[&str]) -> Result<()> {
        self.asked("/stand-in/deploy", &json!({ "functions": functions })).await?;
        Ok(())
    }

    /// Whether a function is there and can be called.
    ///
    /// # Errors
    /// The backend does not answer.
    pub async fn runs(&self, function: &str) -> Result<bool> {
        let body = json!({ "path": function, "args": [{}], "format": "json" });
        let answer = self.asked("/api/query", &body).await?;
        Ok(answer["status"] == "success")
    }

    /// Whether the deployment is paused, which users feel and administrators do not.
    ///
    /// # Errors
    /// The backend does not answer.
    pub async fn is_paused(&self) -> Result<bool> {
        let told: Value = serde_json::from_str(&self.text("/stand-in/store").await?)?;
        told["paused"].as_bool().context("whether it is paused")
    }

    async fn asked(&self, path: &str, body: &Value) -> Result<Value> {
        let answer = self.client.post(self.url(path)).json(body).send().await?;
        let (code, body) = (answer.status(), answer.text().await?);
        ensure!(code.is_success(), "{path}: {code}: {body}");
        Ok(serde_json::from_str(&body).unwrap_or_default())
    }
}
