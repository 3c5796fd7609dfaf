//! The database of the backend, as its environment says it.

use std::path::PathBuf;

use statemachine::pins::Backend;
use zeroize::Zeroizing;

use super::{
    mysql, postgres,
    reach::Unreached,
    reason::{Reason, Why},
    verdict::{Failure, Passed},
};
use crate::{
    convex::{InstanceName, database_url::database_of},
    plan::gate::Record,
};

/// How many connections the backend opens where nobody says otherwise (`crates/common/src/knobs.rs` upstream).
const POOL: u32 = 128;

/// What is asked of a database server.
pub(super) struct Asked {
    server: Server,
    /// The URL with the password.
    pub(super) url: Zeroizing<String>,
    /// The database that the backend opens.
    pub(super) database: String,
    /// Certificate authorities besides those of the image.
    pub(super) authorities: Option<PathBuf>,
    /// Whether the connection is encrypted, or there is none.
    pub(super) encrypted: bool,
    /// Whether databases are to be made where they are not there: of this one or of one to come.
    pub(super) creates: bool,
    /// Whether users were let in to it: then it holds something.
    pub(super) served: bool,
    /// How many connections the backend may open.
    pub(super) pool: u32,
}

enum Server {
    Postgres,
    Mysql,
}

impl Asked {
    /// What the environment says; none where the backend's database is a file.
    pub(super) fn of(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let url = |name| variable(name).map(Zeroizing::new);
        let (server, url, authorities, pool) = if let Some(url) = url("POSTGRES_URL") {
            (Server::Postgres, url, "PG_CA_FILE", "POSTGRES_MAX_CONNECTIONS")
        } else {
            (Server::Mysql, url("MYSQL_URL")?, "MYSQL_CA_FILE", "MYSQL_MAX_CONNECTIONS")
        };
        let creates = variable("CREATE_DATABASE").is_some_and(|it| it == "IfMissing");
        let name = variable("INSTANCE_NAME").and_then(|it| InstanceName::parse(it).ok())?;
        Some(Self {
            server,
            url,
            database: database_of(&name),
            authorities: variable(authorities).map(|it| beneath(&it)),
            // Any text at all switches it off.
            encrypted: variable("DO_NOT_REQUIRE_SSL").is_none_or(|it| it.is_empty()),
            creates,
            served: has_served(&variable),
            pool: variable(pool).and_then(|it| it.parse().ok()).unwrap_or(POOL),
        })
    }

    /// Whether this one is to be made where it is not there.
    pub(super) const fn makes(&self) -> bool {
        self.creates && !self.served
    }

    /// Looks at it.
    pub(super) async fn check(&self) -> Result<Passed, Failure> {
        let checked = match self.server {
            Server::Postgres => postgres::check(self).await,
            Server::Mysql => mysql::check(self).await,
        };
        let gone = |it: &Failure| self.served && it.reason == Reason::DatabaseMissing;
        checked.map_err(|it| if gone(&it) { it.why(Why::Served) } else { it })
    }
}

/// Whether users were ever let in to the store that this pod is for: where its database is gone, it was not forgotten to be made,
/// and where it is empty, it is not the one. Either would be served as if there had never been any data.
fn has_served(variable: impl Fn(&str) -> Option<String>) -> bool {
    let record = variable("RECORD").and_then(|it| serde_json::from_str::<Record>(&it).ok());
    let template = variable("TEMPLATE").and_then(|it| serde_json::from_str::<Backend>(&it).ok());
    let stores = record.and_then(|it| it.served).zip(template.map(|it| it.store));
    stores.is_some_and(|(served, opened)| served == opened)
}

/// A file of the backend's container, which is in this one at the same place: like every path of the gate it is beneath the folder
/// that it is started in, which is `/` where containers have a root of their own.
fn beneath(path: &str) -> PathBuf {
    let here = PathBuf::from(path.trim_start_matches('/'));
    if here.exists() { here } else { PathBuf::from(path) }
}

/// What it means for a database.
pub(super) fn unreached(unreached: Unreached) -> Failure {
    match unreached {
        Unreached::Unresolvable => Failure::of(Reason::DatabaseUnresolvable),
        Unreached::Unreachable(why) => Failure::of(Reason::DatabaseUnreachable).why(why),
    }
}

#[cfg(test)]
mod tests {
    use statemachine::{pins::Store, worlds::born};

    use super::*;

    /// Whether the gate of a pod for this store makes it under `IfMissing`, and whether it has to hold something, where the record
    /// says that users were let in there.
    fn creates(store: &str, served: Option<&str>) -> (bool, bool) {
        let of = |it: &str| Store::try_from(it.to_owned()).unwrap();
        let backend = Backend { store: of(store), ..born() };
        let record = Record::next(None, &backend, true).serving(served.map(of).as_ref());
        let asked = Asked::of(|name| match name {
            "POSTGRES_URL" => Some("postgresql://app@pg".to_owned()),
            "INSTANCE_NAME" => Some("dev".to_owned()),
            "CREATE_DATABASE" => Some("IfMissing".to_owned()),
            "RECORD" => serde_json::to_string(&record).ok(),
            "TEMPLATE" => serde_json::to_string(&backend).ok(),
            _ => None,
        });
        asked.map(|it| (it.makes(), it.served)).unwrap()
    }

    /// An empty one would be served in the place of the one that was dropped, or is yet to be restored.
    #[test]
    fn a_database_that_users_were_let_in_to_is_never_made_anew() {
        let (made, found) = ((true, false), (false, true));
        assert_eq!(creates("Original", None), made);
        assert_eq!(creates("Made/7", Some("Original")), made);
        assert_eq!(creates("Original", Some("Original")), found);
        assert_eq!(creates("Made/7", Some("Made/7")), found);
    }
}
