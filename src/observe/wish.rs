//! What the user wants, in the machine's words.

use std::time::Duration;

use kube::{Resource, ResourceExt};
use statemachine::{
    Phase,
    observed::Wish,
    phase::Stage,
    pins::{Destination, Pins, Release, Strategy, Upgrade, WayBack},
};

use super::{Children, hold, phase, pins};
use crate::{
    api::{ConvexInstance, Engine, ImportInto, OnFailure, PreUpgradeSnapshot, UpgradeStrategy},
    context::Settings,
    plan::{claim, gate::left_behind},
};

/// The annotation whose change asks for another try.
const RETRY: &str = "convex.icod.de/retry";

/// The wish of an instance.
pub(super) fn of(instance: &ConvexInstance, settings: &Settings) -> Wish {
    let spec = &instance.spec;
    let default_image = || format!("{}:{}", settings.backend_repository, spec.version);
    Wish {
        release: Release {
            version: spec.version.clone(),
            image: spec.backend.image.clone().unwrap_or_else(default_image),
            engine: engine(instance),
        },
        strategy: strategy(instance),
        rollback: spec.maintenance.on_failure == OnFailure::Rollback,
        retry: retry(instance),
        deletion: instance.meta().deletion_timestamp.is_some(),
        farewell: false,
        suspend: spec.suspend,
        unheld_export: spec.maintenance.accept_unheld_export,
    }
}

/// The token by which another try is asked for.
#[must_use]
pub fn asked_again(instance: &ConvexInstance) -> Option<String> {
    instance.annotations().get(RETRY).cloned()
}

fn retry(instance: &ConvexInstance) -> String {
    asked_again(instance).filter(|_| !lets_in_first(instance)).unwrap_or_default()
}

/// Users whom the last try turned away are let in before another one is heard of: it may wait for long, and hold nobody then.
fn lets_in_first(instance: &ConvexInstance) -> bool {
    let upgrade = pins(instance).upgrade;
    let exporting = upgrade.is_some_and(|it| it.stage == Stage::Exporting);
    exporting && phase(instance) == Phase::Degraded && hold::is_held(instance)
}

/// What decides how data is opened, besides the version: the kind of database. Where it is may change, as an address or a password
/// does, and is no upgrade.
#[must_use]
pub fn engine(instance: &ConvexInstance) -> String {
    let engine = match instance.spec.backend.db.engine {
        Engine::Postgres => "postgres",
        Engine::Mysql => "mysql",
        Engine::Sqlite => "sqlite",
    };
    engine.to_owned()
}

/// Whether the data of a release is on a server.
#[must_use]
pub fn is_server(release: &Release) -> bool {
    matches!(release.engine.as_str(), "postgres" | "mysql")
}

fn strategy(instance: &ConvexInstance) -> Strategy {
    let spec = &instance.spec;
    let volume = spec.backend.db.engine == Engine::Sqlite;
    let way_back = match spec.maintenance.pre_upgrade_snapshot {
        PreUpgradeSnapshot::Auto if volume => WayBack::Copy,
        PreUpgradeSnapshot::Auto | PreUpgradeSnapshot::Export => WayBack::Export,
        PreUpgradeSnapshot::Copy => WayBack::Copy,
        PreUpgradeSnapshot::Off => WayBack::None,
    };
    match (spec.maintenance.upgrade_strategy, spec.maintenance.export_import.into) {
        (UpgradeStrategy::InPlace, _) => Strategy::InPlace(way_back),
        (UpgradeStrategy::ExportImport, ImportInto::FreshStore) => {
            Strategy::ExportImport(Destination::FreshStore)
        }
        (UpgradeStrategy::ExportImport, ImportInto::SameStore) if way_back == WayBack::Copy => {
            Strategy::ExportImport(Destination::SameStoreCopied)
        }
        (UpgradeStrategy::ExportImport, ImportInto::SameStore) => {
            Strategy::ExportImport(Destination::SameStore)
        }
    }
}

/// Whether what the strategy asks for can be had: copies and new stores are claims, and a store without one goes with the
/// pod that has it open. Of a database on a server no copy is made: a volume beside it holds files only, and a copy of that
/// is no way back. A new one is made where its user is asked to make what is missing.
pub(super) fn obtainable(instance: &ConvexInstance) -> bool {
    let strategy = strategy(instance);
    let db = &instance.spec.backend.db;
    if db.is_server() {
        return !strategy.stops() && (!strategy.starts_over() || db.makes_databases());
    }
    let volume = instance.spec.backend.storage.pvc.enabled;
    volume || strategy == Strategy::InPlace(WayBack::None)
}

/// Whether the owner lets users in to a fresh store on which no functions are.
pub(super) fn lets_in_without_functions(instance: &ConvexInstance) -> bool {
    !instance.spec.maintenance.export_import.wait_for_functions
}

/// Whether the wanted release once opened the store that the data is in, which has moved on since.
pub(super) fn outgrown(wish: &Wish, children: &Children, pins: &Pins) -> bool {
    let wanted = &wish.release.opener();
    // Once the target was let in, what was at home has moved on from this store as well.
    let left = pins.upgrade.as_ref().is_some_and(Upgrade::overwritten);
    let runs = pins.home.as_ref().filter(|_| !left).map(|home| home.release.opener());
    let store = pins.home.as_ref().map(|home| &home.store);
    let record = children.record();
    let opened = match (&record, store) {
        (Some(record), Some(store)) if !record.opened_by(store).is_empty() => {
            record.opened_by(store).to_vec()
        }
        _ => children.deed.as_ref().filter(|it| store == Some(&it.about())).map_or_else(
            || claim::opened_by(children.claim().map(|claim| &claim.metadata)),
            |deed| deed.opened.clone(),
        ),
    };
    runs.as_ref() != Some(wanted) && left_behind(&opened, wanted).is_some()
}

/// How long the phase may last.
pub(super) fn patience(instance: &ConvexInstance, phase: Phase) -> Duration {
    let maintenance = &instance.spec.maintenance;
    seconds(match phase {
        Phase::Upgrading(Stage::Exporting) => maintenance.export_deadline_seconds,
        Phase::Upgrading(Stage::Rolling) => maintenance.rollout_deadline_seconds,
        Phase::Upgrading(Stage::Importing) => maintenance.import_deadline_seconds,
        _ => maintenance.provision_deadline_seconds,
    })
}

/// How long the backend may be away.
pub(super) fn grace(instance: &ConvexInstance) -> Duration {
    seconds(instance.spec.maintenance.unavailable_grace_seconds)
}

fn seconds(number: i32) -> Duration {
    Duration::from_secs(u64::try_from(number).unwrap_or_default())
}

#[cfg(test)]
mod tests;
