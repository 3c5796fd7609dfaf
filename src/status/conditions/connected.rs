//! Whether the backend reaches what it depends on: what its pod found before it started, and that it serves.

use super::verdict::Verdict;
use crate::{
    api::{ConditionType, ConvexInstance},
    observe::World,
    plan::outside::Server,
};

/// The database.
pub(super) fn database(instance: &ConvexInstance, world: &World) -> Verdict {
    let type_ = ConditionType::DatabaseConnected;
    if let Some(taken) = &world.outside.taken {
        return Verdict::unless(type_, Some(taken), "Connected");
    }
    if instance.spec.backend.db.is_server() {
        return of(type_, world, Server::Database);
    }
    if world.backend_serves() {
        Verdict::new(type_, true, "Embedded", "")
    } else {
        Verdict::new(type_, false, "BackendNotServing", "")
    }
}

/// The object storage.
pub(super) fn storage(instance: &ConvexInstance, world: &World) -> Verdict {
    let type_ = ConditionType::ObjectStorageConnected;
    if instance.spec.backend.s3.enabled {
        of(type_, world, Server::Storage)
    } else {
        Verdict::new(type_, true, "NotRequested", "")
    }
}

/// A backend listens only once it has reached both; one that has ended since may have lost them.
fn of(type_: ConditionType, world: &World, server: Server) -> Verdict {
    let found: Vec<_> = world.preflight.of(server).collect();
    let obstacle = found.iter().find_map(|it| it.obstacle.as_ref());
    if obstacle.is_some() {
        return Verdict::unless(type_, obstacle, "");
    }
    if world.backend_serves() || (!found.is_empty() && !world.is_crashing()) {
        let notes: Vec<_> = found.iter().map(|it| &*it.note).filter(|it| !it.is_empty()).collect();
        return Verdict::new(type_, true, "Connected", notes.join("; "));
    }
    Verdict::new(type_, false, "BackendNotServing", "")
}

#[cfg(test)]
mod tests;
