use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use serde_json::json;

use super::*;
use crate::{
    fixtures::{all_is_well, instance_with, world},
    observe::{Obstacle, Preflight},
};

fn on_postgres() -> ConvexInstance {
    instance_with(|spec| {
        spec["backend"]["db"] = json!({"engine": "postgres", "secretRef": "pg", "urlKey": "uri"});
    })
}

fn at(second: i64) -> Time {
    Time(Timestamp::from_second(second).unwrap())
}

fn told(obstacle: Option<&str>, latency: i64, second: i64) -> World {
    let mut world = world(all_is_well());
    world.preflight = Preflight {
        dependencies: vec![Dependency {
            name: "database".to_owned(),
            server: Server::Database,
            obstacle: obstacle.map(|it| Obstacle::new("DatabaseLoginFailed", it)),
            note: String::new(),
            latency_ms: obstacle.is_none().then_some(latency),
            at: Some(at(second)),
        }],
    };
    world
}

fn after(world: &World, before: &ConvexInstanceStatus) -> ConvexInstanceStatus {
    let dependencies = of(&on_postgres(), world, before);
    ConvexInstanceStatus { dependencies, ..before.clone() }
}

#[test]
fn a_failure_keeps_when_it_was_last_well() {
    let well = after(&told(None, 12, 100), &ConvexInstanceStatus::default());
    assert_eq!(well.dependencies[0].last_connected_time, Some(at(100)));
    let amiss = after(&told(Some("wrong"), 0, 200), &well);
    let one = &amiss.dependencies[0];
    assert_eq!((one.connected, one.latency_ms), (false, None));
    assert_eq!((&one.last_connected_time, one.message.as_deref()), (&Some(at(100)), Some("wrong")));
    assert!(differ(&well, &amiss));
}

/// Its pod has looked once, and not since.
#[test]
fn beside_a_backend_that_ends_again_and_again_nothing_is_called_connected() {
    let well = told(None, 12, 100);
    let before = after(&well, &ConvexInstanceStatus::default());
    let mut crashing = well;
    crashing.trouble = Some(Obstacle::new("BackendCrashing", ""));
    let now = after(&crashing, &before);
    let one = &now.dependencies[0];
    assert_eq!((one.connected, &one.last_connected_time), (false, &Some(at(100))));
    let message = one.message.as_deref().unwrap();
    assert!(message.contains("kubectl delete pod dev-backend-0"), "{message}");
    assert!(differ(&before, &now));
    crashing.trouble = None;
    assert_eq!(after(&crashing, &now), before);
}

#[test]
fn a_latency_alone_is_no_news() {
    let one = after(&told(None, 12, 100), &ConvexInstanceStatus::default());
    let other = after(&told(None, 13, 200), &one);
    assert_ne!(one, other);
    assert!(!differ(&one, &other));
    assert!(differ(&one, &ConvexInstanceStatus { message: Some("x".to_owned()), ..other }));
}

#[test]
fn what_was_told_stays_while_no_pod_tells_anything() {
    let before = after(&told(None, 12, 100), &ConvexInstanceStatus::default());
    let quiet = world(all_is_well());
    assert_eq!(of(&on_postgres(), &quiet, &before), before.dependencies);
    assert_eq!(of(&instance_with(|_| {}), &quiet, &before), []);
}
