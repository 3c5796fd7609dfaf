//! A client from outside the cluster: it knows host names and where the data plane listens, and nothing else.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, ensure};
use futures::{SinkExt, StreamExt};
use http::{HeaderValue, StatusCode, header};
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, handshake::client::generate_key, protocol::Role},
};

const ANSWER: Duration = Duration::from_secs(30);

/// A client of these hosts.
#[derive(Clone, Debug)]
pub struct Outside {
    client: reqwest::Client,
    ports: [u16; 2],
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The code.
    pub status: StatusCode,
    /// Where else to go.
    pub location: Option<String>,
    /// The text.
    pub body: String,
}

impl Outside {
    /// A client that finds every host at this address, takes HTTP and HTTPS at these ports, and trusts this authority alone
    /// (PEM).
    ///
    /// # Errors
    /// It is no certificate.
    pub fn of(
        address: std::net::IpAddr,
        ports: [u16; 2],
        authority: &str,
        hosts: &[&str],
    ) -> Result<Self> {
        let authority = reqwest::Certificate::from_pem(authority.as_bytes())?;
        let mut client = reqwest::Client::builder()
            .no_proxy()
            .http1_only()
            .redirect(Policy::none())
            .tls_built_in_root_certs(false)
            .add_root_certificate(authority)
            .timeout(ANSWER);
        for host in hosts {
            client = client.resolve(host, SocketAddr::new(address, 0));
        }
        Ok(Self { client: client.build()?, ports })
    }

    fn url(&self, host: &str, tls: bool, path: &str) -> String {
        let [http, https] = self.ports;
        let (scheme, port) = if tls { ("https", https) } else { ("http", http) };
        format!("{scheme}://{host}:{port}{path}")
    }

    /// What a path answers.
    ///
    /// # Errors
    /// Nobody answers, or TLS does not hold.
    pub async fn get(&self, host: &str, tls: bool, path: &str) -> Result<Answer> {
        answer(self.client.get(self.url(host, tls, path))).await
    }

    /// What a path answers to this body, by HTTPS.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn post(&self, host: &str, path: &str, body: Vec<u8>) -> Result<Answer> {
        answer(self.client.post(self.url(host, true, path)).body(body)).await
    }

    /// Asks something over a WebSocket of the sync protocol, by HTTPS, and tells the type of the answer.
    ///
    /// # Errors
    /// It does not become a WebSocket, or says nothing.
    pub async fn sync(&self, host: &str) -> Result<String> {
        let key = generate_key();
        let request = self
            .client
            .get(self.url(host, true, "/api/1.0.0/sync"))
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, HeaderValue::from_str(&key)?);
        let response = request.send().await?;
        ensure!(response.status() == StatusCode::SWITCHING_PROTOCOLS, "{}", response.status());
        let stream = response.upgrade().await?;
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
        let asked = json!({"type": "ModifyQuerySet", "baseVersion": 0, "newVersion": 1, "modifications": []});
        socket.send(Message::text(asked.to_string())).await?;
        let told = tokio::time::timeout(ANSWER, socket.next()).await.context("an answer")?;
        let told: Value = serde_json::from_str(told.context("the socket ended")??.to_text()?)?;
        socket.close(None).await?;
        Ok(told["type"].as_str().unwrap_or_default().to_owned())
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Answer> {
    let response = request.send().await?;
    let location = response.headers().get(header::LOCATION);
    let location = location.and_then(|it| it.to_str().ok()).map(str::to_owned);
    Ok(Answer { status: response.status(), location, body: response.text().await? })
}
