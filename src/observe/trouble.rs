//! Why the backend does not serve, as its pod and its claim tell.

mod claim;
mod redacted;

use k8s_openapi::{
    api::core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus, Pod},
    jiff::Timestamp,
};
use kube::ResourceExt;

pub(in crate::observe) use self::redacted::redacted;
use super::{Children, Obstacle, outside::Hidden};
use crate::context::Context;

/// The container of a dashboard's pod; every other one is the backend's.
const DASHBOARD: &str = "dashboard";

/// What keeps the backend from serving; none where nothing is known to.
pub(super) async fn of(ctx: &Context, children: &Children, hidden: &Hidden) -> Option<Obstacle> {
    if let Some(pod) = children.unreached.first() {
        return Some(astray(pod));
    }
    let pod = children.pods.first().map(|pod| hiding(pod, hidden));
    let claim = children.claim().filter(|claim| claim::is_pending(claim));
    match (claim, pod) {
        // Most claims wait for their first pod: then what is amiss is that there is none.
        (Some(claim), None) => Some(claim::of(ctx, claim).await).filter(|it| it.abnormal),
        (Some(claim), Some(Some(pod))) if waits_for_a_volume(&pod) => {
            Some(claim::of(ctx, claim).await)
        }
        (_, pod) => pod.flatten(),
    }
}

/// Nobody but a person takes labels from a pod, and the `StatefulSet` does not give them back.
fn astray(pod: &str) -> Obstacle {
    Obstacle::new(
        "PodAstray",
        format!(
            "pod {pod} has lost labels that it was made with: the Service does not lead to it. Have it made anew: kubectl delete pod {pod}"
        ),
    )
}

/// How long the scheduler may look for a node before that is worth a word: it tries again by itself when
/// a volume was just made.
const SCHEDULING: i64 = 10;

fn has_lasted(since: Timestamp, seconds: i64) -> bool {
    Timestamp::now().duration_since(since).as_secs() >= seconds
}

/// A claim may be pending because it waits for its first pod, and the pod for something else: only the
/// scheduler knows which of the two is meant.
fn waits_for_a_volume(obstacle: &Obstacle) -> bool {
    let about_a_node = matches!(obstacle.reason, "Scheduling" | "Unschedulable");
    about_a_node && obstacle.message.to_ascii_lowercase().contains("volume")
}

/// What a pod tells that reads nothing of servers outside.
pub(crate) fn of_pod(pod: &Pod) -> Option<Obstacle> {
    hiding(pod, &Hidden::default())
}

/// What a pod tells, without what nobody is told.
fn hiding(pod: &Pod, hidden: &Hidden) -> Option<Obstacle> {
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
    let trouble = containers.clone().find_map(|it| of_container(&name, it, hidden));
    let ready = conditions.clone().any(|it| it.type_ == "Ready" && it.status == "True");
    trouble.or_else(|| {
        let started = containers.clone().any(|it| it.started == Some(true));
        (!ready).then(|| silent(&name, started))
    })
}

/// Its containers run, and it is not ready.
fn silent(name: &str, started: bool) -> Obstacle {
    let said = if started {
        format!("pod {name} has started and does not answer any longer, or not yet as it should")
    } else {
        format!("pod {name} starts and does not answer yet")
    };
    Obstacle::passing(if started { "BackendSilent" } else { "BackendStarting" }, said)
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

fn of_container(pod: &str, container: &ContainerStatus, hidden: &Hidden) -> Option<Obstacle> {
    let of = &container.name;
    let part = if of == DASHBOARD { "dashboard" } else { "backend" };
    let image = &container.image;
    let waiting = container.state.as_ref().and_then(|it| it.waiting.as_ref());
    let reason = waiting.and_then(|it| it.reason.as_deref()).unwrap_or_default();
    let message = waiting.and_then(|it| it.message.as_deref()).unwrap_or_default();
    match reason {
        "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull"
        | "ErrImageInspect" => Some(Obstacle::new(
            "ImagePullFailed",
            format!(
                "image {image} cannot be pulled: {message}. Check spec.version, spec.{part}.image and the registry."
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
        _ => crashed(container, hidden),
    }
}

fn is_blank(state: &ContainerState) -> bool {
    state.terminated.is_none()
}

/// The last lines of a crashed container are in its status (terminationMessagePolicy
/// `FallbackToLogsOnError`); the last that says something is the cause.
fn crashed(container: &ContainerStatus, hidden: &Hidden) -> Option<Obstacle> {
    let state = container.state.as_ref();
    let running = state.is_some_and(|it| it.running.is_some());
    let now = state.and_then(|it| it.terminated.as_ref());
    let last = container.last_state.as_ref().and_then(|it| it.terminated.as_ref());
    let ended = now.or(last)?;
    let waiting = state.and_then(|it| it.waiting.as_ref()?.reason.as_deref());
    // Whoever loses the database's lease ends well, again and again.
    let ended_well = ended.exit_code == 0 && waiting != Some("CrashLoopBackOff");
    if (running && container.ready) || ended_well {
        return None;
    }
    let dashboard = container.name == DASHBOARD;
    Some(Obstacle::new(
        if dashboard { "DashboardCrashing" } else { "BackendCrashing" },
        format!(
            "container {} exits with code {}{}, {} restarts{}",
            container.name,
            ended.exit_code,
            verdict(ended),
            container.restart_count,
            cause(ended, hidden)
        ),
    ))
}

/// What the kubelet knows besides the code, such as that the memory did not suffice.
fn verdict(ended: &ContainerStateTerminated) -> String {
    match ended.reason.as_deref() {
        None | Some("" | "Error" | "Completed") => String::new(),
        Some(reason) => format!(" ({reason})"),
    }
}

fn cause(ended: &ContainerStateTerminated, hidden: &Hidden) -> String {
    let lines = ended.message.as_deref().unwrap_or_default().lines();
    let last = lines.map(str::trim).rfind(|line| !line.is_empty());
    last.map(|line| format!(": \"{}\"", redacted(&hidden.taken_out(line)))).unwrap_or_default()
}

#[cfg(test)]
mod tests;
