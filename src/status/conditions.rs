//! Conditions: computed afresh on every pass from what was seen, in the order in which kstatus reads them.

use k8s_openapi::{api::apps::v1::Deployment, apimachinery::pkg::apis::meta::v1::Time};
use statemachine::{Phase, Step, Waiting, phase::Stage};

use super::messages::{self, RESIZE_REFUSED, Told};
use crate::{
    api::{Condition, ConditionStatus, ConditionType, ConvexInstance, Engine},
    observe::{AdminFound, Obstacle, World},
    plan::Applied,
};

/// A condition before it is known how long it has been so.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Verdict {
    type_: ConditionType,
    status: ConditionStatus,
    reason: String,
    message: String,
}

impl Verdict {
    fn new(
        type_: ConditionType,
        status: impl Into<ConditionStatus>,
        reason: &str,
        message: impl Into<String>,
    ) -> Self {
        Self { type_, status: status.into(), reason: reason.to_owned(), message: message.into() }
    }

    /// True with a reason of its own, or false for this reason.
    fn unless(type_: ConditionType, obstacle: Option<&Obstacle>, reason: &str) -> Self {
        match obstacle {
            None => Self::new(type_, true, reason, ""),
            Some(it) => Self::new(type_, false, it.reason, it.message.clone()),
        }
    }

    /// The condition, with the time since when its status has been what it is.
    pub(super) fn since(self, before: &[Condition], generation: i64, now: &Time) -> Condition {
        let type_ = format!("{:?}", self.type_);
        let same = before.iter().find(|it| it.type_ == type_ && it.status == self.status);
        Condition {
            last_transition_time: same
                .map_or_else(|| now.clone(), |it| it.last_transition_time.clone()),
            type_,
            status: self.status,
            observed_generation: generation,
            reason: self.reason,
            message: self.message,
        }
    }
}

/// The one condition that is written about a phase or pins that this operator does not know.
pub(super) fn unknown(step: &Step) -> Verdict {
    let reason = step.waiting.as_ref().map_or("UnknownPhase", Waiting::reason);
    let message = "a newer operator wrote this status; this one touches nothing. Install the newer operator again.";
    Verdict::new(ConditionType::Ready, ConditionStatus::Unknown, reason, message)
}

/// Every condition of this pass.
pub(super) fn of(
    instance: &ConvexInstance,
    step: &Step,
    world: &World,
    applied: &Applied,
    told: &Told,
) -> Vec<Verdict> {
    let mut all = summary(step, world, told);
    all.extend(progress(step, world, told));
    all.extend(parts(instance, step, world, applied));
    all.extend(notices(instance));
    all
}

/// `Ready`, and what kstatus needs besides: never `Reconciling` and `Stalled` together.
fn summary(step: &Step, world: &World, told: &Told) -> Vec<Verdict> {
    let ready = step.phase == Phase::Ready && told.obstacle.is_none();
    let reason = match (&told.obstacle, step.phase) {
        (None, Phase::Ready) => "Serving",
        (None, Phase::Suspended) => "Suspended",
        (None, phase) => phase.name(),
        (Some(it), _) => it.reason,
    };
    let mut all = vec![Verdict::new(ConditionType::Ready, ready, reason, told.message.clone())];
    if !ready && step.phase != Phase::Suspended {
        let (type_, reason) = if stalls(step, world, told) {
            (ConditionType::Stalled, reason)
        } else {
            (ConditionType::Reconciling, step.phase.name())
        };
        all.push(Verdict::new(type_, true, reason, told.message.clone()));
    }
    all
}

/// Whether nothing moves before a person does something to this instance.
fn stalls(step: &Step, world: &World, told: &Told) -> bool {
    let abnormal = told.obstacle.as_ref().is_some_and(|it| it.abnormal);
    let unsupported = world.references.as_ref().is_some_and(|it| it.reason == "Unsupported");
    match step.phase {
        Phase::Degraded => true,
        Phase::Pending => unsupported,
        Phase::Deleting => abnormal,
        Phase::Ready => {
            let refused = told.obstacle.as_ref().is_some_and(|it| it.reason == RESIZE_REFUSED);
            refused
                || unsupported && told.obstacle == world.references
                || abnormal
                    && matches!(
                        step.waiting,
                        Some(
                            Waiting::ForWayBack(_)
                                | Waiting::Outgrown(_)
                                | Waiting::Refused(_)
                                | Waiting::NoWayBack(_)
                        )
                    )
        }
        _ => false,
    }
}

fn progress(step: &Step, world: &World, told: &Told) -> Vec<Verdict> {
    let phase = step.phase;
    let moves = matches!(
        phase,
        Phase::Pending | Phase::Provisioning | Phase::Upgrading(_) | Phase::Deleting
    );
    let upgrading = matches!(phase, Phase::Upgrading(_))
        || world.facts.pins.upgrade.is_some() && phase == Phase::Degraded;
    let stage = if let Phase::Upgrading(stage) = phase { stage_name(stage) } else { phase.name() };
    let serves = world.backend_serves();
    let available = if serves { "Serving" } else { "NotServing" };
    vec![
        Verdict::new(ConditionType::Available, serves, available, ""),
        Verdict::new(ConditionType::Progressing, moves, phase.name(), ""),
        Verdict::new(
            ConditionType::Degraded,
            phase == Phase::Degraded,
            if phase == Phase::Degraded {
                told.obstacle.as_ref().map_or("Degraded", |it| it.reason)
            } else {
                "AsExpected"
            },
            if phase == Phase::Degraded { told.message.clone() } else { String::new() },
        ),
        Verdict::new(
            ConditionType::UpgradeInProgress,
            upgrading,
            if upgrading { stage } else { "NoUpgrade" },
            "",
        ),
        // Strategies with an export or an import are accepted and not begun; see `Waiting::ForWayBack`.
        Verdict::new(ConditionType::ExportCompleted, false, "NotRequested", ""),
        Verdict::new(ConditionType::ImportCompleted, false, "NotRequested", ""),
    ]
}

const fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Exporting => "Exporting",
        Stage::Rolling => "Rolling",
        Stage::Importing => "Importing",
    }
}

fn parts(instance: &ConvexInstance, step: &Step, world: &World, applied: &Applied) -> Vec<Verdict> {
    let asked = instance.spec.dashboard.enabled;
    let dashboard = dashboard(world).filter(|_| asked);
    let sqlite = instance.spec.backend.db.engine == Engine::Sqlite;
    let serves = world.backend_serves();
    let other = |what: &str| {
        Obstacle::new(
            "Unsupported",
            format!("{what} is not reached by this version of the operator"),
        )
    };
    vec![
        Verdict::unless(ConditionType::SecretsReady, secrets(world, applied).as_ref(), "Present"),
        storage(instance, world, applied),
        Verdict::unless(ConditionType::BackendReady, backend(step, world).as_ref(), "Serving"),
        Verdict::unless(
            ConditionType::DashboardReady,
            dashboard.as_ref(),
            if asked { "Available" } else { "Disabled" },
        ),
        match (sqlite, serves) {
            (true, true) => Verdict::new(ConditionType::DatabaseConnected, true, "Embedded", ""),
            (true, false) => {
                Verdict::new(ConditionType::DatabaseConnected, false, "BackendNotServing", "")
            }
            (false, _) => Verdict::unless(
                ConditionType::DatabaseConnected,
                Some(&other("a database server")),
                "",
            ),
        },
        Verdict::unless(
            ConditionType::ObjectStorageConnected,
            instance.spec.backend.s3.enabled.then(|| other("object storage")).as_ref(),
            "NotRequested",
        ),
        Verdict::new(
            ConditionType::Exposed,
            true,
            "NotRequested",
            "reached inside the cluster only",
        ),
    ]
}

fn secrets(world: &World, applied: &Applied) -> Option<Obstacle> {
    if let Some(obstacle) = &world.keys_obstacle {
        return Some(obstacle.clone());
    }
    let kept = world
        .keys
        .as_ref()
        .is_some_and(|keys| keys.admin_found == AdminFound::Whole && keys.is_kept());
    // What was created in this pass was not found in it.
    (!kept && applied.writes == 0).then(|| {
        Obstacle::passing("SecretsPending", "the Secrets of the instance are not there yet")
    })
}

fn storage(instance: &ConvexInstance, world: &World, applied: &Applied) -> Verdict {
    let type_ = ConditionType::StorageReady;
    if !instance.spec.backend.storage.pvc.enabled {
        return Verdict::new(
            type_,
            true,
            "Ephemeral",
            "the data lives in the pod and dies with it",
        );
    }
    let Some(claim) = world.children.claim.as_deref() else {
        return Verdict::new(type_, false, "ClaimMissing", "the claim is not there");
    };
    if claim.metadata.deletion_timestamp.is_some() {
        return Verdict::new(
            type_,
            false,
            "ClaimTerminating",
            "somebody has deleted the claim: it goes, with the data, as soon as no pod uses it. Make a copy of the data now.",
        );
    }
    if let Some(refused) = messages::not_grown(applied) {
        return Verdict::new(type_, false, refused.reason, refused.message);
    }
    let phase = claim.status.as_ref().and_then(|it| it.phase.as_deref()).unwrap_or("Pending");
    let message = match (phase, &world.trouble) {
        ("Pending", Some(trouble)) if trouble.reason == "VolumePending" => trouble.message.clone(),
        _ => String::new(),
    };
    Verdict::new(type_, phase == "Bound", phase, message)
}

fn backend(step: &Step, world: &World) -> Option<Obstacle> {
    if world.backend_serves() {
        return None;
    }
    let answered = world.answer.as_ref().and_then(|it| it.verdict.as_ref().err());
    let why = world.trouble.as_ref().or(answered).cloned();
    let stopped = (step.phase == Phase::Suspended)
        .then(|| Obstacle::passing("Suspended", "stopped by spec.suspend"));
    stopped
        .or(why)
        .or_else(|| Some(Obstacle::passing("BackendNotServing", "the backend does not serve yet")))
}

/// What the dashboard lacks.
pub(super) fn dashboard(world: &World) -> Option<Obstacle> {
    let Some(deployment) = world.children.dashboard.as_deref() else {
        return Some(Obstacle::passing("DashboardStarting", "the dashboard is not there yet"));
    };
    let trouble = world.dashboard_trouble();
    (!is_available(deployment)).then(|| {
        trouble.unwrap_or_else(|| Obstacle::passing("DashboardStarting", "the dashboard starts"))
    })
}

fn is_available(deployment: &Deployment) -> bool {
    let wanted = deployment.spec.as_ref().and_then(|it| it.replicas).unwrap_or(1);
    let Some(status) = &deployment.status else { return wanted == 0 };
    let current = status.observed_generation >= deployment.metadata.generation;
    let updated = status.updated_replicas.unwrap_or_default() >= wanted;
    current && updated && status.available_replicas.unwrap_or_default() >= wanted
}

/// What keeps an instance whose backend serves from being as its spec wants it.
pub(super) fn surroundings(
    instance: &ConvexInstance,
    step: &Step,
    world: &World,
) -> Option<Obstacle> {
    let asked = instance.spec.dashboard.enabled && step.phase == Phase::Ready;
    asked.then(|| dashboard(world)).flatten()
}

fn notices(instance: &ConvexInstance) -> Vec<Verdict> {
    let spec = &instance.spec;
    let prefilled = (spec.dashboard.enabled && spec.dashboard.prefill_admin_key).then(|| {
        Verdict::new(ConditionType::AdminKeyPrefilled, true, "AdminKeyInPage", "everybody who can open the dashboard can read the admin key and do everything with this instance; set spec.dashboard.prefillAdminKey to false to stop that")
    });
    let scale = spec.scale.as_ref().map(|_| {
        Verdict::new(
            ConditionType::ScaleReserved,
            true,
            "Reserved",
            "spec.scale is accepted and has no effect: a Convex backend is exactly one process",
        )
    });
    prefilled.into_iter().chain(scale).collect()
}
