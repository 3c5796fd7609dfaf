//! Why the backend does not serve, as its pod and its claim tell.

use k8s_openapi::{
    api::{
        core::v1::{ContainerState, ContainerStatus, PersistentVolumeClaim, Pod},
        storage::v1::StorageClass,
    },
    jiff::Timestamp,
};
use kube::{Api, ResourceExt, api::ListParams};

use super::{Children, Obstacle, backend::is_outdated};
use crate::context::Context;

/// What keeps the backend from serving; none where nothing is known to.
pub(super) async fn of(ctx: &Context, children: &Children) -> Option<Obstacle> {
    let set = children.stateful_set.as_deref();
    let outdated = children.pods.first().filter(|pod| is_outdated(pod, set)).map(|pod| {
        let name = pod.name_any();
        Obstacle::passing(
            "RollingOut",
            format!("pod {name} is being replaced to take a changed setting up"),
        )
    });
    let pod = children.pods.first().map(|pod| of_pod(pod).or(outdated));
    let claim = children.claim.as_deref().filter(|claim| is_pending(claim));
    let waits_for_claim = pod.as_ref().is_none_or(|it| it.as_ref().is_some_and(is_about_a_node));
    if let (Some(claim), true) = (claim, waits_for_claim) {
        return Some(of_claim(ctx, claim).await);
    }
    pod.flatten()
}

/// How long the scheduler may look for a node before that is worth a word: it tries again by itself when
/// a volume was just made.
const SCHEDULING: i64 = 10;

fn has_lasted(since: Timestamp, seconds: i64) -> bool {
    Timestamp::now().duration_since(since).as_secs() >= seconds
}

fn is_about_a_node(obstacle: &Obstacle) -> bool {
    matches!(obstacle.reason, "Scheduling" | "Unschedulable")
}

/// What a pod of the backend tells.
pub(crate) fn of_pod(pod: &Pod) -> Option<Obstacle> {
    let name = pod.name_any();
    if let Some(since) = &pod.metadata.deletion_timestamp {
        return Some(terminating(&name, since.0, Timestamp::now()));
    }
    let status = pod.status.as_ref()?;
    let conditions = status.conditions.iter().flatten();
    if let Some(scheduled) =
        conditions.clone().find(|it| it.type_ == "PodScheduled" && it.status == "False")
    {
        let why = scheduled.message.clone().unwrap_or_default();
        let since = scheduled.last_transition_time.as_ref().map(|it| it.0);
        if since.is_some_and(|it| !has_lasted(it, SCHEDULING)) {
            return Some(Obstacle::passing(
                "Scheduling",
                format!("pod {name} looks for a node: {why}"),
            ));
        }
        return Some(Obstacle::new("Unschedulable", format!("pod {name} fits on no node: {why}")));
    }
    let inits = status.init_container_statuses.iter().flatten();
    let containers = inits.chain(status.container_statuses.iter().flatten());
    let trouble = containers.clone().find_map(|it| of_container(&name, it));
    let ready = conditions.clone().any(|it| it.type_ == "Ready" && it.status == "True");
    trouble.or_else(|| {
        let starting = || {
            Obstacle::passing(
                "BackendStarting",
                format!("pod {name} starts and does not answer yet"),
            )
        };
        (!ready).then(starting)
    })
}

/// A pod that has had its time and is still there is on a node that does not answer.
fn terminating(name: &str, until: Timestamp, now: Timestamp) -> Obstacle {
    if now.duration_since(until).as_secs() < 60 {
        return Obstacle::passing("PodTerminating", format!("pod {name} is being stopped"));
    }
    Obstacle::new(
        "PodStuck",
        format!(
            "pod {name} should have ended and is still there: its node may be lost. It may still write, so nothing else is started. If the node is surely off: kubectl delete pod {name} --force --grace-period=0"
        ),
    )
}

fn of_container(pod: &str, container: &ContainerStatus) -> Option<Obstacle> {
    let of = &container.name;
    let image = &container.image;
    let waiting = container.state.as_ref().and_then(|it| it.waiting.as_ref());
    let reason = waiting.and_then(|it| it.reason.as_deref()).unwrap_or_default();
    let message = waiting.and_then(|it| it.message.as_deref()).unwrap_or_default();
    match reason {
        "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull"
        | "ErrImageInspect" => Some(Obstacle::new(
            "ImagePullFailed",
            format!(
                "image {image} cannot be pulled: {message}. Check spec.version, spec.backend.image and the registry."
            ),
        )),
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
            Some(Obstacle::new(
                "ContainerConfigError",
                format!("container {of} of pod {pod} cannot be created: {message}"),
            ))
        }
        "ContainerCreating" | "PodInitializing"
            if container.last_state.as_ref().is_none_or(is_blank) =>
        {
            Some(Obstacle::passing(
                "PodCreating",
                format!("pod {pod} is being created; image {image} may be being pulled"),
            ))
        }
        _ => crashed(container),
    }
}

fn is_blank(state: &ContainerState) -> bool {
    state.terminated.is_none()
}

/// The last lines of a crashed container are in its status (terminationMessagePolicy
/// `FallbackToLogsOnError`); the last that says something is the cause.
fn crashed(container: &ContainerStatus) -> Option<Obstacle> {
    let state = container.state.as_ref();
    let running = state.is_some_and(|it| it.running.is_some());
    let now = state.and_then(|it| it.terminated.as_ref());
    let last = container.last_state.as_ref().and_then(|it| it.terminated.as_ref());
    let ended = now.or(last)?;
    if (running && container.ready) || ended.exit_code == 0 {
        return None;
    }
    let lines = ended.message.as_deref().unwrap_or_default().lines();
    let cause = lines.map(str::trim).rfind(|line| !line.is_empty());
    let cause =
        cause.map(|line| format!(": \"{}\"", without_credentials(line))).unwrap_or_default();
    Some(Obstacle::new(
        "BackendCrashing",
        format!(
            "container {} exits with code {}, {} restarts{cause}",
            container.name, ended.exit_code, container.restart_count
        ),
    ))
}

/// Takes what stands between `://` and `@` out of a line, and long runs of hexadecimal digits.
fn without_credentials(line: &str) -> String {
    line.split(' ').map(word_without_credentials).collect::<Vec<_>>().join(" ")
}

fn word_without_credentials(word: &str) -> String {
    if let (Some(scheme), Some(at)) = (word.find("://"), word.rfind('@'))
        && scheme < at
    {
        return format!("{}://<redacted>{}", &word[..scheme], &word[at..]);
    }
    let hex = word.trim_matches(|c: char| !c.is_ascii_hexdigit());
    if hex.len() >= 48 && hex.chars().all(|c| c.is_ascii_hexdigit()) {
        return word.replace(hex, "<redacted>");
    }
    word.to_owned()
}

fn is_pending(claim: &PersistentVolumeClaim) -> bool {
    claim.status.as_ref().and_then(|it| it.phase.as_deref()).is_none_or(|phase| phase == "Pending")
}

async fn of_claim(ctx: &Context, claim: &PersistentVolumeClaim) -> Obstacle {
    let name = claim.name_any();
    let wanted = claim.spec.as_ref().and_then(|it| it.storage_class_name.clone());
    let classes: Api<StorageClass> = Api::all(ctx.client.clone());
    let Ok(classes) = classes.list_metadata(&ListParams::default()).await else {
        return Obstacle::passing(
            "VolumePending",
            format!("claim \"{name}\" waits for its volume"),
        );
    };
    let existing: Vec<_> = classes.items.iter().map(ResourceExt::name_any).collect();
    let listed = if existing.is_empty() { "none".to_owned() } else { existing.join(", ") };
    match wanted {
        Some(wanted) if !existing.contains(&wanted) => Obstacle::new(
            "VolumePending",
            format!(
                "claim \"{name}\" is Pending: no StorageClass \"{wanted}\". Existing classes: {listed}."
            ),
        ),
        None => Obstacle::new(
            "VolumePending",
            format!(
                "claim \"{name}\" is Pending: it names no StorageClass and the cluster has no default one. Existing classes: {listed}."
            ),
        ),
        Some(class) => Obstacle::passing(
            "VolumePending",
            format!("claim \"{name}\" waits for its volume of StorageClass \"{class}\""),
        ),
    }
}
