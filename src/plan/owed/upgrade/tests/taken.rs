//! Claims that somebody takes away from the workers that fill them.

use std::sync::Arc;

use super::{
    room::{held, planned, said, unheld},
    *,
};
use crate::{
    fixtures::{ClaimWords, claim as claim_of},
    plan::exports::Exports,
};

/// The pods of Jobs that have ended keep it, for as long as these are there: an import's for months.
#[test]
fn a_claim_of_exports_that_was_deleted_goes_with_every_job_that_has_used_it() {
    let import = job(Errand::Import, Outcome::Succeeded);
    let of = Snapshot { attempt: 9, ..import.of.clone() };
    let import = Seen { name: "dev-import-6-1".to_owned(), of, ..import };
    let mut deleted = unheld(SAME);
    deleted.children.exports = Exports::on(Some(Arc::new(claim_of("dev-snapshots").deleted())));
    deleted.jobs.0.extend([import, job(Errand::Export, Outcome::Failed)]);
    let job = r#"Remove(Job, "dev-import-6-1")"#;
    // The proof uses no claim, and is not made again for it; and who removes a Job twice is refused.
    let goes = [r#"Remove(Job, "dev-export-7-1")"#, job, r#"Remove(Claim, "dev-snapshots")"#];
    assert_eq!(held(&deleted), goes, "held once it is there anew");
    deleted.facts.pins.upgrade = None;
    let ready = steps(&instance(), Action::EnsureTrafficFlowing, &deleted);
    assert!(ready.iter().any(|it| said(it) == job), "{ready:?}");
}

/// Else an empty claim would count as the copy, and the target be let at the only data there is.
#[test]
fn a_claim_that_was_taken_away_from_its_worker_is_made_anew_only_once_its_job_is_gone() {
    let besides = [Action::EnsureBackendStopped(born())];
    for outcome in [Outcome::Running, Outcome::Succeeded, Outcome::Failed] {
        for hold in [None, Some(told(Some(true)))] {
            let mut copied = unheld(COPIED);
            copied.hold = hold;
            copied.jobs.0.push(job(Errand::Copy, outcome));
            let steps = planned(hold::HELD, &copied, &besides);
            assert_eq!(steps[0], r#"Remove(Job, "dev-copy-7-1")"#, "{outcome:?}");
            assert!(!steps.iter().any(|it| it.starts_with("claim")), "{steps:?}");
        }
    }
    let mut exported = unheld(SAME);
    exported.jobs.0.push(job(Errand::Export, Outcome::Succeeded));
    assert_eq!(held(&exported), [r#"Remove(Job, "dev-export-7-1")"#]);
    // Where it was deleted, the pod of its worker keeps it: that goes, then the claim, and then both are made.
    let mut going = unheld(COPIED);
    let to = Store::Copied(going.facts.pins.upgrade.as_ref().unwrap().next_snapshot());
    going.children.claims.push((to, Arc::new(claim_of("dev-copy-7-1").deleted())));
    let waits = [r#"Remove(Claim, "dev-copy-7-1")"#];
    assert_eq!(planned(hold::HELD, &going, &besides), waits);
    going.jobs.0.push(job(Errand::Copy, Outcome::Succeeded));
    assert_eq!(held(&going), [r#"Remove(Job, "dev-copy-7-1")"#]);
    // One that is there under its name and is another one.
    let mut another = unheld(COPIED);
    let to = Store::Copied(another.facts.pins.upgrade.as_ref().unwrap().next_snapshot());
    another.children.claims.push((to, Arc::new(claim_of("dev-copy-7-1"))));
    let fills =
        Seen { claim: Some("the-first".to_owned()), ..job(Errand::Copy, Outcome::Succeeded) };
    another.jobs.0.push(fills);
    assert_eq!(held(&another), [r#"Remove(Job, "dev-copy-7-1")"#]);
    let mut stopped = unheld(COPIED);
    stopped.hold = None;
    assert_eq!(held(&stopped)[0], "claim dev-copy-7-1 10Gi");
}
