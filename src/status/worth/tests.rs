use serde_json::{Value, json};

use super::*;
use crate::fixtures::instance;

const BORN: &str = "2026-01-01T00:00:00Z";
const SERVED: &str = "2026-01-01T00:00:30Z";
const LATER: &str = "2026-01-02T00:00:00Z";

/// An instance in phase Ready, by this edge, whose `Ready` has been as it is since then.
fn status(edge: &str, since: &str, ready: (&str, &str), exposed: (&str, &str)) -> Value {
    let condition = |type_: &str, (status, reason): (&str, &str)| {
        json!({"type": type_, "status": status, "reason": reason, "message": "",
            "lastTransitionTime": since})
    };
    json!({"phase": "Ready", "observedGeneration": 3, "phaseTransitionTime": SERVED,
        "conditions": [condition("Ready", ready), condition("Exposed", exposed)],
        "history": [{"time": SERVED, "from": "Provisioning", "to": "Ready", "reason": edge,
            "message": ""}]})
}

fn worth(before: Value, after: Value, abnormal: bool) -> Duration {
    let [before, after] = [before, after].map(|it| serde_json::from_value(it).unwrap());
    super::after(&instance(), &before, &after, abnormal)
}

/// Of an instance that has not been Ready yet.
fn opening(reason: &str, exposed: (&str, &str)) -> Value {
    status("Ready", BORN, ("False", reason), exposed)
}

#[test]
fn which_of_dashboard_and_routes_is_waited_for_before_an_instance_is_ready_is_no_news() {
    let starts = opening("DashboardStarting", ("False", "BackendNotFound"));
    for after in [
        opening("DashboardStarting", ("False", "ControllerPending")),
        opening("DashboardStarting", ("True", "Accepted")),
        opening("RoutePending", ("False", "RoutePending")),
    ] {
        assert_eq!(worth(starts.clone(), after, false), OPENING);
    }
}

#[test]
fn that_an_instance_is_ready_and_what_is_wrong_with_it_is_told_at_once() {
    let starts = opening("RoutePending", ("False", "RoutePending"));
    let ready = status("Ready", LATER, ("True", "Serving"), ("True", "Accepted"));
    assert_eq!(worth(starts.clone(), ready, false), Duration::ZERO);
    let refused = opening("NotAllowedByListeners", ("False", "NotAllowedByListeners"));
    assert_eq!(worth(starts, refused, true), Duration::ZERO);
}

#[test]
fn of_an_instance_that_was_ready_it_is_told_at_once_whether_it_is_exposed() {
    let of = |edge: &str, since: &str, ready: &str, exposed| {
        status(edge, since, (ready, "Serving"), exposed)
    };
    let (in_, out) = (("True", "Accepted"), ("False", "RoutePending"));
    for (edge, since, ready) in
        [("Ready", LATER, "True"), ("Ready", LATER, "False"), ("UpgradeFinished", BORN, "False")]
    {
        let told = worth(of(edge, since, ready, in_), of(edge, since, ready, out), false);
        assert_eq!(told, Duration::ZERO, "{edge} {since} {ready}");
    }
    let (one, other) = (("False", "RoutePending"), ("False", "ControllerPending"));
    let told = worth(of("Ready", LATER, "True", one), of("Ready", LATER, "True", other), false);
    assert_eq!(told, PASSING, "which of several routes is still awaited passes");
}
