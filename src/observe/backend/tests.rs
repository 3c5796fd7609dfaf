use std::sync::Arc;

use k8s_openapi::api::{apps::v1::StatefulSet, core::v1::PersistentVolumeClaim};

use super::*;
use crate::{
    fixtures::{ClaimWords, FENCE, PodWords, SetWords, claim, gate, pod, stateful_set},
    observe::Obstacle,
    plan::{
        Claimed,
        gate::{RECORD, Record},
    },
};

fn with_set(set: StatefulSet) -> Children {
    Children { stateful_set: Some(Arc::new(set)), ..Children::default() }
}

/// The same set behind a gate that is open for this version, or shut.
fn gated(set: StatefulSet, version: &str, open: bool) -> Children {
    Children { gate: Some(Arc::new(gate(version, open))), ..with_set(set) }
}

fn with_claim(claim: PersistentVolumeClaim) -> Children {
    Children { claims: crate::fixtures::claimed(claim), ..with_set(stateful_set("v1")) }
}

fn with_pods<const N: usize>(pods: [Pod; N]) -> Children {
    Children { pods: pods.map(Arc::new).to_vec(), ..with_set(stateful_set("v1")) }
}

fn backend_of(version: &str) -> Backend {
    let (version, image) = (version.to_owned(), format!("example.com/backend:{version}"));
    Backend {
        release: Release { version, image, engine: "sqlite".to_owned() },
        store: Store::Original,
    }
}

fn answer(verdict: Result<String, Obstacle>) -> Answer {
    Answer { container: "uid-of-dev-backend-0/run://1".to_owned(), verdict }
}

#[test]
fn what_is_asked_for_counts_once_its_controller_has_seen_it_and_the_gate_lets_it_in() {
    let asks = |set: StatefulSet| asked(&gated(set, "v1", true), FENCE);
    assert_eq!(asks(stateful_set("v1")), Some(backend_of("v1")));
    assert_eq!(asks(stateful_set("v1").unseen()), None);
    assert_eq!(asks(stateful_set("v1").asking_for(0)), None);
    assert_eq!(asked(&with_set(stateful_set("v1")), FENCE), None, "no record is closed");
    assert_eq!(asked(&gated(stateful_set("v1"), "v1", false), FENCE), None);
    assert_eq!(asked(&gated(stateful_set("v1"), "v2", true), FENCE), None);
    assert_eq!(asked(&gated(stateful_set("v1"), "v1", true), "6"), None, "an older fence");
    assert_eq!(asked(&Children::default(), FENCE), None);
}

#[test]
fn an_image_that_was_edited_is_not_what_the_record_asks_for() {
    let mut edited = stateful_set("v1");
    let spec = edited.spec.as_mut().unwrap().template.spec.as_mut().unwrap();
    spec.containers[1].image = Some("example.com/other:v1".to_owned());
    assert_eq!(asked(&gated(edited, "v1", true), FENCE), None);
}

#[test]
fn stopped_means_asking_for_none_being_seen_to_and_a_shut_gate() {
    let stopped = |set: StatefulSet, open: bool| is_stopped(&gated(set, "v1", open), FENCE);
    assert!(stopped(stateful_set("v1").asking_for(0), false));
    assert!(!stopped(stateful_set("v1").asking_for(0), true));
    assert!(!stopped(stateful_set("v1").asking_for(0).unseen(), false));
    assert!(!stopped(stateful_set("v1"), false));
    assert!(!is_stopped(&gated(stateful_set("v1").asking_for(0), "v1", false), "6"));
    assert!(!is_stopped(&Children::default(), FENCE));
}

#[test]
fn a_lost_status_finds_what_the_record_says_before_the_stamp_and_the_stamp_before_the_set() {
    let recorded = Children {
        gate: Some(Arc::new(gate("v3", false))),
        ..with_claim(claim("dev-data").opened_by(&["v1", "v2"]))
    };
    assert_eq!(found(&recorded), Some(backend_of("v3")));
    let sealed = with_claim(claim("dev-data").opened_by(&["v1", "v2"]));
    assert_eq!(found(&sealed), Some(backend_of("v2")));
    assert_eq!(found(&with_claim(claim("dev-data"))), Some(backend_of("v1")));
    assert_eq!(found(&Children::default()), None);
}

/// While an upgrade goes into a new store, the gate is open for what was never served from.
#[test]
fn a_record_that_leads_to_a_store_that_was_never_served_from_is_not_believed_about_the_data() {
    let fresh = Store::try_from("Made/71".to_owned()).unwrap();
    let target = Backend { store: fresh.clone(), ..backend_of("v3") };
    let record = Record::next(Some(&Record::next(None, &backend_of("v2"), true)), &target, true);
    let with = |claims: Vec<Claimed>| {
        let mut gate = gate("v2", true);
        gate.data = Some([(RECORD.to_owned(), serde_json::to_string(&record).unwrap())].into());
        Children { gate: Some(Arc::new(gate)), claims, ..Children::default() }
    };
    let old = (Store::Original, Arc::new(claim("dev-data").opened_by(&["v1"])));
    let mut new = claim("dev-data-71");
    assert_eq!(
        found(&with(vec![old.clone(), (fresh.clone(), Arc::new(new.clone()))])),
        Some(backend_of("v2")),
        "the release that last opened the old store, and not the one that it was stamped with"
    );
    // Once it was served from, it is sealed.
    let marks = new.metadata.annotations.get_or_insert_default();
    marks.insert(labels::SEALED.to_owned(), "80".to_owned());
    assert_eq!(found(&with(vec![old.clone(), (fresh, Arc::new(new))])), Some(target.clone()));
    // Nothing is put in the place of a store whose claim is gone.
    assert_eq!(found(&with(vec![old])), Some(target));
}

/// Without a record the store that was sealed last holds the data; the one that is taken over is the original one.
#[test]
fn of_several_stores_the_one_that_was_sealed_last_is_found() {
    let sealed = |version: &str, store: &str, seal: &str| {
        let mut claim = claim("dev-data").opened_by(&[version]);
        let marks = claim.metadata.annotations.get_or_insert_default();
        marks.insert(labels::SEALED.to_owned(), seal.to_owned());
        marks.insert(labels::STORE.to_owned(), store.to_owned());
        Arc::new(claim)
    };
    let copied = Store::try_from("Copied/71/1".to_owned()).unwrap();
    let both = Children {
        claims: vec![
            (Store::Original, sealed("v2", "Original", "true")),
            (copied.clone(), sealed("v1", "Copied/71/1", "80")),
        ],
        ..with_set(stateful_set("v2"))
    };
    assert_eq!(found(&both), Some(Backend { store: copied, ..backend_of("v1") }));
    let taken_over = Children {
        claims: vec![(Store::Original, sealed("v1", "Copied/71/1", "80"))],
        ..Children::default()
    };
    assert_eq!(found(&taken_over), Some(backend_of("v1")));
}

#[test]
fn a_pod_serves_once_it_is_ready_and_this_very_container_has_answered_as_its_version() {
    let ready = with_pods([pod("dev-backend-0").of("v1").ready()]);
    let health =
        |children: &Children, answer: Option<&Answer>| pods(children, answer, false)[0].health;
    let other = Answer { container: "another".to_owned(), ..answer(Ok("v1".to_owned())) };
    assert_eq!(health(&ready, Some(&answer(Ok("v1".to_owned())))), Health::Serving);
    assert_eq!(health(&ready, Some(&answer(Ok("v2".to_owned())))), Health::Starting);
    assert_eq!(health(&ready, Some(&answer(Err(Obstacle::new("Any", ""))))), Health::Starting);
    assert_eq!(health(&ready, Some(&other)), Health::Starting);
    assert_eq!(health(&ready, None), Health::Starting);
    let starting = with_pods([pod("dev-backend-0").of("v1")]);
    assert_eq!(health(&starting, Some(&answer(Ok("v1".to_owned())))), Health::Starting);
}

/// A changed setting is not served before its pod is there, however well the old one answers.
#[test]
fn a_pod_of_an_older_template_is_starting() {
    let of = |revision: &str| {
        let mut pod = pod("dev-backend-0").of("v1").ready();
        let labels = pod.metadata.labels.get_or_insert_default();
        labels.insert("controller-revision-hash".to_owned(), revision.to_owned());
        let mut children = with_pods([pod]);
        let mut set = stateful_set("v1");
        set.status.get_or_insert_default().update_revision = Some("dev-backend-2".to_owned());
        children.stateful_set = Some(Arc::new(set));
        pods(&children, Some(&answer(Ok("v1".to_owned()))), false)[0].health
    };
    assert_eq!(of("dev-backend-1"), Health::Starting);
    assert_eq!(of("dev-backend-2"), Health::Serving);
}

#[test]
fn a_pod_that_goes_is_still_a_pod_whatever_it_says() {
    let going = with_pods([pod("dev-backend-0").of("v1").ready().overdue_by(0)]);
    let seen = pods(&going, Some(&answer(Ok("v1".to_owned()))), false);
    assert_eq!(seen[0].health, Health::Terminating);
    assert_eq!(seen[0].backend, backend_of("v1"));
}

#[test]
fn every_pod_counts_not_just_the_first() {
    let two = with_pods([pod("dev-backend-0").of("v1").ready(), pod("stray").of("v2")]);
    let versions: Vec<_> =
        pods(&two, None, false).into_iter().map(|it| it.backend.release.version).collect();
    assert_eq!(versions, ["v1", "v2"]);
}

#[test]
fn away_means_that_one_is_wanted_and_none_is_ready() {
    assert!(is_away(&Children::default()));
    assert!(is_away(&with_set(stateful_set("v1"))));
    assert!(is_away(&with_pods([pod("dev-backend-0").of("v1")])));
    assert!(is_away(&with_pods([pod("dev-backend-0").of("v1").ready().overdue_by(0)])));
    assert!(!is_away(&with_pods([pod("dev-backend-0").of("v1").ready()])));
    assert!(!is_away(&with_set(stateful_set("v1").asking_for(0))));
}

#[test]
fn a_claim_is_lost_when_it_is_gone_going_or_without_its_volume() {
    assert!(!with_claim(claim("dev-data")).claim_is_lost());
    assert!(!with_claim(claim("dev-data").pending()).claim_is_lost());
    assert!(with_claim(claim("dev-data").lost()).claim_is_lost());
    assert!(with_claim(claim("dev-data").deleted()).claim_is_lost());
    assert!(Children::default().claim_is_lost());
}

#[test]
fn a_pod_that_serves_and_is_not_migrated_is_migrating_and_one_that_starts_still_starts() {
    let health = |pod: Pod| {
        let said = answer(Ok("v1".to_owned()));
        pods(&with_pods([pod]), Some(&said), true)[0].health
    };
    assert_eq!(health(pod("dev-backend-0").of("v1").ready()), Health::Migrating);
    assert_eq!(health(pod("dev-backend-0").of("v1")), Health::Starting);
}
