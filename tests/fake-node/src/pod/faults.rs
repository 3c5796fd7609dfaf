//! Faults on demand.
//!
//! By annotation on a pod (any value but `false`):
//!
//! | annotation | effect |
//! |---|---|
//! | `fake-node/never-ready` | the pod is never reported ready, whatever its probes say |
//! | `fake-node/hang-on-termination` | nothing is stopped: the pod stays Terminating and its processes run, until the annotation goes |
//! | `fake-node/evict` | the containers are killed and the pod fails with reason `Evicted`; the value is the message |
//! | `fake-node/oom-kill` | the containers are killed and end with 137 and reason `OOMKilled`; for pods that start none again |
//! | `fake-node/speechless` | containers leave no termination message |
//! | `fake-node/babbles` | containers leave a termination message that means nothing |
//! | `fake-node/unmounted` | its volumes take their time: no container starts, until the annotation goes |
//!
//! Or by the file `faults.json` in the state folder, read again within a fifth of a second after each change:
//!
//! ```json
//! { "lost": true, "pods": { "shop/acme-backend-0": ["never-ready", "hang-on-termination", "evict"] } }
//! ```
//!
//! A `*` in a name stands for anything: pods of Jobs are called as nobody can know before. `lost` cuts the node off from the API server ([`crate::link`]). A hang that the file asks for outlives the pod's object:
//! after a forced deletion the processes are still there, which is what makes a forced deletion dangerous.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use serde::Deserialize;
use tokio::sync::watch;

/// What the file asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Faults {
    /// The node is cut off.
    pub lost: bool,
    /// Faults of pods, by namespace and name.
    pods: HashMap<String, Vec<Fault>>,
}

/// What can go wrong with a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Never reported ready.
    NeverReady,
    /// Nothing is stopped.
    HangOnTermination,
    /// Thrown out.
    Evict,
    /// Killed for its memory.
    OomKill,
    /// No termination message.
    Speechless,
    /// A termination message that means nothing.
    Babbles,
    /// Volumes that are not mounted.
    Unmounted,
}

impl Fault {
    const fn annotation(self) -> &'static str {
        match self {
            Self::NeverReady => "fake-node/never-ready",
            Self::HangOnTermination => "fake-node/hang-on-termination",
            Self::Evict => "fake-node/evict",
            Self::OomKill => "fake-node/oom-kill",
            Self::Speechless => "fake-node/speechless",
            Self::Babbles => "fake-node/babbles",
            Self::Unmounted => "fake-node/unmounted",
        }
    }
}

impl Faults {
    /// Whether the file asks for `fault` of `pod`.
    #[must_use]
    pub fn file_asks(&self, pod: &Pod, fault: Fault) -> bool {
        let name = format!("{}/{}", pod.namespace().unwrap_or_default(), pod.name_any());
        self.pods.iter().any(|(of, faults)| fits(of, &name) && faults.contains(&fault))
    }

    /// Whether the file or an annotation asks for `fault` of `pod`.
    #[must_use]
    pub fn ask(&self, pod: &Pod, fault: Fault) -> bool {
        annotated(pod, fault).is_some() || self.file_asks(pod, fault)
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|left| {
            left.char_indices().any(|(at, _)| fits(rest, &left[at..])) || rest.is_empty()
        }),
    }
}

/// The value of the annotation that asks for `fault`.
#[must_use]
pub fn annotated(pod: &Pod, fault: Fault) -> Option<&str> {
    let value = pod.annotations().get(fault.annotation())?;
    (value != "false").then_some(value)
}

/// Waits until nobody asks for `fault` of a pod any more.
pub async fn spared(
    mut pod: watch::Receiver<Arc<Pod>>,
    mut faults: watch::Receiver<Faults>,
    fault: Fault,
) {
    while faults.borrow_and_update().ask(&pod.borrow_and_update(), fault) {
        tokio::select! {
            Ok(()) = pod.changed() => (),
            Ok(()) = faults.changed() => (),
            else => std::future::pending().await,
        }
    }
}

/// Reads the file whenever it has changed, for as long as somebody listens.
pub async fn follow(file: PathBuf, faults: watch::Sender<Faults>) {
    while !faults.is_closed() {
        match read(&file) {
            Ok(found) => {
                faults.send_if_modified(|now| {
                    let changed = *now != found;
                    *now = found;
                    changed
                });
            }
            // Somebody may be writing it just now; a lasting mistake is worth a line each time.
            Err(error) => tracing::warn!(%error, file = %file.display(), "faults cannot be read"),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn read(file: &Path) -> std::io::Result<Faults> {
    match std::fs::read(file) {
        Ok(text) => Ok(serde_json::from_slice(&text)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Faults::default()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(annotations: &serde_json::Value) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "db-0", "namespace": "shop", "annotations": annotations}
        }))
        .unwrap()
    }

    #[test]
    fn the_file_asks_for_pods_by_name() {
        let faults: Faults =
            serde_json::from_value(json!({"pods": {"shop/db-0": ["never-ready"]}})).unwrap();
        assert!(faults.ask(&pod(&json!({})), Fault::NeverReady));
        assert!(!faults.ask(&pod(&json!({})), Fault::Evict));
    }

    #[test]
    fn a_star_stands_for_anything() {
        for fitting in ["shop/db-0", "shop/*", "*-0", "s*/db-*", "shop/db-0*"] {
            assert!(fits(fitting, "shop/db-0"), "{fitting}");
        }
        for other in ["shop/db", "shop/*-1", "*-1*", "", "shop/db-0-*"] {
            assert!(!fits(other, "shop/db-0"), "{other}");
        }
    }

    #[test]
    fn an_annotation_asks_unless_it_says_false() {
        let asked = pod(&json!({"fake-node/evict": "out", "fake-node/never-ready": "false"}));
        assert_eq!(annotated(&asked, Fault::Evict), Some("out"));
        assert!(!Faults::default().ask(&asked, Fault::NeverReady));
    }

    #[tokio::test]
    async fn a_pod_waits_until_file_and_annotations_spare_it() {
        let asked = Arc::new(pod(&json!({"fake-node/unmounted": "true"})));
        let by_file =
            serde_json::from_value(json!({"pods": {"shop/db-0": ["unmounted"]}})).unwrap();
        let ((annotations, pods), (file, faults)) =
            (watch::channel(asked), watch::channel::<Faults>(by_file));
        let mut waits = tokio::spawn(spared(pods, faults, Fault::Unmounted));
        file.send(Faults::default()).unwrap();
        let early = tokio::time::timeout(Duration::from_millis(50), &mut waits).await;
        assert!(early.is_err(), "the annotation is still there");
        annotations.send(Arc::new(pod(&json!({})))).unwrap();
        waits.await.unwrap();
    }

    #[test]
    fn a_missing_file_asks_for_nothing_and_an_unknown_fault_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("faults.json");
        assert_eq!(read(&file).unwrap(), Faults::default());
        std::fs::write(&file, r#"{"lots": true}"#).unwrap();
        assert!(read(&file).is_err());
    }
}
