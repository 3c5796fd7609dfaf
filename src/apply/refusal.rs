//! What the API server refuses: whether the same request would be refused again, and what else depends on it.

use kube::ResourceExt;

use crate::plan::{
    Applied, Child, Kind, Refused, Step,
    labels::{self, Part},
};

/// Nothing that comes later is built on the dashboard, but for its pods on its account, nor on what stands beside pods.
pub(super) fn is_apart(step: &Step) -> bool {
    use Child::{Budget, Deployment, NetworkPolicy, Service, ServiceAccount};
    let of_the_dashboard =
        |labels: Option<&String>| labels.is_some_and(|it| it == Part::Dashboard.name());
    match step {
        Step::Ensure(Deployment(_) | Service(_) | NetworkPolicy(_) | Budget(_)) => true,
        Step::Ensure(ServiceAccount(it)) => of_the_dashboard(it.labels().get(labels::COMPONENT)),
        _ => is_way_in(step),
    }
}

/// Pods of the dashboard are not made under an account that is somebody else's, or that is not to be had.
pub(super) fn lacks_account(step: &Step, applied: &Applied) -> bool {
    let Step::Ensure(Child::Deployment(deployment)) = step else { return false };
    let pod = deployment.spec.as_ref().and_then(|it| it.template.spec.as_ref());
    let Some(account) = pod.and_then(|it| it.service_account_name.as_ref()) else { return false };
    let is_it = |kind: &str, name: &str| kind == "ServiceAccount" && name == account;
    applied.conflicts.iter().any(|it| is_it(&it.kind, &it.name))
        || applied.refused.iter().any(|it| is_it(&it.kind, &it.name))
}

/// It comes last, and what goes wrong there is nobody else's.
pub(super) const fn is_way_in(step: &Step) -> bool {
    use Child::{Gateway, Ingress, Policy, Route};
    matches!(
        step,
        Step::Ensure(Ingress(_) | Gateway(_) | Route(_) | Policy(_))
            | Step::Remove(Kind::Ingress | Kind::Gateway | Kind::Route | Kind::Policy, _)
    )
}

/// Forbidden and invalid are answers that the same request will get again; the rest passes.
pub(super) const fn is_final(code: u16) -> bool {
    matches!(code, 400 | 403 | 413 | 422)
}

/// What was refused, and in whose words.
pub(super) fn told(step: &Step, reason: &str, message: &str) -> Refused {
    let (kind, name) = match step {
        Step::Ensure(child) => (child.kind().to_owned(), child.name()),
        Step::Create(secret) | Step::Complete(secret) | Step::Rename(secret) => {
            ("Secret".to_owned(), secret.name_any())
        }
        Step::Grow(claim) => ("PersistentVolumeClaim".to_owned(), claim.name_any()),
        Step::TakeOver(name) => ("Secret".to_owned(), name.clone()),
        Step::Stop => ("StatefulSet".to_owned(), String::new()),
        Step::Remove(kind, name) => (format!("{kind:?}"), name.clone()),
        Step::Start(job) => ("Job".to_owned(), job.name_any()),
        Step::Finalizer(_) | Step::Hold | Step::Release | Step::CancelImports(_) => {
            ("ConvexInstance".to_owned(), String::new())
        }
    };
    Refused { kind, name, reason: reason.to_owned(), message: message.to_owned() }
}

impl Child {
    fn kind(&self) -> &'static str {
        match self {
            Self::Secret(_) => "Secret",
            Self::ConfigMap(_) => "ConfigMap",
            Self::Claim(_) => "PersistentVolumeClaim",
            Self::Service(_) => "Service",
            Self::StatefulSet(_) => "StatefulSet",
            Self::Deployment(_) => "Deployment",
            Self::Ingress(_) => "Ingress",
            Self::ServiceAccount(_) => "ServiceAccount",
            Self::NetworkPolicy(_) => "NetworkPolicy",
            Self::Budget(_) => "PodDisruptionBudget",
            Self::Gateway(_) => "Gateway",
            Self::Route(_) => "HTTPRoute",
            Self::Policy(_) => "ClientSettingsPolicy",
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Secret(it) => it.name_any(),
            Self::ConfigMap(it) => it.name_any(),
            Self::Claim(it) => it.name_any(),
            Self::Service(it) => it.name_any(),
            Self::StatefulSet(it) => it.name_any(),
            Self::Deployment(it) => it.name_any(),
            Self::Ingress(it) => it.name_any(),
            Self::ServiceAccount(it) => it.name_any(),
            Self::NetworkPolicy(it) => it.name_any(),
            Self::Budget(it) => it.name_any(),
            Self::Gateway(it) => it.name_any(),
            Self::Route(it) => it.name_any(),
            Self::Policy(it) => it.name_any(),
        }
    }
}
