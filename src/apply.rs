//! Makes the cluster as planned: server-side apply in dependency order, and only what differs.
//!
//! - A first creation is a POST, for which "already exists" is a question: is it ours? What is not ours is
//!   never adopted, never overwritten and never deleted.
//! - A child that is there is compared with what is wanted, in what is wanted: defaults of the API server
//!   and fields of other managers do not look like drift.
//! - Every write to a child that is there carries the resourceVersion it was read at, and every delete its
//!   UID too: a pass that is late finds itself refused.

mod child;
mod fence;
mod finalizer;
mod hold;
mod ownership;
mod refusal;
mod secrets;
mod surplus;

use std::{sync::Arc, time::Duration};

use gateway_api::httproutes::HttpRoute;
use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{ConfigMap, PersistentVolumeClaim, Secret},
};
use kube::{Api, Resource, ResourceExt, api::PropagationPolicy};

use crate::{
    api::ConvexInstance,
    context::{Context, Span},
    error::Error,
    observe::{World, uid},
    plan::{
        Applied, Child, ClientSettingsPolicy, Kind, Plan, Prepared, Step,
        labels::{self, Belongs},
        service,
    },
};

/// How long writes may fail before that is worth a word: most of it passes.
const LASTING: Duration = Duration::from_secs(10);

/// Carries a plan out. What the API server refuses, or what belongs to somebody else, is noted and ends
/// the plan: what comes later depends on it.
///
/// # Errors
/// [`Error::Apply`] when the API server does not answer, or answers with a conflict: the pass ends, and
/// the next one looks again.
pub async fn differences(
    ctx: &Context,
    instance: &ConvexInstance,
    plan: Plan<Prepared>,
    world: &World,
) -> Result<Plan<Applied>, Error> {
    let mut doer = Doer { ctx, instance, world, applied: Applied::default() };
    for step in &plan.steps {
        match doer.step(step).await {
            // Who deletes the instance in the same moment may still win, finalizer or not: the API server looks at
            // finalizers first and deletes after that, without a resourceVersion of its own (`Store.Delete` in
            // k8s.io/apiserver, pkg/registry/generic/registry/store.go). What nobody would collect is made once the
            // watch says that the instance is there with it.
            Ok(()) if *step == Step::Finalizer(true) && doer.applied.revision.is_some() => break,
            Ok(()) if doer.applied.conflicts.is_empty() || refusal::is_apart(step) => {}
            Ok(()) => break,
            // Its kind goes in this moment, or is newer than we are.
            Err(kube::Error::Api(status))
                if refusal::is_way_in(step) && matches!(status.code, 404 | 405) =>
            {
                let refused = refusal::told(step, &status.reason, &status.message);
                doer.applied.refused.push(refused);
            }
            Err(kube::Error::SerdeError(error)) if refusal::is_way_in(step) => {
                let refused = refusal::told(step, "Unreadable", &error.to_string());
                doer.applied.refused.push(refused);
            }
            Err(kube::Error::Api(status)) if refusal::is_final(status.code) => {
                let refused = refusal::told(step, &status.reason, &status.message);
                if matches!(step, Step::Grow(_)) {
                    doer.applied.not_grown.get_or_insert(refused);
                    continue;
                }
                doer.applied.refused.push(refused);
                if !refusal::is_apart(step) {
                    break;
                }
            }
            Err(kube::Error::Api(status)) if status.code >= 500 => {
                doer.applied.failed.get_or_insert(kube::Error::Api(status));
                if !refusal::is_apart(step) {
                    break;
                }
            }
            Err(error) => return Err(Error::Apply(error)),
        }
    }
    let fails = doer.applied.failed.is_some();
    let lasted = ctx.memory.lasted(&uid(instance), Span::Failing, fails).unwrap_or_default();
    doer.applied.fails = lasted >= LASTING;
    let unasked = doer.applied.unasked;
    doer.applied.unasked_for = ctx.memory.lasted(&uid(instance), Span::Unasked, unasked);
    Ok(Plan { steps: plan.steps, state: doer.applied })
}

struct Doer<'a> {
    ctx: &'a Context,
    instance: &'a ConvexInstance,
    world: &'a World,
    applied: Applied,
}

impl Doer<'_> {
    async fn step(&mut self, step: &Step) -> kube::Result<()> {
        let children = &self.world.children;
        match step {
            Step::Ensure(_) if refusal::lacks_account(step, &self.applied) => Ok(()),
            Step::Ensure(Child::Secret(it)) => {
                let found = self.world.outside.kept(&it.name_any());
                self.ensure(&**it, found).await
            }
            Step::Ensure(Child::ConfigMap(it)) => {
                self.ensure(&**it, self.config(&it.name_any())).await
            }
            Step::Ensure(Child::Claim(it)) => self.ensure(&**it, self.claim(&it.name_any())).await,
            Step::Ensure(Child::Service(it)) => {
                self.ensure(&**it, self.service(&it.name_any())).await?;
                self.applied.flows |= service::flows(it) && !self.world.is_paused();
                Ok(())
            }
            Step::Ensure(Child::StatefulSet(it)) => {
                self.ensure(&**it, children.stateful_set.clone()).await
            }
            Step::Ensure(Child::Deployment(it)) => {
                self.ensure(&**it, children.dashboard.clone()).await
            }
            Step::Ensure(Child::Ingress(it)) => self.ensure(&**it, children.ingress.clone()).await,
            Step::Ensure(Child::ServiceAccount(it)) => {
                self.ensure(&**it, same(&children.service_accounts, &**it)).await
            }
            Step::Ensure(Child::NetworkPolicy(it)) => {
                self.ensure(&**it, same(&children.network_policies, &**it)).await
            }
            Step::Ensure(Child::Budget(it)) => {
                self.ensure(&**it, same(&children.budgets, &**it)).await
            }
            Step::Ensure(Child::Gateway(it)) => self.ensure(&**it, children.gateway.clone()).await,
            Step::Ensure(Child::Route(it)) => self.ensure(&**it, self.route(&it.name_any())).await,
            Step::Ensure(Child::Policy(it)) => {
                self.ensure(&**it, self.policy(&it.name_any())).await
            }
            Step::Create(secret) => self.mint(secret).await,
            Step::TakeOver(name) => self.take_over(name).await,
            Step::Complete(secret) => self.complete(secret, false).await,
            Step::Rename(secret) => self.complete(secret, true).await,
            Step::Grow(claim) => self.ensure(&**claim, self.claim(&claim.name_any())).await,
            Step::Start(job) => self.create(&**job).await.map(|_| ()),
            Step::Hold => self.pause(true).await,
            Step::Release => self.pause(false).await,
            Step::CancelImports(imports) => self.cancel(imports).await,
            Step::Stop => self.stop().await,
            Step::Remove(kind, name) => self.remove(*kind, name).await,
            Step::Finalizer(wanted) => self.finalizer(*wanted).await,
        }
    }

    fn claim(&self, name: &str) -> Option<Arc<PersistentVolumeClaim>> {
        let children = &self.world.children;
        let stores = children.claims.iter().map(|(_, claim)| claim);
        let mut all = stores.chain(children.exports.claim());
        all.find(|it| it.name_any() == name).cloned()
    }

    fn config(&self, name: &str) -> Option<Arc<ConfigMap>> {
        self.world.children.gate.clone().filter(|it| it.name_any() == name)
    }

    fn service(&self, name: &str) -> Option<Arc<k8s_openapi::api::core::v1::Service>> {
        let children = &self.world.children;
        let both = [&children.service, &children.dashboard_service];
        both.into_iter().flatten().find(|it| it.name_any() == name).cloned()
    }

    fn route(&self, name: &str) -> Option<Arc<HttpRoute>> {
        named(&self.world.children.routes, name)
    }

    fn policy(&self, name: &str) -> Option<Arc<ClientSettingsPolicy>> {
        self.world.children.policies.iter().find(|it| it.name_any() == name).cloned()
    }

    async fn stop(&mut self) -> kube::Result<()> {
        let Some(set) = self.world.children.stateful_set.clone() else { return Ok(()) };
        let asks = set.spec.as_ref().and_then(|spec| spec.replicas) != Some(0);
        if !asks || set.metadata.deletion_timestamp.is_some() {
            return Ok(());
        }
        self.only_replicas(&set, 0).await
    }

    async fn remove(&mut self, kind: Kind, name: &str) -> kube::Result<()> {
        let children = &self.world.children;
        match kind {
            Kind::ConfigMap => self.delete(self.config(name)).await,
            Kind::Service => self.delete(self.service(name)).await,
            Kind::StatefulSet => self.delete(children.stateful_set.clone()).await,
            Kind::Deployment => self.delete(children.dashboard.clone()).await,
            Kind::Ingress => self.delete(children.ingress.clone()).await,
            Kind::ServiceAccount => self.delete(named(&children.service_accounts, name)).await,
            Kind::NetworkPolicy => self.delete(named(&children.network_policies, name)).await,
            Kind::Budget => self.delete(named(&children.budgets, name)).await,
            Kind::Gateway => self.delete(children.gateway.clone()).await,
            Kind::Route => self.delete(self.route(name)).await,
            Kind::Policy => self.delete(self.policy(name)).await,
            Kind::Claim => {
                let ours = self.claim(name).filter(|it| self.is_ours(it.meta()));
                self.delete(ours).await
            }
            Kind::Job => {
                let found = children.jobs.iter().find(|it| it.name_any() == name);
                self.delete_with(found.cloned(), PropagationPolicy::Foreground).await
            }
            Kind::Secret => {
                let secret = self.api::<Secret>().get_opt(name).await?;
                self.delete(secret.filter(|it| self.is_ours(it.meta())).map(Arc::new)).await
            }
        }
    }

    fn is_ours(&self, meta: &kube::api::ObjectMeta) -> bool {
        labels::belongs(self.instance, meta) == Belongs::Ours
    }

    fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        let namespace = self.instance.namespace().unwrap_or_default();
        Api::namespaced(self.ctx.client.clone(), &namespace)
    }
}

fn named<K: Resource>(all: &[Arc<K>], name: &str) -> Option<Arc<K>> {
    all.iter().find(|it| it.name_any() == name).cloned()
}

fn same<K: Resource>(all: &[Arc<K>], as_wanted: &K) -> Option<Arc<K>> {
    named(all, &as_wanted.name_any())
}
