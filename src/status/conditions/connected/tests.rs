use super::*;
use crate::{
    fixtures::{all_is_well, instance_with, world},
    observe::{Dependency, Obstacle, Preflight},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use serde_json::json;

fn found(server: Server, obstacle: Option<Obstacle>, note: &str) -> Dependency {
    let name = if server == Server::Database { "database" } else { "objectStorage" };
    let (name, note) = (name.to_owned(), note.to_owned());
    Dependency { name, server, obstacle, note, latency_ms: Some(3), at: None }
}

fn on_servers() -> ConvexInstance {
    instance_with(|spec| {
        spec["backend"]["db"] = json!({"engine": "postgres", "secretRef": "pg", "urlKey": "uri"});
        spec["backend"]["s3"] = json!({"enabled": true});
    })
}

/// A world in which the backend is started and does not serve yet.
fn starting(dependencies: Vec<Dependency>) -> World {
    let mut world = world(all_is_well());
    world.children.pods.clear();
    world.preflight = Preflight { dependencies };
    world
}

fn told(verdict: Verdict) -> (String, String, String) {
    let it = verdict.since(&[], 1, &Time(Timestamp::UNIX_EPOCH));
    (format!("{:?}", it.status), it.reason, it.message)
}

fn told_as(status: &str, reason: &str, message: &str) -> (String, String, String) {
    (status.to_owned(), reason.to_owned(), message.to_owned())
}

#[test]
fn what_the_pod_found_is_told_of_each_by_itself() {
    let missing = Obstacle::new("BucketMissing", "make it");
    let world = starting(vec![
        found(Server::Database, None, "few connections"),
        found(Server::Storage, Some(missing), ""),
    ]);
    let database = told(database(&on_servers(), &world));
    assert_eq!(database, told_as("True", "Connected", "few connections"));
    let storage = told(storage(&on_servers(), &world));
    assert_eq!(storage, told_as("False", "BucketMissing", "make it"));
}

#[test]
fn before_a_pod_has_looked_nothing_is_said_to_be_connected() {
    let world = starting(Vec::new());
    assert_eq!(told(database(&on_servers(), &world)).1, "BackendNotServing");
    assert_eq!(told(storage(&on_servers(), &world)).1, "BackendNotServing");
}

#[test]
fn a_backend_that_ends_again_and_again_may_have_lost_what_its_pod_found() {
    let mut world = starting(vec![found(Server::Database, None, "")]);
    world.trouble = Some(Obstacle::new("BackendCrashing", ""));
    assert_eq!(told(database(&on_servers(), &world)).1, "BackendNotServing");
}

/// As one that was started by an operator that did not look yet.
#[test]
fn a_backend_that_serves_has_reached_everything() {
    let world = world(all_is_well());
    assert_eq!(told(database(&on_servers(), &world)).1, "Connected");
    assert_eq!(told(storage(&on_servers(), &world)).1, "Connected");
    let plain = instance_with(|_| {});
    assert_eq!(told(database(&plain, &world)).1, "Embedded");
    assert_eq!(told(storage(&plain, &world)).1, "NotRequested");
}
