//! What stands beside the pods of a part: who they are, who gets in to them, and how many of them a drain leaves.

use kube::ResourceExt;

use super::Planner;
use crate::plan::{
    Child, Inputs, Kind, Step, budget::budget, labels::Part, network_policy::network_policy, pod,
    service_account::service_account,
};

const PARTS: [Part; 2] = [Part::Backend, Part::Dashboard];

/// The account that the pods of a part are made under, before them.
pub(super) fn account(inputs: &Inputs<'_>, part: Part) -> Option<Step> {
    let account = service_account(inputs, part)?;
    Some(Step::Ensure(Child::ServiceAccount(Box::new(account))))
}

impl Planner<'_> {
    /// Two backends on one volume would destroy it; and a pod that asks for what is not there does not start, when the one
    /// that runs is gone.
    pub(super) fn may_not_roll(&self) -> bool {
        self.world.barred.is_some() || self.world.requisites.obstacle.is_some()
    }

    /// Whether what a template is built from cannot be had.
    pub(super) fn cannot_build(&self) -> bool {
        self.inputs.is_none() || self.world.requisites.obstacle.is_some()
    }

    /// What is asked for first, and then what is not asked for any more.
    pub(super) fn beside(&self, inputs: &Inputs<'_>) -> Vec<Step> {
        let policies = PARTS.into_iter().filter_map(|part| network_policy(inputs, part));
        let mut steps: Vec<_> =
            policies.map(|it| Step::Ensure(Child::NetworkPolicy(Box::new(it)))).collect();
        let budgets = PARTS.into_iter().filter_map(|part| budget(inputs, part));
        steps.extend(budgets.map(|it| Step::Ensure(Child::Budget(Box::new(it)))));
        let over = PARTS.into_iter().flat_map(|part| self.over(inputs, part));
        steps.extend(over);
        steps
    }

    fn over(&self, inputs: &Inputs<'_>, part: Part) -> Vec<Step> {
        let children = &self.world.children;
        let name = inputs.names.of_part(part);
        let kinds = [
            (
                Kind::NetworkPolicy,
                network_policy(inputs, part).is_none()
                    && children.network_policies.iter().any(|it| it.name_any() == name),
            ),
            (
                Kind::Budget,
                budget(inputs, part).is_none()
                    && children.budgets.iter().any(|it| it.name_any() == name),
            ),
            (
                Kind::ServiceAccount,
                !self.is_used(part)
                    && children.service_accounts.iter().any(|it| it.name_any() == name),
            ),
        ];
        let over = kinds.into_iter().filter(|(_, over)| *over);
        over.map(|(kind, _)| Step::Remove(kind, name.clone())).collect()
    }

    /// Whether the account of a part is asked for, or pods may still be made under it: a template that names it is not always
    /// changed at once.
    fn is_used(&self, part: Part) -> bool {
        let there = part == Part::Backend || self.instance.spec.dashboard.enabled;
        let asked = there && pod::made_account(self.instance, part).is_some();
        let children = &self.world.children;
        let set = || children.stateful_set.as_deref()?.spec.as_ref()?.template.spec.as_ref();
        let deployment = || children.dashboard.as_deref()?.spec.as_ref()?.template.spec.as_ref();
        let pod = if part == Part::Backend { set() } else { deployment() };
        let named = pod.and_then(|it| it.service_account_name.as_deref());
        asked || named == Some(self.world.names.of_part(part).as_str())
    }

    /// All of it, with the instance.
    pub(super) fn without_pods(&self) -> Vec<Step> {
        let children = &self.world.children;
        let accounts = children.service_accounts.iter().map(|it| it.name_any());
        let policies = children.network_policies.iter().map(|it| it.name_any());
        let accounts = accounts.map(|name| Step::Remove(Kind::ServiceAccount, name));
        accounts.chain(policies.map(|name| Step::Remove(Kind::NetworkPolicy, name))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use k8s_openapi::api::core::v1::ServiceAccount;
    use statemachine::Action;

    use super::*;
    use crate::{
        fixtures::{all_is_well, instance, world},
        plan::{labels, owed},
    };

    /// Whether the account goes, where the template of the backend names this one.
    fn goes(named: Option<&str>) -> bool {
        let instance = instance();
        let mut world = world(all_is_well());
        let metadata = labels::owned(&instance, Part::Backend, "dev-backend".to_owned());
        let account = ServiceAccount { metadata, ..ServiceAccount::default() };
        world.children.service_accounts = vec![Arc::new(account)];
        let mut set = (*world.children.stateful_set.clone().unwrap()).clone();
        let template = &mut set.spec.get_or_insert_default().template;
        template.spec.get_or_insert_default().service_account_name = named.map(str::to_owned);
        world.children.stateful_set = Some(Arc::new(set));
        let steps = owed(&instance, &[Action::EnsureSurroundingsApplied], &world).steps;
        steps.contains(&Step::Remove(Kind::ServiceAccount, "dev-backend".to_owned()))
    }

    /// While an upgrade is prepared the template stays as it is, and a pod of it may have to be made anew.
    #[test]
    fn an_account_stays_for_as_long_as_a_template_names_it() {
        assert!(!goes(Some("dev-backend")));
        assert!(goes(None));
        assert!(goes(Some("other")));
    }
}
