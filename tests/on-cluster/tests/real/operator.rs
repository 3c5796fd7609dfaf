//! The operator as a pod: its role, and how one follows another.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cluster::{
    audit::Entry,
    operator::{NAME, NAMESPACE, USER},
    wait,
};
use convex_operator::rbac;
use k8s_openapi::api::{
    coordination::v1::Lease,
    core::v1::Pod,
    rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, Subject},
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams},
};
use on_cluster::{Stage, edge, stage::records::lines};
use serde_json::{Value, json};

use crate::{
    gateway::{Hosts, client, exposed},
    stage::{PATIENCE, is_ready, played, small},
};

/// More than one, for what all wait for at a start must wake all.
const FLEET: [&str; 3] = ["one", "two", "three"];
/// The one that is reached by hosts.
const REACHED: &str = "reached";
const SELECTOR: &str = "app.kubernetes.io/name=convex-operator";
/// What a deployment gives an operator to end in.
const END: Duration = Duration::from_secs(10);
/// How long a successor that has looked at everything must stay quiet.
const QUIET: Duration = Duration::from_secs(8);

#[tokio::test]
async fn the_operator_is_a_pod_under_exactly_the_role_of_the_code() -> Result<()> {
    played("role", async |stage| {
        let pod = operator(stage).await?;
        let account = pod.spec.as_ref().and_then(|spec| spec.service_account_name.clone());
        ensure!(account.as_deref() == Some(NAME), "it runs as {account:?}");
        let cluster_wide = Api::<ClusterRole>::all(stage.client()).get(NAME).await?.rules;
        is_exactly(cluster_wide, &rbac::cluster_role())?;
        let own = Api::<Role>::namespaced(stage.client(), NAMESPACE);
        is_exactly(own.get(&format!("{NAME}-lease")).await?.rules, &rbac::lease_role())?;
        let bound = bindings(stage).await?;
        ensure!(bound == [NAME.to_owned(), format!("{NAME}-lease")], "bound by {bound:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_deleted_operator_ends_in_time_and_its_successor_looks_at_all_and_writes_nothing()
-> Result<()> {
    played("successor", async |stage| {
        let hosts = Hosts::of(stage);
        client(stage, &hosts).await?;
        stage.apply(&edge::shared()).await?;
        let through = hosts.networking(json!({"parentRefs": [{"name": "public"}]}));
        for name in FLEET {
            stage.served(&small(name)).await?;
        }
        let reached = exposed(through).named(REACHED);
        stage.create(&reached).await?;
        stage.exposed(REACHED).await?;
        stage.rest().await?;
        let before = operator(stage).await?;
        let mark = stage.mark()?;
        let asked = Instant::now();
        stage_operator(stage).delete(&before.name_any(), &DeleteParams::default()).await?;
        wait::until("end of the operator", PATIENCE, &[], || async {
            let now = stage_operator(stage).get_opt(&before.name_any()).await?;
            Ok(now.is_none().then_some(()))
        })
        .await?;
        let took = asked.elapsed();
        ensure!(took < END, "it took {took:?} to end");
        successor_has_looked(stage, mark).await?;
        // Nothing can be awaited that proves silence.
        tokio::time::sleep(QUIET).await;
        let written = stage.writes_since(mark)?;
        ensure!(written.is_empty(), "written to a settled namespace:\n{}", lines(&written));
        Ok(())
    })
    .await
}

fn stage_operator(stage: &Stage) -> Api<Pod> {
    Api::namespaced(stage.client(), NAMESPACE)
}

async fn operator(stage: &Stage) -> Result<Pod> {
    let pods = stage_operator(stage);
    wait::until("ready operator", PATIENCE, &[], || async {
        let listed = pods.list(&ListParams::default().labels(SELECTOR)).await?;
        let living = |pod: &Pod| pod.metadata.deletion_timestamp.is_none() && is_ready(pod);
        Ok(listed.items.into_iter().find(living))
    })
    .await
}

/// It holds the lease, and has read the Secrets of every instance: no pass goes without that.
async fn successor_has_looked(stage: &Stage, mark: u64) -> Result<()> {
    let successor = operator(stage).await?.name_any();
    let leases = Api::<Lease>::namespaced(stage.client(), NAMESPACE);
    wait::until("lease of the successor", PATIENCE, &[], || async {
        let holder = leases.get(NAME).await?.spec.and_then(|spec| spec.holder_identity);
        Ok((holder.as_ref() == Some(&successor)).then_some(()))
    })
    .await?;
    wait::until("look at every instance", PATIENCE, &[], || async {
        let asked = stage.cluster.audit_matching(mark, &[USER])?;
        // Only a new one lists; what comes before was still asked by the old one.
        let begins = |it: &&Entry| it.verb == "list" && it.resource == "statefulsets";
        let by_it: Vec<_> = asked.iter().skip_while(|it| !begins(it)).collect();
        let looked_at = |name: &str| {
            let secret = format!("{name}-instance");
            by_it.iter().any(|it| it.namespace == stage.namespace() && it.name == secret)
        };
        let all = FLEET.into_iter().chain([REACHED]);
        let missed: Vec<_> = all.filter(|name| !looked_at(name)).collect();
        ensure!(missed.is_empty(), "not yet looked at: {}", missed.join(", "));
        Ok(Some(()))
    })
    .await
}

fn is_exactly(found: Option<Vec<PolicyRule>>, yaml: &str) -> Result<()> {
    let mut role: Value = serde_saphyr::from_str(yaml).context("the code's own role")?;
    let wanted: Option<Vec<PolicyRule>> = serde_json::from_value(role["rules"].take())?;
    let sorted = |rules: Option<Vec<PolicyRule>>| {
        let mut rules: Vec<_> = rules.iter().flatten().map(|rule| format!("{rule:?}")).collect();
        rules.sort();
        rules
    };
    let (found, wanted) = (sorted(found), sorted(wanted));
    ensure!(found == wanted, "the role is\n{}\nand not\n{}", found.join("\n"), wanted.join("\n"));
    Ok(())
}

async fn bindings(stage: &Stage) -> Result<Vec<String>> {
    let about_it = |subjects: &Option<Vec<Subject>>| {
        let is_it = |it: &Subject| {
            it.kind == "ServiceAccount"
                && it.name == NAME
                && it.namespace.as_deref() == Some(NAMESPACE)
        };
        subjects.iter().flatten().any(is_it)
    };
    let all = ListParams::default();
    let cluster_wide = Api::<ClusterRoleBinding>::all(stage.client()).list(&all).await?;
    let narrow = Api::<RoleBinding>::all(stage.client()).list(&all).await?;
    let cluster_wide = cluster_wide.iter().filter(|it| about_it(&it.subjects));
    let narrow = narrow.iter().filter(|it| about_it(&it.subjects));
    let names = cluster_wide.map(ResourceExt::name_any).chain(narrow.map(ResourceExt::name_any));
    Ok(names.collect())
}
