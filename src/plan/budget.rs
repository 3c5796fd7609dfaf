//! How many pods of a part a drain of nodes leaves.

use k8s_openapi::{
    api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec},
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};

use super::{
    Inputs,
    labels::{self, Part},
};

/// The budget of a part; none where none is asked for.
#[must_use]
pub fn budget(inputs: &Inputs<'_>, part: Part) -> Option<PodDisruptionBudget> {
    let spec = &inputs.instance.spec;
    let dashboard =
        || spec.dashboard.pod_disruption_budget.as_ref().filter(|_| spec.dashboard.enabled);
    let asked = match part {
        Part::Backend => spec.backend.pod_disruption_budget.as_ref(),
        Part::Dashboard => dashboard(),
        Part::Worker => None,
    }?;
    Some(PodDisruptionBudget {
        metadata: labels::owned(inputs.instance, part, inputs.names.of_part(part)),
        spec: Some(PodDisruptionBudgetSpec {
            min_available: asked.min_available.map(IntOrString::Int),
            max_unavailable: asked.max_unavailable.map(IntOrString::Int),
            selector: Some(LabelSelector {
                match_labels: Some(labels::selector(inputs.instance, part)),
                ..LabelSelector::default()
            }),
            // A pod that does not become ready would keep its node for ever.
            unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
        }),
        ..PodDisruptionBudget::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures::{built_for, instance_with};

    /// One for pods that are not there would show no pods of how many for ever.
    #[test]
    fn a_dashboard_that_is_off_has_no_budget() {
        let has = |enabled: bool, part| {
            let instance = instance_with(|spec| {
                let asked = json!({"maxUnavailable": 1});
                spec["dashboard"] = json!({"enabled": enabled, "podDisruptionBudget": asked});
            });
            built_for(&instance, |it| budget(it, part).is_some())
        };
        assert!(has(true, Part::Dashboard) && !has(false, Part::Dashboard));
        assert!(!has(true, Part::Backend), "it is asked for of one part alone");
    }
}
