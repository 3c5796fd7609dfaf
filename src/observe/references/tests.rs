use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use serde_json::json;

use super::*;
use crate::fixtures::{claim, instance, instance_with};

fn told(
    user: Option<&str>,
    instance: &ConvexInstance,
    claim: Option<PersistentVolumeClaim>,
) -> String {
    let children = Children {
        claims: claim.map(crate::fixtures::claimed).unwrap_or_default(),
        ..Children::default()
    };
    let told = claim_used_by(user, instance, &Names::of("dev"), &children);
    told.map_or_else(|| "nothing".to_owned(), |it| format!("{}: {}", it.reason, it.message))
}

fn labelled(uid: &str, name: &str) -> PersistentVolumeClaim {
    let mut claim = claim("dev-data");
    let labels = claim.metadata.labels.as_mut().unwrap();
    labels.insert(labels::INSTANCE_UID.to_owned(), uid.to_owned());
    labels.insert(labels::INSTANCE.to_owned(), name.to_owned());
    claim
}

fn asking_for_it() -> ConvexInstance {
    instance_with(|spec| {
        spec["backend"]["storage"]["pvc"] = json!({"existingClaim": "dev-data"});
    })
}

#[test]
fn a_claim_of_our_own_and_no_claim_are_nothing_to_tell() {
    assert_eq!(told(None, &instance(), Some(claim("dev-data"))), "nothing");
    assert_eq!(told(None, &instance(), None), "nothing");
}

#[test]
fn a_claim_of_another_living_instance_is_never_taken_not_even_when_asked_for() {
    for instance in [instance(), asking_for_it()] {
        let told = told(Some("other"), &instance, Some(labelled("another", "other")));
        assert!(told.starts_with("ClaimInUse:") && told.contains("\"other\""), "{told}");
    }
}

#[test]
fn a_claim_that_was_kept_tells_how_to_take_it_over() {
    let kept = || Some(labelled("another", "dev"));
    let conflict = told(None, &instance(), kept());
    assert!(conflict.starts_with("NameConflict:"), "{conflict}");
    assert!(conflict.contains("existingClaim: dev-data"), "{conflict}");
    assert_eq!(told(None, &asking_for_it(), kept()), "nothing");
}

#[test]
fn a_claim_of_somebody_else_is_a_conflict_unless_it_is_asked_for() {
    let foreign = || Some(labelled("another", "other"));
    assert!(told(None, &instance(), foreign()).starts_with("NameConflict:"));
    assert_eq!(told(None, &asking_for_it(), foreign()), "nothing");
}

#[test]
fn a_claim_that_is_asked_for_has_to_be_there_first() {
    assert!(told(None, &asking_for_it(), None).starts_with("ClaimMissing:"));
}
