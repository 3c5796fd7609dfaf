//! More than one operator that acts: two at once, and a leader that is stopped at a write and woken when another one has
//! gone on without it. The lease would keep them apart, so each has one of its own.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::{Api, api::PostParams};
use on_cluster::{
    Ground,
    proxy::{Cut, Mode, Proxy},
    stage::PATIENCE,
};
use serde_json::json;

use crate::{
    account::{self, Account},
    flow::Flow,
    kills::is_whole,
    lane::{Lane, Prepared},
    operator::{Operator, Start},
    table::{self, Row},
    without_the_usual_operator,
};

/// What two operators do at once, and what a leader is stopped in.
const FLOWS: [Flow; 2] = [Flow::InPlace, Flow::ExportImport];

/// A second operator of a lane, whose lease is where the first does not look.
struct Rival {
    operator: Operator,
    _proxy: Proxy,
    _elsewhere: Ground,
}

impl Rival {
    async fn of(lane: &Lane) -> Result<Self> {
        let elsewhere = Ground::fresh("rival").await?;
        let cluster = lane.stage.cluster.description();
        let here = lane.stage.namespace();
        leases(&elsewhere, here).await?;
        let account = cluster.run.join(format!("operator.{here}.kubeconfig"));
        let name = format!("rival.{}", elsewhere.namespace());
        let proxy = Proxy::open(&account, cluster.addresses.control_plane, &name).await?;
        let start = Start::new(cluster, proxy.kubeconfig(), here, elsewhere.namespace());
        Ok(Self { operator: Operator::keep(start), _proxy: proxy, _elsewhere: elsewhere })
    }
}

/// Lets the operator of a lane have a lease in another namespace.
async fn leases(elsewhere: &Ground, lane: &str) -> Result<()> {
    let (client, there) = (elsewhere.client(), elsewhere.namespace());
    let verbs = ["get", "create", "update", "patch"];
    let role: Role = serde_json::from_value(json!({
        "metadata": {"name": "leases"},
        "rules": [{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": verbs}],
    }))?;
    let binding: RoleBinding = serde_json::from_value(json!({
        "metadata": {"name": "leases"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "leases"},
        "subjects": [{"kind": "ServiceAccount", "namespace": lane, "name": cluster::operator::NAME}],
    }))?;
    let how = PostParams::default();
    Api::<Role>::namespaced(client.clone(), there).create(&how, &role).await?;
    Api::<RoleBinding>::namespaced(client, there).create(&how, &binding).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_operators_that_act_at_once_end_where_one_would_have_come() -> Result<()> {
    without_the_usual_operator(async || {
        let lanes = FLOWS.map(|flow| async move {
            let mut lane = Lane::open("doubled").await?;
            let reference = lane.played(flow, None, None).await?.account;
            account::is_sound(&reference)?;
            let rival = Rival::of(&lane).await?;
            let mut rows = Vec::new();
            for number in 1..=3 {
                let began = Instant::now();
                let played = lane.played(flow, None, Some(&reference)).await?;
                rows.push(Row {
                    flow,
                    number,
                    mode: Mode::During,
                    write: "two at once".to_owned(),
                    differs: account::difference(&reference, &played.account),
                    met: true,
                    took: began.elapsed(),
                });
            }
            ensure!(rival.operator.starts() == 1, "the second operator ended");
            lane.close().await?;
            anyhow::Ok(rows)
        });
        judged("doubled", try_join_all(lanes).await?.into_iter().flatten().collect()).await
    })
    .await
}

/// The first write of a stage is the one that enters it; the next ones are what the stage owes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_stopped_at_any_write_and_woken_after_the_next_edge_does_no_harm() -> Result<()> {
    without_the_usual_operator(async || {
        let lanes = FLOWS.map(|flow| async move {
            let mut lane = Lane::open("stopped").await?;
            let reference = lane.played(flow, None, None).await?;
            account::is_sound(&reference.account)?;
            let mut rows = Vec::new();
            for (number, write) in chosen(&reference.writes) {
                let began = Instant::now();
                let account = Box::pin(woken(&mut lane, flow, number, &reference.account)).await;
                let differs = match account {
                    Ok(account) => account::difference(&reference.account, &account),
                    Err(error) => vec![format!("in {}: {error:#}", lane.stage.namespace())],
                };
                let (mode, write, took) = (Mode::Frozen, write.clone(), began.elapsed());
                let row = Row { flow, number, mode, write, differs, met: true, took };
                println!("{}", row.line());
                rows.push(row);
            }
            lane.close().await?;
            anyhow::Ok(rows)
        });
        judged("stopped", try_join_all(lanes).await?.into_iter().flatten().collect()).await
    })
    .await
}

/// Events change nothing. Of the rest, every third is in some stage, and all of them are, where the whole is asked for.
fn chosen(writes: &[String]) -> impl Iterator<Item = (usize, &String)> {
    let lasting = (1..).zip(writes).filter(|(_, it)| !it.contains(" events/"));
    lasting.step_by(if is_whole() { 1 } else { 3 })
}

/// Stops the leader at a write, lets another one take the next edge, and wakes it in the middle of what follows.
async fn woken(lane: &mut Lane, flow: Flow, number: usize, end: &Account) -> Result<Account> {
    let run = lane.prepared(flow).await?;
    let pid = lane.operator.pid().await?;
    lane.proxy.watch(&run.name, Some(Cut { number, mode: Mode::Frozen, pid }));
    lane.stage.patch(&run.name, json!({"version": "v2"})).await?;
    let met = || async { Ok(lane.proxy.has_cut().then_some(())) };
    lane.stage.until("the write at which it is stopped", PATIENCE, met).await?;
    let before = edges(lane, &run).await?;
    let rival = Rival::of(lane).await?;
    let acted = || async { Ok((edges(lane, &run).await? > before).then_some(())) };
    // After the last edge there is no next one.
    let next = lane.stage.until("an edge by the other operator", PATIENCE, acted);
    let ended = lane.end(flow, &run, Some(end));
    tokio::select! {
        next = next => next?,
        ended = ended => { ended?; }
    }
    lane.operator.wake().await?;
    lane.proxy.thaw();
    let account = lane.end(flow, &run, Some(end)).await?;
    drop(rival);
    lane.leave(&run.name).await?;
    Ok(account)
}

async fn edges(lane: &Lane, run: &Prepared) -> Result<usize> {
    let status = lane.stage.instance(&run.name).await?.status.context("a status")?;
    Ok(status.history.len())
}

async fn judged(title: &str, mut rows: Vec<Row>) -> Result<()> {
    table::told(title, &mut rows).await?;
    ensure!(rows.iter().all(Row::is_good), "some runs end differently");
    Ok(())
}
