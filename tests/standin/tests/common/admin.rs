//! The administrator of a running backend, and the app that uses it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Backend, KEY};

const DEADLINE: Duration = Duration::from_secs(20);

/// Status and body; a body that is no JSON is its text.
pub type Answer = (u16, Value);

impl Backend {
    pub async fn asks(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub async fn posts_with(&self, key: &str, path: &str, body: &Value) -> Answer {
        let request = reqwest::Client::new().post(self.url(path)).json(body);
        self.asks(request.header("Authorization", format!("Convex {key}"))).await
    }

    pub async fn posts(&self, path: &str, body: Value) -> Answer {
        self.posts_with(KEY, path, &body).await
    }

    /// A system query's value, which must come.
    pub async fn query(&self, path: &str, arguments: Value) -> Value {
        let body = json!({ "path": path, "args": arguments, "format": "json" });
        let (status, answer) = self.posts("/api/query", body).await;
        assert_eq!((status, &answer["status"]), (200, &json!("success")), "{answer}");
        answer["value"].clone()
    }

    /// Asks again until the value of a query is as wanted, which is then given.
    pub async fn awaits(
        &self,
        path: &str,
        arguments: Value,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let end = Instant::now() + DEADLINE;
        loop {
            let value = self.query(path, arguments.clone()).await;
            if wanted(&value) {
                return value;
            }
            assert!(Instant::now() < end, "did not come: {value}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Writes documents as the app would, which must succeed.
    pub async fn holds(&self, table: &str, documents: Value) {
        let body = json!({ "table": table, "documents": documents });
        let (status, answer) = self.posts("/stand-in/documents", body).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// Holds the app's users off, or lets them in again.
    pub async fn pauses(&self, pause: bool) {
        let verb = if pause { "pause" } else { "unpause" };
        let path = format!("/api/v1/{verb}_deployment");
        assert_eq!(self.posts(&path, Value::Null).await.0, 200);
    }

    pub async fn documents(&self, table: &str) -> Vec<Value> {
        let (status, body) = self.get(&format!("/stand-in/documents/{table}")).await;
        assert_eq!(status, 200, "{body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        body["documents"].as_array().unwrap().clone()
    }

    pub async fn holds_file(&self, bytes: &'static str) -> String {
        let request = reqwest::Client::new().post(self.url("/stand-in/files")).body(bytes);
        let (_, answer) = self.asks(request.header("Content-Type", "text/plain")).await;
        answer["id"].as_str().unwrap().to_owned()
    }

    /// Asks for an export, waits for it and gives its document.
    pub async fn exports(&self, with_files: bool) -> Value {
        let path = format!("/api/export/request/zip?includeStorage={with_files}");
        assert_eq!(self.posts(&path, Value::Null).await.0, 200);
        let done = |export: &Value| export["state"] == "completed";
        self.awaits("_system/cli/exports:getLatest", json!({}), done).await
    }

    pub async fn downloads(&self, export: &Value) -> reqwest::Response {
        let path = format!("/api/export/zip/{}", export["start_ts"].as_str().unwrap());
        let request = reqwest::Client::new().get(self.url(&path));
        request.header("Authorization", format!("Convex {KEY}")).send().await.unwrap()
    }

    /// Uploads a ZIP in parts of `part` bytes, and waits until it wants a yes; gives its id.
    pub async fn uploads(&self, zip: &[u8], part: usize, mode: &str) -> String {
        let token =
            self.posts("/api/import/start_upload", Value::Null).await.1["uploadToken"].clone();
        let mut parts = Vec::new();
        for (number, bytes) in (1..).zip(zip.chunks(part)) {
            let token = token.as_str().unwrap();
            let path = format!("/api/import/upload_part?uploadToken={token}&partNumber={number}");
            let request = reqwest::Client::new().post(self.url(&path)).body(bytes.to_vec());
            let (_, token) =
                self.asks(request.header("Authorization", format!("Convex {KEY}"))).await;
            parts.push(token);
        }
        let import = json!({ "mode": mode, "format": "zip" });
        let body = json!({ "import": import, "uploadToken": token, "partTokens": parts });
        let (status, answer) = self.posts("/api/import/finish_upload", body).await;
        assert_eq!(status, 200, "{answer}");
        answer["importId"].as_str().unwrap().to_owned()
    }

    /// Waits until an import is in this state, and gives the state.
    pub async fn import_is(&self, id: &str, state: &str) -> Value {
        let wanted = |import: &Value| import["state"]["state"] == state;
        let import =
            self.awaits("_system/cli/queryImport", json!({ "importId": id }), wanted).await;
        import["state"].clone()
    }

    pub async fn performs(&self, id: &str) -> u16 {
        self.import_is(id, "waiting_for_confirmation").await;
        self.posts("/api/perform_import", json!({ "importId": id })).await.0
    }
}
