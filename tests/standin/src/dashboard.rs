//! The dashboard: one page that carries what the real one embeds for its browser code.
//!
//! `NEXT_PUBLIC_DEPLOYMENT_URL` and, where set, `NEXT_PUBLIC_ADMIN_KEY` stand in the page for anyone who can open it.
//! Unlike the backend it handles SIGTERM normally.

use std::io;

use axum::{Router, response::Html, routing::get};
use serde_json::{Map, Value};
use tokio::net::TcpListener;

use crate::{environment::Environment, signals};

/// Serves the page on `HOSTNAME`:`PORT` (by default 0.0.0.0:6791) until SIGTERM or SIGINT.
///
/// # Errors
/// Where the port cannot be opened.
pub async fn run(env: &Environment) -> io::Result<()> {
    let host = env.or("STANDIN_BIND", &env.or("HOSTNAME", "0.0.0.0"));
    let listener = TcpListener::bind(format!("{host}:{}", env.or("PORT", "6791"))).await?;
    tracing::info!("dashboard listening on {}", listener.local_addr()?);
    let page = page(env);
    let routes = Router::new().route("/", get(move || async move { Html(page.clone()) }));
    axum::serve(listener, routes)
        .with_graceful_shutdown(async {
            if let Err(error) = signals::asked_to_end().await {
                tracing::error!(%error, "signals cannot be handled");
            }
        })
        .await
}

/// The page: HTML around a JSON object.
#[must_use]
pub fn page(env: &Environment) -> String {
    let embedded: Map<String, Value> = ["NEXT_PUBLIC_DEPLOYMENT_URL", "NEXT_PUBLIC_ADMIN_KEY"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), Value::from(env.non_empty(name)?))))
        .collect();
    // A `<` would let a value end the script element.
    let embedded = Value::from(embedded).to_string().replace('<', "\\u003c");
    format!(
        "<!DOCTYPE html><html><head><title>Convex Dashboard (stand-in)</title></head>\
         <body><script type=\"application/json\">{embedded}</script></body></html>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_carries_the_url_and_no_key_unless_one_is_set() {
        let url = ("NEXT_PUBLIC_DEPLOYMENT_URL", "https://api.example.org");
        let plain = page(&Environment::from([url]));
        assert!(plain.contains("https://api.example.org"));
        assert!(!plain.contains("ADMIN_KEY"));
        let leaky = page(&Environment::from([url, ("NEXT_PUBLIC_ADMIN_KEY", "name|01ab")]));
        assert!(leaky.contains("name|01ab"));
    }

    #[test]
    fn a_value_cannot_leave_its_script_element() {
        let page = page(&Environment::from([("NEXT_PUBLIC_DEPLOYMENT_URL", "</script><b>")]));
        assert!(!page.contains("</script><b>"));
    }
}
