//! What goes with an instance, and in which order.

use kube::ResourceExt;

use super::Planner;
use crate::plan::{Child, Kind, Step, claim, data_goes, exports, gate::Record};

impl Planner<'_> {
    /// Users first, then what writes, then what is written to; stores by policy.
    pub(super) fn removal(&self, keep_stores: bool) -> Vec<Step> {
        let names = &self.world.names;
        let shut = |it: Record| self.record(&Record::next(Some(&it), &it.backend, false));
        let mut steps: Vec<_> = self.world.children.record().map(shut).into_iter().collect();
        let routes = self.world.children.routes.iter().map(|it| it.name_any());
        steps.extend(routes.map(|name| Step::Remove(Kind::Route, name)));
        let policies = self.world.children.policies.iter().map(|it| it.name_any());
        steps.extend(policies.map(|name| Step::Remove(Kind::Policy, name)));
        let budgets = self.world.children.budgets.iter().map(|it| it.name_any());
        steps.extend(budgets.map(|name| Step::Remove(Kind::Budget, name)));
        steps.extend([
            Step::Remove(Kind::Ingress, names.way_in()),
            Step::Remove(Kind::Gateway, names.way_in()),
            Step::Remove(Kind::Service, names.backend_service()),
            Step::Remove(Kind::Deployment, names.dashboard()),
            Step::Remove(Kind::Service, names.dashboard()),
            Step::Remove(Kind::StatefulSet, names.backend()),
        ]);
        if !self.world.children.pods.is_empty() || self.world.children.stateful_set.is_some() {
            return steps;
        }
        steps.extend(self.without_pods());
        steps.push(Step::Remove(Kind::Secret, names.admin_secret()));
        steps.extend(self.world.outside.stored().map(|name| Step::Remove(Kind::Secret, name)));
        let goes = data_goes(self.instance) && !keep_stores;
        steps.extend((!goes).then(|| self.left_behind()).into_iter().flatten());
        steps.extend(self.never_served());
        // A database on a server is never dropped, and what is in it belongs to the keys.
        let backend = &self.instance.spec.backend;
        let keyed_store = backend.storage.pvc.enabled || backend.db.is_server();
        if goes {
            steps.extend(self.jobs_that_are_over());
            let claims = self.world.children.claims.iter().map(|(_, it)| it.name_any());
            steps.extend(claims.map(|name| Step::Remove(Kind::Claim, name)));
            steps.push(exports::removed(names));
        }
        if goes || !keyed_store {
            steps.push(Step::Remove(Kind::Secret, names.instance_secret()));
        }
        steps
    }

    fn left_behind(&self) -> Vec<Step> {
        let Some((inputs, record)) = self.inputs.as_ref().zip(self.world.children.record()) else {
            return Vec::new();
        };
        let stores = self.world.children.claims.iter().map(|(store, _)| store);
        let left = stores.filter_map(|store| claim::left_behind(inputs, &record, store));
        left.map(|it| Step::Ensure(Child::Claim(Box::new(it)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
    use statemachine::{
        Action,
        observed::Outcome,
        pins::{Backend, Release, Snapshot, Store},
        worlds::born,
    };

    use crate::{
        fixtures::{ClaimWords, all_is_well, claim, gate, instance_with, seen, world},
        observe::{
            Children,
            jobs::{Jobs, Seen},
        },
        plan::{Child, Kind, Step, gate::Record, labels, names::Errand, owed},
    };

    /// Jobs and claims that are removed, in order, where a copy was made once.
    fn removed(policy: &str, action: Action, change: impl FnOnce(&mut Children)) -> Vec<Step> {
        let instance = instance_with(|spec| spec["deletionPolicy"] = policy.into());
        let mut world = world(all_is_well());
        change(&mut world.children);
        let of = Snapshot::default();
        let (name, outcome) = ("dev-copy-7-1".to_owned(), Outcome::Succeeded);
        let copy = Seen { name, ..seen(Errand::Copy, of, outcome) };
        world.jobs = Jobs(vec![copy]);
        let steps = owed(&instance, &[action], &world);
        let is_asked = |it: &Step| matches!(it, Step::Remove(Kind::Job | Kind::Claim, _));
        steps.steps.into_iter().filter(is_asked).collect()
    }

    fn remove(kind: Kind, name: &str) -> Step {
        Step::Remove(kind, name.to_owned())
    }

    #[test]
    fn jobs_that_are_over_go_before_the_claims_that_their_pods_keep() {
        let leaves = Action::EnsureChildrenRemoved { keep_stores: false };
        let stopped = |children: &mut Children| {
            children.pods.clear();
            children.stateful_set = None;
        };
        let in_order = [
            remove(Kind::Job, "dev-copy-7-1"),
            remove(Kind::Claim, "dev-data"),
            remove(Kind::Claim, "dev-snapshots"),
        ];
        assert_eq!(removed("Delete", leaves.clone(), stopped), in_order);
        assert_eq!(removed("Retain", leaves, stopped), []);
    }

    /// Else whoever takes up an old store would be sent to a version that the store has left behind.
    #[test]
    fn every_store_that_stays_says_who_opened_it_last() {
        let made = Store::try_from("Made/71".to_owned()).unwrap();
        let fresh = Backend { store: made.clone(), ..born() };
        let mut record = Record::of(&gate("v1", false)).unwrap();
        let image = "example.com/backend:v2".to_owned();
        let next = Release { version: "v2".to_owned(), image, ..record.backend.release.clone() };
        let in_place = Backend { release: next, ..record.backend.clone() };
        record = Record::next(Some(&record), &in_place, true);
        record = Record::next(Some(&record), &fresh, true);
        let left = |policy: &str| {
            let instance = instance_with(|spec| spec["deletionPolicy"] = policy.into());
            let mut world = world(all_is_well());
            world.children.pods.clear();
            world.children.stateful_set = None;
            world.children.claims = vec![
                (Store::Original, Arc::new(claim("dev-data").opened_by(&["v1"]))),
                (made.clone(), Arc::new(claim("dev-data-71"))),
            ];
            world.children.gate =
                Some(Arc::new(crate::plan::gate::config_map(&instance, &record, "5")));
            let leaves = Action::EnsureChildrenRemoved { keep_stores: false };
            let steps = owed(&instance, &[leaves], &world).steps;
            let claims = steps.into_iter().filter_map(|it| match it {
                Step::Ensure(Child::Claim(claim)) => Some(claim.metadata),
                _ => None,
            });
            let said = |it: ObjectMeta| {
                let marks = it.annotations.clone().unwrap_or_default();
                let opened = crate::plan::claim::opened_by(Some(&it)).join(",");
                format!("{} {} {opened}", it.name.unwrap_or_default(), marks[labels::VERSION])
            };
            claims.map(said).collect::<Vec<_>>()
        };
        let born = born().release.version;
        let stays = [
            "dev-data v2 v1,v2".to_owned(),
            format!("dev-data-71 {born} {}", fresh.release.opener()),
        ];
        assert_eq!(left("Retain"), stays);
        assert_eq!(left("Delete"), [""; 0]);
    }

    /// What is on a server stays, and is of no use without its keys.
    #[test]
    fn the_keys_of_a_database_on_a_server_stay_without_a_volume_too() {
        let goes = |engine: &str, policy: &str| {
            let instance = instance_with(|spec| {
                spec["deletionPolicy"] = policy.into();
                spec["backend"]["db"]["engine"] = engine.into();
                spec["backend"]["storage"]["pvc"] = serde_json::json!({"enabled": false});
            });
            let mut world = world(all_is_well());
            world.children.pods.clear();
            world.children.stateful_set = None;
            let leaves = Action::EnsureChildrenRemoved { keep_stores: false };
            let keys = remove(Kind::Secret, "dev-instance");
            owed(&instance, &[leaves], &world).steps.contains(&keys)
        };
        assert!(!goes("postgres", "Retain"));
        assert!(goes("postgres", "Delete") && goes("sqlite", "Retain"));
    }

    #[test]
    fn jobs_that_are_over_go_with_a_claim_that_its_owner_deletes() {
        let going = |children: &mut Children| {
            let (_, claim) = &mut children.claims[0];
            let now = k8s_openapi::jiff::Timestamp::now();
            Arc::make_mut(claim).metadata.deletion_timestamp = Some(Time(now));
        };
        let flows = Action::EnsureTrafficFlowing;
        assert_eq!(removed("Retain", flows.clone(), going), [remove(Kind::Job, "dev-copy-7-1")]);
        assert_eq!(removed("Retain", flows, |_| {}), []);
    }
}
