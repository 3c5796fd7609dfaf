//! What the deployment of a store is called: its `INSTANCE_NAME`.
//!
//! The backend lets nobody choose a database: it opens the one that has the name of the deployment, and keeps objects below that
//! name (`crates/clusters/src/lib.rs` and `crates/model/src/database_globals/mod.rs` upstream). On a volume every store is a
//! volume of its own, and one name does for all of them; on a server a store of its own needs a name of its own.

use std::collections::BTreeSet;

use kube::ResourceExt;
use statemachine::pins::{Pins, Store, Upgrade};

use super::{gate::Record, names::Names};
use crate::{api::ConvexInstance, convex::InstanceName};

/// The name of the deployment of a store. `first` is that of the store that the instance was born with.
///
/// That of a store that was made on a server is told by the instance's UID and the upgrade that it was made for: no other
/// instance has it, and none of the same name that was there before.
#[must_use]
pub fn name(instance: &ConvexInstance, first: &InstanceName, store: &Store) -> InstanceName {
    match store {
        Store::Made(id) if instance.spec.backend.db.is_server() => {
            let names = Names::of(&instance.name_any());
            let uid = instance.uid().unwrap_or_default();
            InstanceName::of_label(&names.deployment(&uid, &id.0))
        }
        Store::Original | Store::Made(_) | Store::Copied(_) => first.clone(),
    }
}

/// Whether the deployment of a store has another name than the one that the instance was born with.
#[must_use]
pub fn is_renamed(instance: &ConvexInstance, store: &Store) -> bool {
    instance.spec.backend.db.is_server() && matches!(store, Store::Made(_))
}

/// Every store that is the instance's: by its pins, and by the record, which outlives a lost status.
#[must_use]
pub fn stores(pins: &Pins, record: Option<&Record>) -> BTreeSet<Store> {
    let home = pins.home.iter().map(|it| it.store.clone());
    let of = |it: &Upgrade| [it.from.store.clone(), it.to.store.clone(), it.aim().store];
    let upgrade = pins.upgrade.iter().flat_map(of);
    let recorded = record.into_iter().flat_map(Record::stores);
    home.chain(upgrade).chain(recorded).chain([Store::Original]).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use statemachine::pins::Revision;

    use super::*;
    use crate::fixtures::{instance, instance_with};

    fn on_a_server() -> ConvexInstance {
        instance_with(|spec| {
            spec["backend"]["db"] =
                json!({"engine": "postgres", "secretRef": "pg", "urlKey": "uri"});
        })
    }

    fn made(id: &str) -> Store {
        Store::Made(Revision(id.to_owned()))
    }

    #[test]
    fn a_store_that_is_made_on_a_server_has_a_name_of_its_own_and_on_a_volume_has_not() {
        let first = InstanceName::parse("orders").unwrap();
        let server = on_a_server();
        let of = |instance: &ConvexInstance, store: &Store| name(instance, &first, store);
        assert_eq!(of(&server, &Store::Original), first);
        assert_eq!(of(&instance(), &made("71")), first);
        let made = of(&server, &made("71"));
        assert!(made.as_str().starts_with("dev-71-"), "{made}");
        assert_eq!(name(&server, &made, &self::made("71")), made, "whatever the first was called");
    }

    #[test]
    fn neither_another_upgrade_nor_another_instance_of_the_name_has_it() {
        let first = InstanceName::parse("dev").unwrap();
        let one = name(&on_a_server(), &first, &made("71"));
        let mut other = on_a_server();
        other.metadata.uid = Some("another".to_owned());
        assert_ne!(name(&other, &first, &made("71")), one);
        assert_ne!(name(&on_a_server(), &first, &made("72")), one);
    }

    #[test]
    fn it_is_short_enough_for_a_database() {
        let mut instance = on_a_server();
        instance.metadata.name = Some("a".repeat(52));
        let first = InstanceName::parse("dev").unwrap();
        let name = name(&instance, &first, &made("12345678901234567890"));
        assert!(InstanceName::parse(name.as_str()).is_ok_and(|it| it.as_str().len() <= 63));
    }
}
