//! The API server's audit log, typed: who asked for what, and what came of it.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
};

use anyhow::{Context, Result};
use serde::Deserialize;

/// The annotation by which the API server says what authorization decided.
const DECISION: &str = "authorization.k8s.io/decision";

/// One answered request. Fields as in `audit.k8s.io/v1`, flattened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Who asked.
    pub user: String,
    /// With which program.
    pub user_agent: String,
    /// get, list, watch, create, update, patch, delete, deletecollection.
    pub verb: String,
    /// The API group of the resource; empty for the core group.
    pub group: String,
    /// Plural name of the resource; empty for paths like /readyz.
    pub resource: String,
    /// status, scale and the like; empty for the object itself.
    pub subresource: String,
    /// Namespace of the object, or empty.
    pub namespace: String,
    /// Name of the object; empty for lists and for creations.
    pub name: String,
    /// HTTP status of the answer.
    pub code: u16,
    /// `ResponseStarted` (watches) or `ResponseComplete`.
    pub stage: String,
    /// The path and query that were asked for.
    pub uri: String,
    /// When it was answered (RFC 3339, microseconds).
    pub time: String,
    /// Whether a role was missing for it. Code 403 is also what admission answers, as in a namespace that is going away.
    pub is_beyond_role: bool,
}

impl Entry {
    /// Whether it changed or tried to change anything.
    #[must_use]
    pub fn is_write(&self) -> bool {
        ["create", "update", "patch", "delete", "deletecollection"].contains(&self.verb.as_str())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    stage: String,
    #[serde(rename = "requestURI")]
    request_uri: String,
    verb: String,
    user: User,
    #[serde(default)]
    user_agent: String,
    #[serde(default)]
    object_ref: Option<Object>,
    #[serde(default)]
    response_status: Option<Status>,
    stage_timestamp: String,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Object {
    api_group: String,
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    code: u16,
}

impl From<Raw> for Entry {
    fn from(raw: Raw) -> Self {
        let object = raw.object_ref.unwrap_or_default();
        Self {
            user: raw.user.username,
            user_agent: raw.user_agent,
            verb: raw.verb,
            group: object.api_group,
            resource: object.resource,
            subresource: object.subresource,
            namespace: object.namespace,
            name: object.name,
            code: raw.response_status.map_or(0, |status| status.code),
            stage: raw.stage,
            uri: raw.request_uri,
            time: raw.stage_timestamp,
            is_beyond_role: raw.annotations.get(DECISION).is_some_and(|it| it == "forbid"),
        }
    }
}

/// How long a log is now: where [`since`] is to begin later.
///
/// # Errors
/// The log cannot be read.
pub fn mark(log: &Path) -> Result<u64> {
    Ok(log.metadata().with_context(|| format!("reading {}", log.display()))?.len())
}

/// What was logged after a mark; 0 means from the start.
///
/// # Errors
/// The log cannot be read, or holds something else.
pub fn since(log: &Path, mark: u64) -> Result<Vec<Entry>> {
    matching(log, mark, &[])
}

/// What was logged after a mark on lines that hold all of these; it reads a long log in a fraction of the time.
///
/// # Errors
/// The log cannot be read, or holds something else.
pub fn matching(log: &Path, mark: u64, needles: &[&str]) -> Result<Vec<Entry>> {
    let mut file = File::open(log).with_context(|| format!("reading {}", log.display()))?;
    file.seek(SeekFrom::Start(mark))?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    parse(&String::from_utf8(text).context("an audit log is UTF-8")?, needles)
}

fn parse(text: &str, needles: &[&str]) -> Result<Vec<Entry>> {
    // The API server may be in the middle of its last line.
    text.split_inclusive('\n')
        .filter(|line| line.ends_with('\n') && needles.iter().all(|it| line.contains(it)))
        .map(|line| {
            let raw: Raw = serde_json::from_str(line)
                .with_context(|| format!("not an audit event: {}", line.trim_end()))?;
            Ok(raw.into())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"1","stage":"ResponseComplete","requestURI":"/apis/convex.icod.de/v1alpha1/namespaces/apps/convexinstances/demo/status","verb":"patch","user":{"username":"system:serviceaccount:convex-system:convex-operator"},"userAgent":"kube","objectRef":{"resource":"convexinstances","namespace":"apps","name":"demo","apiGroup":"convex.icod.de","apiVersion":"v1alpha1","subresource":"status"},"responseStatus":{"metadata":{},"code":200},"requestReceivedTimestamp":"2026-01-01T00:00:00.000000Z","stageTimestamp":"2026-01-01T00:00:00.000001Z"}
"#;

    #[test]
    fn a_write_is_read_with_all_that_counts() {
        let read = parse(PATCH, &[]).unwrap();
        assert_eq!(read.len(), 1);
        let entry = &read[0];
        assert_eq!(entry.user, crate::operator::USER);
        assert_eq!(
            (entry.resource.as_str(), entry.subresource.as_str()),
            ("convexinstances", "status")
        );
        assert_eq!(
            (entry.namespace.as_str(), entry.name.as_str(), entry.code),
            ("apps", "demo", 200)
        );
        assert!(entry.is_write());
    }

    #[test]
    fn a_request_for_no_object_has_no_resource() {
        let line = r#"{"stage":"ResponseComplete","requestURI":"/readyz","verb":"get","user":{"username":"admin"},"stageTimestamp":"t"}"#;
        let read = parse(&format!("{line}\n"), &[]).unwrap();
        assert_eq!((read[0].resource.as_str(), read[0].code), ("", 0));
        assert!(!read[0].is_write());
    }

    #[test]
    fn a_line_under_way_is_left_for_the_next_reading() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("audit.log");
        std::fs::write(&log, PATCH).unwrap();
        let mark = mark(&log).unwrap();
        std::fs::write(&log, format!("{PATCH}{PATCH}{}", &PATCH[..80])).unwrap();
        assert_eq!(since(&log, mark).unwrap().len(), 1);
        assert_eq!(since(&log, 0).unwrap().len(), 2);
    }
}
