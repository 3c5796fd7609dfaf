//! A request as the API server in memory sees it.

use axum::http::{Method, Request, header::CONTENT_TYPE};
use kube::client::Body;
use serde_json::{Value, json};

/// One request, taken apart.
#[derive(Clone, Debug)]
pub struct Asked {
    pub verb: Verb,
    pub plural: String,
    pub namespace: String,
    /// Empty where the collection is meant.
    pub name: String,
    /// Empty where the object itself is meant.
    pub subresource: String,
    pub manager: String,
    /// What stands behind the question mark.
    pub query: String,
    pub body: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Get,
    Create,
    Update,
    Merge,
    Apply,
    Delete,
}

impl Asked {
    pub async fn read(request: Request<Body>) -> Self {
        let (head, body) = request.into_parts();
        let bytes = body.collect_bytes().await.unwrap();
        let kind = head.headers.get(CONTENT_TYPE).map(|it| it.to_str().unwrap().to_owned());
        let verb = match head.method {
            Method::GET => Verb::Get,
            Method::POST => Verb::Create,
            Method::PUT => Verb::Update,
            Method::DELETE => Verb::Delete,
            _ if kind.as_deref() == Some("application/apply-patch+yaml") => Verb::Apply,
            _ => Verb::Merge,
        };
        let query = head.uri.query().unwrap_or_default();
        let manager = query.split('&').find_map(|it| it.strip_prefix("fieldManager="));
        let mut parts = head.uri.path().trim_matches('/').split('/').skip_while(|it| {
            // "api/v1" and "apis/<group>/<version>" say nothing that the plural does not.
            *it == "api"
                || *it == "apis"
                || it.contains('.')
                || is_version(it)
                || *it == "apps"
                || *it == "batch"
                || *it == "policy"
        });
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let first = next();
        let (namespace, plural) =
            if first == "namespaces" { (next(), next()) } else { (String::new(), first) };
        Self {
            verb,
            plural,
            namespace,
            name: next(),
            subresource: next(),
            manager: manager.unwrap_or("unknown").to_owned(),
            query: query.to_owned(),
            body: serde_json::from_slice(&bytes).unwrap_or(json!({})),
        }
    }

    pub fn is_write(&self) -> bool {
        self.verb != Verb::Get
    }

    /// The request in a few words: `create secrets/dev-admin`, `update convexinstances/dev/status`.
    pub fn words(&self) -> String {
        let verb = format!("{:?}", self.verb).to_lowercase();
        let named = self.body["metadata"]["name"].as_str().unwrap_or_default();
        let name = if self.name.is_empty() { named } else { &self.name };
        match (self.plural.as_str(), self.subresource.as_str()) {
            ("events", _) => {
                format!("{verb} event {}", self.body["reason"].as_str().unwrap_or("?"))
            }
            (plural, "") => format!("{verb} {plural}/{name}"),
            (plural, below) => format!("{verb} {plural}/{name}/{below}"),
        }
    }
}

fn is_version(part: &str) -> bool {
    part.starts_with('v') && part[1..].starts_with(|c: char| c.is_ascii_digit())
}
