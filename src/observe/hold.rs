//! Whether anybody can still write: what the deployment itself says of its pause, asked in the very pass that relies on it.
//!
//! Nothing is asked at rest. Asked is what an upgrade needs to know: whether the deployment is paused, whether it can be,
//! which imports it still performs, and whether code is deployed on it.

use std::net::SocketAddr;

use statemachine::{
    Phase, Stage,
    observed::Traffic,
    pins::{Backend, Pins, Strategy, Upgrade},
};

use super::{Children, Keys, backend, phase};
use crate::{
    api::{ConditionStatus, ConvexInstance},
    convex::deployment::Deployment,
};

/// What a status says of traffic that is held for an upgrade.
pub const HELD: &str = "Held";
/// The same where the owner had paused the deployment before, which an upgrade leaves as it is.
pub const PAUSED: &str = "Paused";

/// What the deployment said of itself in this pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hold {
    /// Whether it is paused; none where it did not say.
    pub paused: Option<bool>,
    /// Whether it can be paused.
    pub pausable: bool,
    /// The imports that it performs.
    pub imports: Vec<String>,
    /// Why it did not tell its imports when it was asked for them: it may perform some.
    pub untold: Option<String>,
    /// Whether functions are deployed; none where nobody asked or it did not say.
    pub deployed: Option<bool>,
}

/// Asks the one backend pod where there is something to know.
pub(super) async fn ask(
    instance: &ConvexInstance,
    children: &Children,
    (pins, strategy, wishes): (&Pins, Strategy, bool),
    keys: Option<&Keys>,
) -> Option<Hold> {
    let asks = match (phase(instance), &pins.upgrade) {
        (Phase::Upgrading(_) | Phase::Degraded, Some(upgrade)) => upgrade.strategy.prepares(),
        // Data that was there before may have been paused before, and nobody may know.
        (Phase::Provisioning, _) => true,
        (Phase::Ready, _) => {
            traffic_told(instance).is_some()
                || lacks_functions(instance)
                || (wishes && strategy.prepares())
        }
        _ => false,
    };
    let deployment = deployment(instance, children, keys).filter(|_| asks)?;
    let (paused, can) = (deployment.is_paused().await, deployment.can_be_paused().await);
    let mut hold = Hold {
        // That it lets users in is news only where it is known that it could keep them out.
        paused: paused.ok().flatten().filter(|paused| *paused || can.is_ok()),
        pausable: !matches!(can, Ok(false)),
        ..Hold::default()
    };
    let moved = pins.upgrade.as_ref().filter(|it| it.stage != Stage::Exporting);
    if let Some(upgrade) = moved {
        match deployment.imports().await {
            Ok(imports) => hold.imports = imports.in_progress.into_iter().collect(),
            // A function that fails has told nothing either. One that is to be replaced need not tell: it performs nothing once
            // it has ended, and who takes its place in the same store is asked before anybody relies on what is there.
            Err(error) if is_at_home(children, &upgrade.aim()) => {
                hold.untold = Some(error.to_string());
            }
            Err(_) => {}
        }
    }
    let fresh =
        moved.is_some_and(|it| it.stage == Stage::Importing && it.aim().store != it.from.store);
    if fresh || lacks_functions(instance) {
        hold.deployed = deployment.functions().await.ok().map(|count| count > 0);
    }
    Some(hold)
}

/// The deployment of the one backend pod.
pub(crate) fn deployment(
    instance: &ConvexInstance,
    children: &Children,
    keys: Option<&Keys>,
) -> Option<Deployment> {
    let address = address(children)?;
    let store = backend::of_pod(children.pods.first()?).store;
    Some(Deployment::at(address, keys?.of_store(instance, &store).ok()?))
}

/// Whether the one pod is what an upgrade goes to.
fn is_at_home(children: &Children, aim: &Backend) -> bool {
    children.pods.iter().all(|pod| backend::of_pod(pod) == *aim)
}

/// Whether a new store was last seen to hold no functions.
fn lacks_functions(instance: &ConvexInstance) -> bool {
    let conditions = instance.status.iter().flat_map(|it| &it.conditions);
    let mut told = conditions.filter(|it| it.type_ == "FunctionsDeployed");
    told.any(|it| it.status != ConditionStatus::True)
}

/// Whether this instance holds its users for an upgrade, as its status says.
#[must_use]
pub fn is_held(instance: &ConvexInstance) -> bool {
    traffic_told(instance) == Some(HELD)
}

/// Whether the deployment is paused, and not by this operator for an upgrade: as it says, or else as was last told.
#[must_use]
pub fn is_paused_by_owner(instance: &ConvexInstance, hold: Option<&Hold>) -> bool {
    let told = traffic_told(instance);
    let says = hold.and_then(|it| it.paused);
    told != Some(HELD) && says.unwrap_or(told == Some(PAUSED))
}

/// Whether it is on record whose pause the next one is: nothing is paused before that.
#[must_use]
pub fn is_known(instance: &ConvexInstance, upgrade: &Upgrade, hold: &Hold) -> bool {
    traffic_told(instance).is_some() && !is_resumed(instance, upgrade, hold)
}

/// Whether the owner has ended the pause that was there before: the next one is ours. A new store knows of no pause at its
/// birth.
#[must_use]
pub fn is_resumed(instance: &ConvexInstance, upgrade: &Upgrade, hold: &Hold) -> bool {
    let fresh = upgrade.stage != Stage::Exporting && upgrade.aim().store != upgrade.from.store;
    traffic_told(instance) == Some(PAUSED) && hold.paused == Some(false) && !fresh
}

fn traffic_told(instance: &ConvexInstance) -> Option<&str> {
    instance.status.as_ref()?.traffic.as_deref()
}

/// Where the one backend pod is asked; none where there is not exactly one that is ready.
#[must_use]
pub fn address(children: &Children) -> Option<SocketAddr> {
    let [pod] = &children.pods[..] else { return None };
    super::answer::address(pod).filter(|_| backend::is_ready(pod))
}

/// Whether anybody can write. Behind a gate that was shut under our fence, which happens only once traffic was seen held,
/// nobody can, whether the backend has ended already or not.
pub(super) fn traffic(children: &Children, pins: &Pins, hold: Option<&Hold>) -> Traffic {
    let Some(upgrade) = &pins.upgrade else { return at_home(children, hold) };
    if !upgrade.strategy.prepares() {
        return at_home(children, hold);
    }
    if backend::is_shut(children, &pins.backend_fence().0) {
        return Traffic::Held;
    }
    match hold {
        Some(hold) if !hold.pausable => Traffic::Unholdable,
        Some(Hold { paused: Some(true), .. }) => Traffic::Held,
        Some(Hold { paused: Some(false), .. }) => Traffic::Flowing,
        _ => Traffic::Draining,
    }
}

/// Without an upgrade users are kept out by the Service, which leads nowhere.
fn at_home(children: &Children, hold: Option<&Hold>) -> Traffic {
    if hold.is_some_and(|it| !it.pausable) {
        return Traffic::Unholdable;
    }
    let flows = children.service.as_deref().is_some_and(crate::plan::service::flows);
    if flows { Traffic::Flowing } else { Traffic::Held }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use statemachine::{
        Direction,
        pins::{Strategy, WayBack},
        worlds::upgrade,
    };

    use super::*;
    use crate::fixtures::{gate, instance};

    fn pins() -> Pins {
        let strategy = Strategy::InPlace(WayBack::Copy);
        let upgrade = Some(upgrade(strategy, Stage::Exporting, Direction::Forward));
        let fence = statemachine::pins::Revision("5".to_owned());
        Pins { upgrade, fence, ..Pins::default() }
    }

    fn amid(hold: Option<&Hold>, open: bool) -> Traffic {
        let gate = Some(Arc::new(gate("v1", open)));
        traffic(&Children { gate, ..Children::default() }, &pins(), hold)
    }

    #[test]
    fn held_is_what_the_deployment_says_itself_or_a_gate_that_is_shut() {
        let says =
            |paused, pausable| amid(Some(&Hold { paused, pausable, ..Hold::default() }), true);
        assert_eq!(says(Some(true), true), Traffic::Held);
        assert_eq!(says(Some(false), true), Traffic::Flowing);
        assert_eq!(says(None, true), Traffic::Draining, "it did not say");
        assert_eq!(says(None, false), Traffic::Unholdable);
        assert_eq!(amid(None, true), Traffic::Draining, "nobody was asked");
        assert_eq!(amid(None, false), Traffic::Held);
    }

    /// Nobody knows whether anybody was held when it was shut.
    #[test]
    fn a_gate_that_was_shut_before_this_edge_holds_nobody() {
        let mut pins = pins();
        let gate = Some(Arc::new(gate("v1", false)));
        let children = Children { gate, ..Children::default() };
        assert_eq!(traffic(&children, &pins, None), Traffic::Held);
        pins.fence = statemachine::pins::Revision("6".to_owned());
        assert_eq!(traffic(&children, &pins, None), Traffic::Draining);
    }

    #[test]
    fn a_pause_is_its_owners_unless_it_was_made_for_an_upgrade() {
        let of = |told: Option<&str>, paused: Option<bool>| {
            let mut instance = instance();
            instance.status.get_or_insert_default().traffic = told.map(str::to_owned);
            is_paused_by_owner(&instance, Some(&Hold { paused, ..Hold::default() }))
        };
        assert!(of(None, Some(true)) && of(Some(PAUSED), Some(true)) && of(Some(PAUSED), None));
        assert!(!of(Some(HELD), Some(true)) && !of(Some(PAUSED), Some(false)) && !of(None, None));
    }
}
