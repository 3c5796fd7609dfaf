//! Where a way back is to be made: before anybody feels anything, and as large as the spec wants it.

use std::sync::Arc;

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::ResourceExt;
use serde_json::{Value, json};

use super::*;
use crate::{
    fixtures::{ClaimWords, PodWords, claim as claim_of, instance_with},
    plan::{exports::Exports, labels},
};

/// A look in Exporting, at a deployment that nobody has paused yet, and at an image that is proven.
pub(super) fn unheld(strategy: Strategy) -> World {
    let jobs = Jobs(vec![job(Errand::Proof, Outcome::Succeeded)]);
    World { hold: Some(told(Some(false))), jobs, ..amid(strategy, Stage::Exporting) }
}

/// What is done with claims, and with traffic, in order.
pub(super) fn held(world: &World) -> Vec<String> {
    planned(hold::HELD, world, &[])
}

/// The same where this besides is owed in Exporting, and the status says this of traffic.
pub(super) fn planned(traffic: &str, world: &World, besides: &[Action]) -> Vec<String> {
    let owes = [Action::EnsureImageProven(born().release), Action::EnsureTrafficHeld];
    let steps = owed(&told_of(traffic), &[&owes, besides].concat(), world).steps;
    steps.iter().map(said).collect()
}

pub(super) fn said(step: &Step) -> String {
    let size = |it: &PersistentVolumeClaim| {
        let spec: Value = json!(it.spec);
        let size = spec["resources"]["requests"]["storage"].as_str().unwrap().to_owned();
        format!("{} {size}", it.name_any())
    };
    match step {
        Step::Ensure(Child::Claim(it)) => format!("claim {}", size(it)),
        Step::Grow(it) => format!("grow {}", size(it)),
        Step::Ensure(Child::Service(_)) => "service".to_owned(),
        Step::Hold => "pause".to_owned(),
        Step::Start(_) => "start".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Else a quota would be found out with everybody turned away.
#[test]
fn the_claim_of_the_way_back_is_made_before_anybody_is_turned_away() {
    assert_eq!(held(&unheld(COPIED)), ["claim dev-copy-7-1 10Gi", "pause"]);
    assert_eq!(held(&unheld(SAME)), ["claim dev-snapshots 10Gi", "pause"]);
    let both = Strategy::ExportImport(Destination::SameStoreCopied);
    let first = ["claim dev-snapshots 10Gi", "claim dev-copy-7-1 10Gi", "pause"];
    assert_eq!(held(&unheld(both)), first, "the copy is made with users held for long");
    let mut old = unheld(COPIED);
    old.hold = Some(Hold { pausable: false, ..Hold::default() });
    assert_eq!(held(&old), ["claim dev-copy-7-1 10Gi", "service"]);
    let mut there = unheld(SAME);
    there.children.exports = Exports::on(Some(Arc::new(claim_of("dev-snapshots"))));
    assert_eq!(held(&there), ["pause"], "it is there");
    let mut owners = unheld(COPIED);
    let stops = [Action::EnsureBackendStopped(born())];
    for (traffic, paused) in
        [(hold::HELD, None), (hold::HELD, Some(true)), (hold::PAUSED, Some(true))]
    {
        owners.hold = Some(told(paused));
        let first = planned(traffic, &owners, &stops);
        assert_eq!(first[0], "claim dev-copy-7-1 10Gi", "{traffic}, {paused:?}: {first:?}");
        assert!(!first.iter().any(|it| it.contains("StatefulSet")), "stopped first: {first:?}");
    }
}

/// Else an instance that goes, or one that is degraded, would leave another claim behind.
#[test]
fn claims_to_fill_are_made_while_exporting_and_in_no_other_phase() {
    let mut rolling = amid(SAME, Stage::Rolling);
    rolling.hold = Some(told(Some(false)));
    let held = steps(&told_of(hold::HELD), Action::EnsureTrafficHeld, &rolling);
    assert_eq!(held, [Step::Hold], "nothing is exported any more");
    let leaves = [Action::EnsureTrafficHeld, Action::EnsureChildrenRemoved { keep_stores: true }];
    let steps = owed(&told_of(hold::HELD), &leaves, &unheld(COPIED)).steps;
    assert!(!steps.iter().any(|it| said(it).starts_with("claim")), "{steps:?}");
    let mut failed = unheld(COPIED);
    let to = Store::Copied(failed.facts.pins.upgrade.as_ref().unwrap().next_snapshot());
    failed.children.claims.push((to, Arc::new(claim_of("dev-copy-7-1"))));
    let larger = json!({"requests": {"storage": "20Gi"}});
    Arc::make_mut(&mut failed.children.claims[0].1).spec.get_or_insert_default().resources =
        serde_json::from_value(larger).unwrap();
    let opens = [Action::EnsureStoreStamped(born())];
    let grown = |world: &World, actions: &[Action]| {
        let steps = owed(&told_of(hold::HELD), actions, world).steps;
        steps.iter().any(|it| said(it) == "grow dev-copy-7-1 20Gi")
    };
    assert!(grown(&failed, &[Action::EnsureImageProven(born().release)]));
    assert!(!grown(&failed, &opens), "no attempt will use it any more");
}

#[test]
fn a_claim_that_may_be_refused_keeps_nothing_else_from_being_put_right() {
    let words = planned(hold::HELD, &unheld(SAME), &[Action::EnsureBackendRolled(born())]);
    let set = words.iter().position(|it| it.contains("StatefulSet"));
    let claim = words.iter().position(|it| it.starts_with("claim dev-snapshots"));
    assert!(set.unwrap() < claim.unwrap(), "{words:?}");
    assert_eq!(words.last().map(String::as_str), Some("pause"));
}

/// A backend from before pauses is stopped, or exported, without being held: not before there is room either.
#[test]
fn what_cannot_be_held_is_neither_stopped_nor_exported_before_the_claims_are_there() {
    let of = amid(COPIED, Stage::Exporting).facts.pins.upgrade.unwrap().next_snapshot();
    let to = Store::Copied(of.clone());
    let copied =
        Action::EnsureCopied { attempt: of.clone(), from: Store::Original, to: to.clone() };
    let besides = [Action::EnsureBackendStopped(born()), copied, Action::EnsureExported(of)];
    let mut old = unheld(COPIED);
    old.hold = Some(Hold { pausable: false, ..Hold::default() });
    let mut serving = pod("dev-backend-0").ready();
    serving.status.get_or_insert_default().pod_ip = Some("10.0.0.7".to_owned());
    old.children.pods = vec![Arc::new(serving)];
    let all = |world: &World| planned(hold::HELD, world, &besides);
    assert_eq!(all(&old), ["claim dev-copy-7-1 10Gi", "service"]);
    old.children.claims.push((to, Arc::new(claim_of("dev-copy-7-1"))));
    let then = all(&old);
    assert_eq!(then[0], "service", "{then:?}");
    assert!(then.iter().any(|it| it == "start"), "{then:?}");
    assert!(then.iter().any(|it| it.contains("StatefulSet")), "{then:?}");
}

/// A volume that is full is grown so that it can be paused, and then it is to be copied.
#[test]
fn a_claim_that_was_made_before_the_volume_grew_is_made_anew_before_anybody_is_held() {
    let mut world = unheld(COPIED);
    let of = world.facts.pins.upgrade.as_ref().unwrap().next_snapshot();
    let unbound = Arc::new(claim_of("dev-copy-7-1").pending());
    world.children.claims.push((Store::Copied(of), unbound.clone()));
    assert_eq!(held(&world), ["pause"], "it is there");
    let grown = json!({"requests": {"storage": "20Gi"}});
    let (_, data) = &mut world.children.claims[0];
    Arc::make_mut(data).spec.get_or_insert_default().resources =
        serde_json::from_value(grown).unwrap();
    let goes = r#"Remove(Claim, "dev-copy-7-1")"#;
    for paused in [None, Some(false), Some(true)] {
        world.hold = Some(told(paused));
        assert_eq!(held(&world), [goes], "{paused:?}: held once it is there anew");
    }
    world.hold = Some(told(Some(false)));
    world.jobs.0.push(job(Errand::Copy, Outcome::Running));
    assert_eq!(held(&world), ["pause"], "its worker is about to use it");
    world.jobs.0.pop();
    // A removal by whoever is late is refused: a volume is not bound without another resourceVersion.
    world.children.claims[1].1 = Arc::new(claim_of("dev-copy-7-1"));
    assert_eq!(held(&world), ["pause", "grow dev-copy-7-1 20Gi"], "it has a volume");
    world.children.claims.pop();
    assert_eq!(held(&world), ["claim dev-copy-7-1 20Gi", "pause"]);
}

/// What somebody grew, or an earlier instance left, is larger than the spec says or of another class: asking for less is
/// refused by the API server, and no export would ever begin.
#[test]
fn the_claim_of_exports_keeps_the_size_and_the_class_that_it_has() {
    let mut world = unheld(SAME);
    let mut serving = pod("dev-backend-0").ready();
    serving.status.get_or_insert_default().pod_ip = Some("10.0.0.7".to_owned());
    world.children.pods = vec![Arc::new(serving)];
    let exported = |world: &World, spec: Value| {
        let instance = instance_with(|it| it["maintenance"] = json!({"snapshots": spec}));
        let of = world.facts.pins.upgrade.as_ref().unwrap().next_snapshot();
        steps(&instance, Action::EnsureExported(of), world)
    };
    let mut larger = claim_of("dev-snapshots").of_class("fast");
    world.children.exports = Exports::on(Some(Arc::new(larger.clone())));
    let smaller = || json!({"size": "5Gi", "storageClassName": "other"});
    let ours = exported(&world, smaller());
    assert_eq!(ours.iter().map(said).collect::<Vec<_>>(), ["start"], "as it was made");
    let marks = larger.metadata.labels.get_or_insert_default();
    marks.insert(labels::INSTANCE_UID.to_owned(), "of-an-earlier-one".to_owned());
    world.children.exports = Exports::on(Some(Arc::new(larger)));
    for spec in [smaller(), json!({})] {
        let left = exported(&world, spec);
        assert_eq!(
            left.iter().map(said).collect::<Vec<_>>(),
            ["claim dev-snapshots 10Gi", "start"]
        );
        let Step::Ensure(Child::Claim(claim)) = &left[0] else { panic!("{left:?}") };
        assert_eq!(claim.spec.as_ref().unwrap().storage_class_name.as_deref(), Some("fast"));
    }
}

#[test]
fn claims_grow_amid_an_upgrade_and_outside_of_one_and_last_of_all() {
    let instance = instance_with(|spec| {
        spec["backend"]["storage"] = json!({"pvc": {"size": "20Gi"}});
        spec["maintenance"] = json!({"snapshots": {"size": "30Gi"}});
    });
    let grows = |actions: &[Action], world: &World| {
        let steps = owed(&instance, actions, world).steps;
        let grows = |it: &&Step| matches!(it, Step::Grow(_));
        let last = steps.iter().rev().take_while(grows).map(said).collect::<Vec<_>>();
        assert_eq!(last.len(), steps.iter().filter(grows).count(), "something depends on it");
        last
    };
    let both = ["grow dev-snapshots 30Gi", "grow dev-data 20Gi"];
    let mut copied = unheld(COPIED);
    copied.children.exports = Exports::on(Some(Arc::new(claim_of("dev-snapshots"))));
    let target = copied.facts.pins.upgrade.as_ref().unwrap().to.release.clone();
    let proves = [Action::EnsureImageProven(target), Action::EnsureTrafficHeld];
    assert_eq!(grows(&proves, &copied), both, "a full volume cannot even note a pause");
    let home = World { children: copied.children.clone(), ..world(all_is_well()) };
    assert_eq!(grows(&[Action::EnsureStoreStamped(born())], &home), both);
    assert_eq!(grows(&[Action::EnsureTrafficHeld], &home), [""; 0], "not while it goes");
    let mut unused = home;
    unused.children.exports = Exports::on(Some(Arc::new(claim_of("dev-snapshots").pending())));
    assert_eq!(grows(&[Action::EnsureStoreStamped(born())], &unused), ["grow dev-data 20Gi"]);
}
