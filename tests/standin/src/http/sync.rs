//! The WebSocket `/api/<version>/sync`, as far as the CLI needs it: queries of the set are answered, and again whenever
//! what they would answer changes.

mod session;

use std::sync::Arc;

use axum::{
    Router,
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing::any,
};
use serde_json::Value;
use session::Session;

use super::Deployment;

pub fn routes() -> Router<Arc<Deployment>> {
    Router::new().route("/api/sync", any(upgrade)).route("/api/{client}/sync", any(upgrade))
}

async fn upgrade(State(deployment): State<Arc<Deployment>>, socket: WebSocketUpgrade) -> Response {
    socket.on_upgrade(|socket| async move {
        // However it ends, the client connects again if it still wants something.
        let _ = serve(deployment, socket).await;
    })
}

async fn serve(deployment: Arc<Deployment>, mut socket: WebSocket) -> Result<(), axum::Error> {
    let mut changes = deployment.store.changes();
    let mut session = Session::new(deployment);
    loop {
        let answer = tokio::select! {
            message = socket.recv() => match message.transpose()? {
                Some(Message::Text(text)) => session.hear(&text),
                Some(Message::Close(_)) | None => return Ok(()),
                Some(_) => None,
            },
            told = changes.changed() => match told {
                Ok(()) => session.look(),
                Err(_) => return Ok(()),
            },
        };
        if let Some(answer) = answer {
            socket.send(text(&answer)).await?;
        }
    }
}

fn text(answer: &Value) -> Message {
    Message::Text(answer.to_string().into())
}
