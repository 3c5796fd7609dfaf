//! What has just happened: the words of an Event, and of the history.

use std::collections::BTreeSet;

use statemachine::{
    Step,
    pins::{Pins, Upgrade},
    taken::Reason,
};

use super::{cause::gone_to, short, workers};
use crate::{
    api::ConvexInstance,
    observe::{World, image},
    plan::{
        exports::{self, Place},
        names::{Errand, attempt},
    },
    worker::report::Report,
};

/// What is said about an edge, where that is more than what is said about the phase. The pins are those after it.
pub(super) fn announced(
    instance: &ConvexInstance,
    step: &Step,
    reason: Reason,
    world: &World,
) -> Option<String> {
    let version = short(gone_to(world).unwrap_or(&instance.spec.version));
    let runs = short(&world.release().version);
    let pins: &Pins = &world.facts.pins;
    let upgrade = pins.upgrade.as_ref();
    Some(match reason {
        Reason::Provisioning | Reason::Settled => {
            format!("creating secrets, storage, backend and dashboard for version {version}")
        }
        Reason::Ready => format!("backend serves {runs}, admin key accepted"),
        Reason::UpgradeStarted => started(upgrade?),
        Reason::ExportVerified => {
            format!(
                "{}; the backend is stopped next, for a cold copy",
                bought(instance, upgrade?, world)?
            )
        }
        Reason::SnapshotVerified => {
            format!("{}; {version} starts next", bought(instance, upgrade?, world)?)
        }
        Reason::ImportStarted => format!("{version} serves; the export is loaded into it next"),
        Reason::UpgradeFinished | Reason::RollbackFinished => {
            finished(instance, step, &runs, world)
        }
        Reason::RollbackStarted => {
            let way_back = super::super::account::upgrade::way_back(instance, upgrade?, world)?;
            format!("going back to {version}: {way_back}{}", because(instance, world))
        }
        Reason::UpgradeAbandoned => {
            format!("the upgrade is dropped before anything was moved; {runs} serves on")
        }
        Reason::UpgradeRetried => {
            let upgrade = upgrade?;
            format!("attempt {} to go to {version} begins in {:?}", upgrade.attempt, upgrade.stage)
        }
        Reason::UpgradeRedirected => format!("the upgrade goes to {version} now"),
        Reason::UpgradeResumed => {
            format!("what stopped the upgrade is gone; it goes on to {version}")
        }
        Reason::Recovered => format!("the backend serves {runs} again"),
        Reason::Resumed => "resumed: the backend is started again".to_owned(),
        Reason::MemoryLost => {
            "the status was lost: looking at what is there before anything is moved".to_owned()
        }
        Reason::Deleting => return left(instance, world),
        _ => return None,
    })
}

/// Where exports stay that go with nobody; none where there are none in a bucket.
fn left(instance: &ConvexInstance, world: &World) -> Option<String> {
    let kept = instance.status.iter().flat_map(|it| &it.snapshots);
    let buckets: BTreeSet<_> = kept.filter_map(|it| it.bucket.as_deref()).collect();
    let places: Vec<_> =
        buckets.into_iter().map(|it| exports::words(Some(it), &world.names)).collect();
    (!places.is_empty()).then(|| {
        format!(
            "removing what belongs to the instance; its exports stay in {}, below {}/: remove them there once nobody needs them",
            places.join(" and "),
            exports::common(instance)
        )
    })
}

fn started(upgrade: &Upgrade) -> String {
    let (from, to) = (short(&upgrade.from.release.version), short(&upgrade.to.release.version));
    let strategy = upgrade.strategy;
    let how = match (strategy.imports(), strategy.starts_over()) {
        (false, _) => "in place",
        (true, false) => "by export and import into the same store",
        (true, true) => "by export and import into a fresh store",
    };
    let way_back = match (strategy.exports(), strategy.stops()) {
        _ if strategy.starts_over() => "the old store stays as it is",
        (_, true) => "cold copy first",
        (true, false) => "export first",
        (false, false) => "without a way back",
    };
    format!("{from} -> {to} {how}, upgrade {}; {way_back}", upgrade.id.0)
}

/// What was verified for this upgrade, as its Job has reported it.
fn bought(instance: &ConvexInstance, upgrade: &Upgrade, world: &World) -> Option<String> {
    let exported = upgrade.snapshot.as_ref().filter(|_| upgrade.copy.is_none());
    let (errand, of) = match (exported, &upgrade.copy) {
        (Some(of), _) => (Errand::Export, of),
        (None, of) => (Errand::Copy, of.as_ref()?),
    };
    let report = world.jobs.find(errand, of)?.report.as_ref()?;
    let place = Place::kept(instance, &world.jobs, of).words(&world.names);
    let name = attempt(of);
    Some(match report {
        Report::Exported { bytes, sha256, tables, documents, .. } => format!(
            "export {name}: {tables} tables, {documents} documents, {bytes} bytes, sha256 {}…, kept on {place}",
            sha256.get(..8).unwrap_or(sha256)
        ),
        Report::Copied { entries, bytes, sha256, .. } => format!(
            "cold copy {name}: {entries} files and folders, {bytes} bytes, sha256 {}…",
            sha256.get(..8).unwrap_or(sha256)
        ),
        Report::Imported { .. } | Report::Failed { .. } => return None,
    })
}

/// How long it took as a whole, from when the upgrade was pinned.
fn finished(instance: &ConvexInstance, step: &Step, runs: &str, world: &World) -> String {
    let upgrade = instance.status.as_ref().and_then(|it| it.upgrade.as_ref());
    let begun = upgrade.and_then(|it| it.start_time.as_ref());
    let whole = begun.map(|it| world.now.timestamp() - it.0.as_second());
    let seconds = whole.unwrap_or(i64::try_from(world.facts.waited.as_secs()).unwrap_or_default());
    let from = upgrade.map(|it| short(&it.to)).unwrap_or_default();
    if step.taken.is_some_and(|taken| taken.reason == Reason::RollbackFinished) {
        return format!("backend serves {runs} again after {seconds}s; {from} was not kept");
    }
    let proven = upgrade.and_then(|it| it.digest.as_deref());
    format!("backend serves {runs} after {seconds}s{}", other_than(proven, world))
}

/// Why it goes back, where that was not asked for: the cause goes with the pod that had it.
fn because(instance: &ConvexInstance, world: &World) -> String {
    let wanted = world.facts.pins.upgrade.as_ref().map(|it| &it.to.release);
    if wanted != Some(&world.facts.wish.release) {
        return String::new();
    }
    let before = instance.status.as_ref().and_then(super::kept);
    let seen = workers::job(world).or_else(|| world.trouble.clone()).filter(|it| it.abnormal);
    let late = || format!("it was not done within {}s", world.facts.patience.as_secs());
    format!("; because {}", seen.or(before).map_or_else(late, |it| it.message))
}

/// A tag may have moved between the proof of an image and the pod that was to run it.
fn other_than(proven: Option<&str>, world: &World) -> String {
    let runs = image::running(&world.children);
    match (proven, runs.as_deref().and_then(image::digest)) {
        (Some(proven), Some(runs)) if proven != runs => {
            format!("; its image was proven as {proven}, and its tag has been moved to {runs}")
        }
        _ => String::new(),
    }
}
