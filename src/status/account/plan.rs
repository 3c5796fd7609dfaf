//! What the next upgrade would do, in words, for whoever decides on it.

use chrono::{DateTime, Utc};
use statemachine::{
    observed::Leave,
    pins::{Destination, Strategy, WayBack},
};

use crate::{
    api::{ConvexInstance, ConvexInstanceStatus, Engine, UpgradePlan},
    observe::World,
    plan::exports,
    status::messages::short,
};

/// The plan of the upgrade that is wished for and has not begun; none where none is, or it is not begun by itself.
pub(super) fn of(
    instance: &ConvexInstance,
    world: &World,
    before: &ConvexInstanceStatus,
) -> Option<UpgradePlan> {
    let refused = world.facts.refuses_wish(&world.facts.pins);
    let id = world.control.plan.clone().filter(|_| !refused)?;
    let words = Words::of(instance, world);
    let last = before.snapshots.last().map(|it| it.bytes);
    Some(UpgradePlan {
        id,
        steps: words.steps(world.facts.wish.strategy),
        snapshot_bytes: last,
        expected_downtime: words.downtime(world.facts.wish.strategy, last),
    })
}

/// When the window opens that the next upgrade waits for.
pub(super) fn opens(world: &World) -> Option<DateTime<Utc>> {
    world.control.hours.opens.filter(|_| world.control.leave == Leave::ForWindow)
}

/// What a plan is told with.
struct Words {
    from: String,
    to: String,
    image: String,
    store: String,
    exports: String,
    size: Option<String>,
    waits_for_functions: bool,
    /// What a new store is.
    fresh: &'static str,
    /// Where an export goes, to go back to it.
    back: &'static str,
}

impl Words {
    fn of(instance: &ConvexInstance, world: &World) -> Self {
        let wish = &world.facts.wish.release;
        let spec = &instance.spec;
        let store = match (spec.backend.db.engine, spec.backend.storage.pvc.enabled) {
            (Engine::Sqlite, true) => format!("claim {}", world.claim_name(instance)),
            (Engine::Sqlite, false) => "the volume of its pod".to_owned(),
            _ => "its database".to_owned(),
        };
        Self {
            from: short(&world.release().version),
            to: short(&wish.version),
            image: wish.image.clone(),
            store,
            exports: exports::words(world.bucket_of_exports(instance).as_deref(), &world.names),
            size: size(world),
            waits_for_functions: spec.maintenance.export_import.wait_for_functions,
            fresh: if spec.backend.db.is_server() { "database" } else { "claim" },
            back: match (spec.backend.db.is_server(), spec.backend.db.makes_databases()) {
                (true, false) => ", into a new database, by hand",
                (true, true) => ", into a new database",
                (false, _) => "",
            },
        }
    }

    fn steps(&self, strategy: Strategy) -> Vec<String> {
        let Self { from, to, store, .. } = self;
        if !strategy.prepares() {
            return vec![
                format!("stop the backend of {from}"),
                format!(
                    "start {to} ({}) on {store}, which it migrates: there is no way back",
                    self.image
                ),
            ];
        }
        let mut steps = vec![
            format!("prove image {} on the node, while {from} goes on serving", self.image),
            "pause the deployment: users are turned away".to_owned(),
        ];
        if strategy.exports() {
            steps.push(format!("export all data to {} and verify it", self.exports));
        }
        steps.push(format!("stop the backend of {from}"));
        if strategy.stops() {
            steps.push(format!("copy {store} to a new claim and verify every file"));
        }
        steps.push(self.start(strategy));
        if strategy.imports() {
            steps.push(format!(
                "import the export into {to}, replacing everything, and compare every table"
            ));
        }
        if strategy.starts_over() && self.waits_for_functions {
            steps.push(format!("wait until functions are deployed on {to}"));
        }
        steps.push("end the pause: users are let in".to_owned());
        steps
    }

    fn start(&self, strategy: Strategy) -> String {
        let Self { to, store, fresh, back, .. } = self;
        match strategy {
            Strategy::ExportImport(Destination::FreshStore) => {
                format!(
                    "start {to} on a new and empty {fresh}; {store} stays as it is, as the way back"
                )
            }
            Strategy::ExportImport(Destination::SameStoreCopied)
            | Strategy::InPlace(WayBack::Copy) => {
                format!("start {to} on {store}, which it migrates; the way back is the copy")
            }
            _ => format!(
                "start {to} on {store}, which it migrates; the way back is the export{back}"
            ),
        }
    }

    /// Nobody knows how fast a disk is: what takes the time is named, and its size where it is known.
    fn downtime(&self, strategy: Strategy, last: Option<i64>) -> String {
        let replaced = "the replacement of one pod and its migrations";
        if !strategy.prepares() {
            return format!(
                "{replaced}: seconds, unless the image is yet to be pulled or there is much to migrate"
            );
        }
        let mut parts = Vec::new();
        let exported =
            last.map(|bytes| format!(" (the last one had {bytes} bytes)")).unwrap_or_default();
        if strategy.exports() {
            parts.push(format!("exporting all data{exported}"));
        }
        if strategy.stops() {
            let size = self.size.as_ref().map(|it| format!(" of {it} at most")).unwrap_or_default();
            parts.push(format!("copying the volume{size}"));
        }
        parts.push(replaced.to_owned());
        if strategy.imports() {
            parts.push("importing everything".to_owned());
        }
        if strategy.starts_over() && self.waits_for_functions {
            parts.push("deploying functions".to_owned());
        }
        format!("the time that these take: {}", parts.join(", "))
    }
}

/// How large the volume is, or was asked to be.
fn size(world: &World) -> Option<String> {
    let claim = world.children.claim()?;
    let has = || Some(claim.status.as_ref()?.capacity.as_ref()?.get("storage")?.0.clone());
    let asks = || {
        let resources = claim.spec.as_ref()?.resources.as_ref()?;
        Some(resources.requests.as_ref()?.get("storage")?.0.clone())
    };
    has().or_else(asks)
}

#[cfg(test)]
mod tests;
