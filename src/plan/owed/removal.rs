//! What goes with an instance, and in which order.

use kube::ResourceExt;

use super::Planner;
use crate::plan::{Child, Kind, Step, claim, data_goes, gate::Record};

impl Planner<'_> {
    /// Users first, then what writes, then what is written to; stores by policy.
    pub(super) fn removal(&self, keep_stores: bool) -> Vec<Step> {
        let names = &self.world.names;
        let shut = |it: Record| self.record(&Record::next(Some(&it), &it.backend, false));
        let mut steps: Vec<_> = self.world.children.record().map(shut).into_iter().collect();
        steps.extend([
            Step::Remove(Kind::Service, names.backend_service()),
            Step::Remove(Kind::Deployment, names.dashboard()),
            Step::Remove(Kind::Service, names.dashboard()),
            Step::Remove(Kind::StatefulSet, names.backend()),
        ]);
        if !self.world.children.pods.is_empty() || self.world.children.stateful_set.is_some() {
            return steps;
        }
        steps.extend([
            Step::Remove(Kind::ConfigMap, names.config()),
            Step::Remove(Kind::Secret, names.admin_secret()),
        ]);
        let goes = data_goes(self.instance) && !keep_stores;
        let stays = (!goes && self.world.children.claim().is_some()).then_some(());
        let left = stays.and_then(|()| {
            claim::left_behind(self.inputs.as_ref()?, &self.world.children.record()?)
        });
        steps.extend(left.map(|it| Step::Ensure(Child::Claim(Box::new(it)))));
        let keyed_store = self.instance.spec.backend.storage.pvc.enabled;
        if goes {
            steps.extend(self.jobs_that_are_over());
            let claims = self.world.children.claims.iter().map(|(_, it)| it.name_any());
            steps.extend(claims.map(|name| Step::Remove(Kind::Claim, name)));
            steps.push(Step::Remove(Kind::Claim, names.snapshots()));
        }
        if goes || !keyed_store {
            steps.push(Step::Remove(Kind::Secret, names.instance_secret()));
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use statemachine::{Action, observed::Outcome, pins::Snapshot};

    use crate::{
        fixtures::{all_is_well, instance_with, world},
        observe::{
            Children,
            jobs::{Jobs, Seen},
        },
        plan::{Kind, Step, names::Errand, owed},
    };

    /// Jobs and claims that are removed, in order, where a copy was made once.
    fn removed(policy: &str, action: Action, change: impl FnOnce(&mut Children)) -> Vec<Step> {
        let instance = instance_with(|spec| spec["deletionPolicy"] = policy.into());
        let mut world = world(all_is_well());
        change(&mut world.children);
        let of = Snapshot::default();
        let (name, outcome) = ("dev-copy-7-1".to_owned(), Outcome::Succeeded);
        let (errand, report, obstacle) = (Errand::Copy, None, None);
        let copy = Seen { errand, of, name, outcome, report, stale: false, obstacle };
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
