//! What a status says, and what kstatus makes of it.

mod degraded;
mod kstatus;
mod laws;
mod workers;

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use statemachine::{Observed, Phase, Release, phase::Stage};

use self::kstatus::{Kstatus, kstatus};
use super::*;
use crate::{
    api::{Blocked, ConditionStatus},
    fixtures::{PodWords, all_is_well, instance, instance_with, pod, world},
    observe::{Answer, Outside},
    plan::{Conflict, Refused},
};

fn at(phase: Phase) -> ConvexInstance {
    let mut instance = instance();
    let Wire { phase, stage } = Wire::from(phase);
    let stage = Some(stage).filter(|it| !it.is_empty());
    instance.status =
        Some(ConvexInstanceStatus { phase: Some(phase), stage, ..ConvexInstanceStatus::default() });
    instance
}

/// The instance after a pass that saw this.
fn after(mut instance: ConvexInstance, world: &World, applied: &Applied) -> ConvexInstance {
    let phase = crate::observe::phase(&instance);
    let step = statemachine::step(phase, &world.facts);
    if step.phase == Phase::Deleting {
        instance.meta_mut().deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
    }
    instance.status = Some(of(&instance, &step, world, applied).status);
    instance
}

fn condition<'a>(instance: &'a ConvexInstance, type_: &str) -> Option<&'a Condition> {
    instance.status.as_ref().unwrap().conditions.iter().find(|it| it.type_ == type_)
}

fn reason(instance: &ConvexInstance, type_: &str) -> String {
    condition(instance, type_).map(|it| it.reason.clone()).unwrap_or_default()
}

fn lacking_its_backend() -> World {
    World {
        trouble: Some(Obstacle::passing("BackendStarting", "pod dev-backend-0 starts")),
        answer: None,
        ..world(Observed { asked: None, pods: Vec::new(), lost: true, ..all_is_well() })
    }
}

#[test]
fn an_instance_that_serves_is_ready_and_current() {
    let serving = after(at(Phase::Ready), &world(all_is_well()), &Applied::default());
    assert_eq!(kstatus(&serving), Kstatus::Current);
    assert_eq!(reason(&serving, "Ready"), "Serving");
    let status = serving.status.unwrap();
    assert_eq!((status.observed_generation, status.blocked_by.len()), (3, 0));
    assert_eq!(status.running_version.as_deref(), Some("v1"));
}

#[test]
fn the_phases_map_to_kstatus_as_documented() {
    let lacking = lacking_its_backend();
    let upgrading = statemachine::worlds::upgrade(
        statemachine::Strategy::InPlace(statemachine::WayBack::None),
        Stage::Rolling,
        statemachine::Direction::Forward,
    );
    for (phase, expected) in [
        (Phase::Provisioning, Kstatus::InProgress),
        (Phase::Upgrading(Stage::Rolling), Kstatus::InProgress),
        (Phase::Degraded, Kstatus::Failed),
        (Phase::Deleting, Kstatus::Terminating),
    ] {
        let mut facts = lacking.facts.clone();
        if matches!(phase, Phase::Upgrading(_)) {
            facts.wish.release = upgrading.to.release.clone();
            facts.pins.upgrade = Some(upgrading.clone());
        }
        let seen = World { trouble: lacking.trouble.clone(), answer: None, ..world(facts) };
        let instance = after(at(phase), &seen, &Applied::default());
        assert_eq!(crate::observe::phase(&instance), phase);
        assert_eq!(kstatus(&instance), expected, "{phase:?}");
    }
    let unresolved = World {
        references: Some(Obstacle::new("SecretMissing", "")),
        ..world(Observed { resolved: false, ..all_is_well() })
    };
    let pending = after(at(Phase::Pending), &unresolved, &Applied::default());
    assert_eq!(kstatus(&pending), Kstatus::InProgress);
}

#[test]
fn what_no_waiting_mends_fails_at_once() {
    let unfit = Obstacle::new("DatabaseNameMismatch", "");
    let mut outside = Outside::default();
    outside.unread = Some(unfit.clone());
    let seen = World {
        outside,
        references: Some(unfit),
        ..world(Observed { resolved: false, ..all_is_well() })
    };
    let pending = after(at(Phase::Pending), &seen, &Applied::default());
    assert_eq!(kstatus(&pending), Kstatus::Failed);
}

#[test]
fn a_suspended_instance_says_so() {
    let mut facts = Observed { asked: None, pods: Vec::new(), stopped: true, ..all_is_well() };
    facts.wish.suspend = true;
    let mut seen = World { answer: None, ..world(facts) };
    seen.children.pods.clear();
    let suspended = after(at(Phase::Suspended), &seen, &Applied::default());
    assert_eq!(reason(&suspended, "Ready"), "Suspended");
    assert_eq!(reason(&suspended, "BackendReady"), "Suspended");
    assert!(condition(&suspended, "Stalled").is_none());
}

#[test]
fn a_foreign_object_and_a_refused_write_outrank_what_is_waited_for() {
    let conflict = Conflict { kind: "Service".to_owned(), name: "dev-backend".to_owned() };
    let applied = Applied { conflicts: vec![conflict], ..Applied::default() };
    let told = after(at(Phase::Ready), &world(all_is_well()), &applied);
    assert_eq!(reason(&told, "Ready"), "NameConflict");
    let message = told.status.unwrap().message.unwrap();
    assert!(message.contains("Service \"dev-backend\"") && message.contains("not touched"));
    let quota = Refused {
        kind: "PersistentVolumeClaim".to_owned(),
        name: "dev-data".to_owned(),
        reason: "Forbidden".to_owned(),
        message: "exceeded quota: storage".to_owned(),
    };
    let applied = Applied { refused: vec![quota], ..Applied::default() };
    let told = after(at(Phase::Provisioning), &lacking_its_backend(), &applied);
    assert_eq!(reason(&told, "Ready"), "Forbidden");
    assert!(told.status.unwrap().message.unwrap().contains("exceeded quota"));
}

#[test]
fn the_wrong_version_and_a_refused_key_are_told() {
    let asked = |verdict| World {
        answer: Some(Answer { container: String::new(), verdict }),
        trouble: None,
        ..world(Observed { pods: Vec::new(), ..all_is_well() })
    };
    let mut other = asked(Ok("v9".to_owned()));
    let aim = statemachine::worlds::born().release.version;
    other.children.pods = vec![Arc::new(pod("dev-backend-0").of(&aim).ready())];
    let told = after(at(Phase::Provisioning), &other, &Applied::default());
    assert_eq!(reason(&told, "Ready"), "VersionMismatch");
    let refused = asked(Err(Obstacle::new("AdminKeyRejected", "refused the admin key")));
    let told = after(at(Phase::Provisioning), &refused, &Applied::default());
    assert_eq!(reason(&told, "Ready"), "AdminKeyRejected");
}

#[test]
fn a_pod_that_is_yet_to_be_replaced_does_not_answer_wrongly() {
    let mut old = World { trouble: None, ..world(Observed { pods: Vec::new(), ..all_is_well() }) };
    old.answer = Some(Answer { container: String::new(), verdict: Ok("v9".to_owned()) });
    old.children.pods = vec![Arc::new(pod("dev-backend-0").of("v9").ready())];
    let told = after(at(Phase::Provisioning), &old, &Applied::default());
    assert_eq!(reason(&told, "Ready"), "BackendReplacing");
}

#[test]
fn a_version_that_is_longer_than_any_tag_does_not_make_the_status_invalid() {
    let long = Answer { container: String::new(), verdict: Ok("v".repeat(256)) };
    let seen = World { answer: Some(long), ..world(all_is_well()) };
    let told = after(at(Phase::Ready), &seen, &Applied::default());
    assert_eq!(told.status.unwrap().running_version.unwrap().len(), 128);
}

#[test]
fn the_dashboard_is_not_the_backend() {
    let mut seen = world(all_is_well());
    let mut deployment = (**seen.children.dashboard.as_ref().unwrap()).clone();
    deployment.status.as_mut().unwrap().available_replicas = Some(0);
    seen.children.dashboard = Some(Arc::new(deployment));
    seen.children.dashboard_pods = vec![Arc::new(pod("dev-dashboard-1").crashing(1, "port taken"))];
    let told = after(at(Phase::Ready), &seen, &Applied::default());
    assert_eq!(reason(&told, "DashboardReady"), "DashboardCrashing");
    assert_eq!(reason(&told, "BackendReady"), "Serving");
    assert_eq!(condition(&told, "Available").unwrap().status, ConditionStatus::True);
    assert_eq!(condition(&told, "Ready").unwrap().status, ConditionStatus::False);
}

#[test]
fn notices_are_there_only_while_they_are_true() {
    let noticed = instance_with(|spec| {
        spec["dashboard"] = serde_json::json!({"prefillAdminKey": true});
        spec["scale"] = serde_json::json!({"backend": {}});
    });
    let noticed = ConvexInstance { status: at(Phase::Ready).status, ..noticed };
    let told = after(noticed, &world(all_is_well()), &Applied::default());
    assert_eq!(reason(&told, "AdminKeyPrefilled"), "AdminKeyInPage");
    assert_eq!(reason(&told, "ScaleReserved"), "Reserved");
    let plain = after(at(Phase::Ready), &world(all_is_well()), &Applied::default());
    assert!(condition(&plain, "AdminKeyPrefilled").is_none());
    assert!(condition(&plain, "ScaleReserved").is_none());
}

#[test]
fn a_waiting_upgrade_says_what_to_set() {
    let mut facts = Observed { obtainable: false, ..all_is_well() };
    facts.wish.release = Release { version: "v2".to_owned(), ..Release::default() };
    let told = after(at(Phase::Ready), &world(facts), &Applied::default());
    assert_eq!(reason(&told, "Ready"), "WayBackUnobtainable");
    let blocked: &Blocked = &told.status.as_ref().unwrap().blocked_by[0];
    assert_eq!(blocked.guard, "WayBackObtainable");
    assert!(blocked.message.contains("preUpgradeSnapshot"), "{}", blocked.message);
    assert_eq!(kstatus(&told), Kstatus::Failed);
}

#[test]
fn a_suspended_instance_says_what_became_of_its_data() {
    let seen = || Observed {
        wish: statemachine::Wish { suspend: true, ..all_is_well().wish },
        stopped: true,
        asked: None,
        pods: Vec::new(),
        ..all_is_well()
    };
    let told = |instance: ConvexInstance| {
        let mut suspended = at(Phase::Suspended);
        suspended.spec = instance.spec;
        let told = after(suspended, &world(seen()), &Applied::default());
        told.status.unwrap().message.unwrap()
    };
    assert_eq!(told(instance()), "suspended by spec.suspend; all data is kept");
    let none = instance_with(|spec| {
        spec["backend"]["storage"] = serde_json::json!({"pvc": {"enabled": false}});
    });
    assert!(told(none).ends_with("went with the pod"));
}
