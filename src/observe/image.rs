//! Which bytes the name of an image stood for, as the nodes tell that ran it.

use k8s_openapi::api::core::v1::Pod;
use statemachine::pins::Upgrade;

use super::{Children, backend::of_pod, jobs};
use crate::plan::{backend::CONTAINER, names::Errand};

/// The image that the one backend pod runs, by digest where the node told it.
#[must_use]
pub fn running(children: &Children) -> Option<String> {
    let [pod] = &children.pods[..] else { return None };
    let told = told(pod, CONTAINER)?;
    Some(if told.contains("@sha256:") { told.to_owned() } else { of_pod(pod).release.image })
}

/// The digest of the target's image, `sha256:` and 64 digits: that of the pod that proved it, or of the backend's own where
/// nothing had to be proven.
#[must_use]
pub fn of_target(children: &Children, upgrade: &Upgrade) -> Option<String> {
    let attempt = upgrade.next_snapshot();
    let proves =
        |pod: &Pod| jobs::task(pod).is_some_and(|it| it == (Errand::Proof, attempt.clone()));
    let proof = children.workers.iter().filter(|pod| proves(pod));
    let backend = children.pods.iter().filter(|pod| of_pod(pod).release == upgrade.to.release);
    let proof = proof.filter_map(|pod| told(pod, Errand::Proof.name()));
    let mut all = proof.chain(backend.filter_map(|pod| told(pod, CONTAINER)));
    all.find_map(digest).map(str::to_owned)
}

/// What is said of an image whose name has come to stand for something else; none where it has not.
#[must_use]
pub fn moved(before: &str, now: &str) -> Option<String> {
    let (one, other) = (before.split_once('@')?, now.split_once('@')?);
    (one.0 == other.0 && one.1 != other.1).then(|| {
        format!(
            "the image is another one than before under the same name: {}, and was {}. Where nobody may move a tag, name the image by digest in spec.backend.image",
            now, one.1
        )
    })
}

/// The digest of an image as a node names it: `repository@sha256:…`. Kubelets name an image that was never pulled by what is
/// known only on their own node (`containerStatuses[].imageID` of the Kubernetes API), which is none.
#[must_use]
pub fn digest(image: &str) -> Option<&str> {
    image.rsplit_once('@').map(|(_, digest)| digest).filter(|it| it.starts_with("sha256:"))
}

fn told<'a>(pod: &'a Pod, container: &str) -> Option<&'a str> {
    let statuses = pod.status.as_ref()?.container_statuses.as_ref()?;
    let ours = statuses.iter().find(|it| it.name == container)?;
    Some(&ours.image_id)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use statemachine::{
        Stage,
        pins::{Backend, Direction, Release, Revision, Strategy, WayBack},
    };

    use super::*;
    use crate::fixtures::{PodWords, pod};

    const ONE: &str = "example.com/backend@sha256:0123";

    fn backend() -> Pod {
        pod("dev-backend-0").of("v1").ready()
    }

    fn with(pods: impl IntoIterator<Item = Pod>) -> Children {
        Children { pods: pods.into_iter().map(Arc::new).collect(), ..Children::default() }
    }

    #[test]
    fn the_image_is_told_by_digest_where_the_node_knows_it() {
        let of = |pod: Pod| running(&with([pod]));
        assert_eq!(of(backend().running_image(ONE)).as_deref(), Some(ONE));
        assert_eq!(of(backend().running_image("0123")).as_deref(), Some("example.com/backend:v1"));
        assert_eq!(running(&Children::default()), None);
    }

    fn upgrade_to(release: Release) -> Upgrade {
        Upgrade {
            id: Revision("71".to_owned()),
            from: Backend::default(),
            to: Backend { release, ..Backend::default() },
            strategy: Strategy::InPlace(WayBack::Copy),
            stage: Stage::Exporting,
            direction: Direction::Forward,
            attempt: 1,
            snapshot: None,
            copy: None,
            target_started: false,
            retry: String::new(),
        }
    }

    #[test]
    fn the_targets_digest_is_that_of_its_proof_before_its_own_pod_runs() {
        let upgrade = upgrade_to(of_pod(&backend()).release);
        let proof = |attempt: &str| {
            let mut proof = pod("dev-proof").running_image("example.com/backend@sha256:4567");
            proof.metadata.annotations = Some(
                [(crate::plan::labels::ERRAND, "proof"), (crate::plan::labels::ATTEMPT, attempt)]
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .into(),
            );
            let of = &mut proof.status.as_mut().unwrap().container_statuses.as_mut().unwrap()[0];
            "proof".clone_into(&mut of.name);
            Arc::new(proof)
        };
        let seen = |attempt: &str| {
            let children = with([backend().running_image(ONE)]);
            of_target(&Children { workers: vec![proof(attempt)], ..children }, &upgrade)
        };
        assert_eq!(seen("71-1").as_deref(), Some("sha256:4567"));
        assert_eq!(seen("70-1").as_deref(), Some("sha256:0123"), "another upgrade's proof");
        let old = upgrade_to(Release { version: "v2".to_owned(), ..Release::default() });
        assert_eq!(of_target(&with([backend().running_image(ONE)]), &old), None, "not the target");
    }

    #[test]
    fn a_name_has_moved_where_its_digest_is_another_one() {
        let words = moved(ONE, "example.com/backend@sha256:4567").unwrap();
        assert!(words.contains("sha256:0123") && words.contains("sha256:4567"), "{words}");
        assert_eq!(moved(ONE, ONE), None);
        assert_eq!(moved(ONE, "example.com/other@sha256:4567"), None, "another image is no news");
        assert_eq!(moved("example.com/backend:v1", ONE), None, "nobody knew what it was");
    }

    #[test]
    fn what_only_one_node_knows_is_no_digest() {
        assert_eq!(digest("example.com/backend@sha256:01"), Some("sha256:01"));
        assert_eq!(digest("sha256:0123"), None);
        assert_eq!(digest(""), None);
    }
}
