//! What a preflight found, for people: what is, and what to do. Secrets are named, and nothing of what is in them.

mod database;
mod storage;

use statemachine::pins::Store;

use crate::{
    api::ConvexInstance,
    convex::database_url::database_of,
    observe::Keys,
    plan::deployment,
    worker::preflight::{
        subject::Subject,
        verdict::{Finding, Note},
    },
};

/// What an instance calls its servers.
pub(super) struct About<'a> {
    instance: &'a ConvexInstance,
    database: String,
    /// Whether users were let in to it.
    served: bool,
}

impl<'a> About<'a> {
    /// Of this instance, and the store that a pod is for.
    pub(super) fn of(instance: &'a ConvexInstance, keys: Option<&Keys>, store: &Store) -> Self {
        let of = |it: &Keys| database_of(&deployment::name(instance, &it.name, store));
        let database = keys.map(of).unwrap_or_default();
        let pins = instance.status.as_ref().and_then(|it| it.lifecycle.as_ref());
        let home = pins.filter(|it| it.served).and_then(|it| it.home.as_ref());
        Self { instance, database, served: home.is_some_and(|it| it.store == *store) }
    }

    /// Why the backend could not use a server.
    pub(super) fn failure(&self, finding: &Finding) -> String {
        let Some(failure) = &finding.failure else { return String::new() };
        let code = failure.code.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
        let said = match &finding.name {
            Subject::Database => self.database(failure.reason, failure.why, &code),
            Subject::Bucket(purposes) => {
                let bucket = self.bucket(purposes);
                self.storage(failure.reason, failure.why, &code, &bucket)
            }
        };
        format!(
            "{said}. The backend is not started before; it is looked at again every few seconds."
        )
    }
}

/// What people should know though the backend can use it.
pub(super) fn note(note: Note) -> String {
    match note {
        Note::Connections { allowed, pool } => format!(
            "the server takes {allowed} connections, and the backend may open {pool}: set spec.backend.tuning.maxDatabaseConnections below {allowed}, or raise max_connections of the server"
        ),
        Note::Uncreatable => "the user of the URL may make no databases, which spec.backend.db.createDatabase: IfMissing leaves to it: an upgrade into a fresh store would hold users until one is made by hand. Have an administrator of the server run ALTER ROLE \"USER-OF-THE-URL\" CREATEDB;".to_owned(),
        Note::Undeletable => "objects can be written and may not be deleted: what the backend deletes stays, and so does a small object below .convex-operator/preflight/ of every pod. Allow s3:DeleteObject".to_owned(),
    }
}
