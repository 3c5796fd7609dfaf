//! What the spec says of the pods of a part, laid over what is built: the same for backend and dashboard, and where it matters
//! for the Jobs that stand in for the backend.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, Container, PodSpec, Volume, VolumeMount};

use super::{
    Inputs,
    labels::{self, Part},
};
use crate::api::{ConvexInstance, ExtraMount, ExtraVolume, Pod, ServiceAccount};

/// What the spec says of the pods of a part; of workers it says what it says of the backend.
#[must_use]
pub fn of(instance: &ConvexInstance, part: Part) -> Option<&Pod> {
    match part {
        Part::Backend | Part::Worker => instance.spec.backend.pod.as_ref(),
        Part::Dashboard => instance.spec.dashboard.pod.as_ref(),
    }
}

/// Labels of the pods of a part: what the operator finds them by is its own.
#[must_use]
pub fn labels(instance: &ConvexInstance, part: Part) -> BTreeMap<String, String> {
    let mut all = of(instance, part).map(|it| it.labels.clone()).unwrap_or_default();
    all.extend(labels::labels(instance, part));
    all
}

/// Annotations of the pods of a part, beside these.
#[must_use]
pub fn annotations(
    instance: &ConvexInstance,
    part: Part,
    own: impl IntoIterator<Item = (String, String)>,
) -> Option<BTreeMap<String, String>> {
    let mut all = of(instance, part).map(|it| it.annotations.clone()).unwrap_or_default();
    all.extend(own);
    (!all.is_empty()).then_some(all)
}

/// A pod of a part as the spec wants it.
#[must_use]
pub fn with(inputs: &Inputs<'_>, part: Part, pod: PodSpec) -> PodSpec {
    let Some(of) = of(inputs.instance, part) else { return pod };
    let mut pod = scheduled(of, pod);
    pod.affinity.clone_from(&of.affinity);
    pod.topology_spread_constraints = some(&of.topology_spread_constraints);
    let account = account(inputs, part);
    // The API server copies the one to the other, and where only one is taken away the other one brings it back.
    pod.service_account.clone_from(&account);
    pod.service_account_name = account;
    pod.volumes.get_or_insert_default().extend(of.volumes.iter().map(volume));
    if let Some(container) = pod.containers.first_mut() {
        mount(container, &of.volume_mounts);
    }
    pod
}

/// A pod of a Job where the backend may run: what it mounts or proves is there. Other pods are no matter to it: the backend
/// itself may be what its own pods avoid.
#[must_use]
pub fn beside(inputs: &Inputs<'_>, pod: PodSpec) -> PodSpec {
    let Some(of) = of(inputs.instance, Part::Worker) else { return pod };
    let mut pod = scheduled(of, pod);
    let nodes = of.affinity.as_ref().and_then(|it| it.node_affinity.clone());
    if nodes.is_some() {
        pod.affinity = Some(Affinity { node_affinity: nodes, ..pod.affinity.unwrap_or_default() });
    }
    pod
}

/// The volumes of the backend's pod that these are places of.
#[must_use]
pub fn volumes(instance: &ConvexInstance, places: &[VolumeMount]) -> Vec<Volume> {
    let all = of(instance, Part::Backend).into_iter().flat_map(|it| &it.volumes);
    all.filter(|it| places.iter().any(|place| place.name == it.name)).map(volume).collect()
}

/// The service account of the pods of a part; none where it is the namespace's own.
#[must_use]
pub fn account(inputs: &Inputs<'_>, part: Part) -> Option<String> {
    let account = of(inputs.instance, part)?.service_account.as_ref()?;
    let made = || account.is_made().then(|| inputs.names.of_part(part));
    account.name.clone().or_else(made)
}

/// Where it runs, with which images and how important it is.
fn scheduled(of: &Pod, pod: PodSpec) -> PodSpec {
    PodSpec {
        image_pull_secrets: some(&of.image_pull_secrets),
        node_selector: (!of.node_selector.is_empty()).then(|| of.node_selector.clone()),
        tolerations: some(&of.tolerations),
        priority_class_name: of.priority_class_name.clone(),
        ..pod
    }
}

fn some<T: Clone>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.to_vec())
}

fn mount(container: &mut Container, mounts: &[ExtraMount]) {
    let mounts = mounts.iter().map(|it| VolumeMount {
        name: it.name.clone(),
        mount_path: it.mount_path.clone(),
        sub_path: it.sub_path.clone(),
        read_only: it.read_only,
        ..VolumeMount::default()
    });
    container.volume_mounts.get_or_insert_default().extend(mounts);
}

/// A token of a service account is refused at admission, and where an older definition let it in it is left out.
fn volume(of: &ExtraVolume) -> Volume {
    let mut projected = of.projected.clone();
    for source in projected.iter_mut().flat_map(|it| it.sources.iter_mut().flatten()) {
        source.service_account_token = None;
    }
    Volume {
        name: of.name.clone(),
        config_map: of.config_map.clone(),
        secret: of.secret.clone(),
        empty_dir: of.empty_dir.clone(),
        persistent_volume_claim: of.persistent_volume_claim.clone(),
        projected,
        csi: of.csi.clone(),
        ..Volume::default()
    }
}

/// The account that the operator makes for the pods of a part, where the spec asks for one.
#[must_use]
pub fn made_account(instance: &ConvexInstance, part: Part) -> Option<&ServiceAccount> {
    of(instance, part)?.service_account.as_ref().filter(|it| it.is_made())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures::{built_for, instance_with};

    /// The definition refuses them; an object that an older definition let in is no reason to lose sight of a pod.
    #[test]
    fn nobody_takes_a_label_or_an_annotation_of_the_operators_from_a_pod() {
        let instance = instance_with(|spec| {
            let labels = json!({"app.kubernetes.io/component": "web", "team": "shop"});
            spec["backend"]["pod"] =
                json!({"labels": labels, "annotations": {"convex.icod.de/version": "v9"}});
        });
        let all = labels(&instance, Part::Backend);
        assert_eq!((all[labels::COMPONENT].as_str(), all["team"].as_str()), ("backend", "shop"));
        let own = [(labels::VERSION.to_owned(), "v1".to_owned())];
        let all = annotations(&instance, Part::Backend, own).unwrap();
        assert_eq!(all[labels::VERSION], "v1");
        assert_eq!(annotations(&instance, Part::Dashboard, []), None);
    }

    /// Admission refuses it; an object that an older definition let in still gets none.
    #[test]
    fn no_volume_brings_a_token_of_a_service_account() {
        let token = json!({"serviceAccountToken": {"path": "token", "audience": "vault"}});
        let sources = json!([token, {"configMap": {"name": "app"}}]);
        let volume = json!({"name": "all", "projected": {"sources": sources}});
        let instance = instance_with(|spec| spec["backend"]["pod"] = json!({"volumes": [volume]}));
        let pod = built_for(&instance, |it| with(it, Part::Backend, PodSpec::default()));
        let volumes = serde_json::to_value(pod.volumes).unwrap();
        assert_eq!(
            volumes,
            json!([{"name": "all", "projected": {"sources": [{}, {"configMap": {"name": "app"}}]}}])
        );
    }

    #[test]
    fn a_part_has_the_account_that_is_named_or_made_for_it_or_else_none() {
        let account = |account: serde_json::Value| {
            let instance = instance_with(|spec| {
                spec["backend"]["pod"] = json!({"serviceAccount": account});
            });
            built_for(&instance, |it| super::account(it, Part::Backend))
        };
        assert_eq!(account(json!({"name": "web"})).as_deref(), Some("web"));
        assert_eq!(account(json!({"annotations": {"a": "b"}})).as_deref(), Some("dev-backend"));
        assert_eq!(account(json!({})), None);
    }
}
