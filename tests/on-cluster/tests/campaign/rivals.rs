//! More than one operator that acts: two at once, and a leader that is stopped at a write and woken when another one has
//! gone on without it. The lease would keep them apart, so each has one of its own.

use std::{sync::Arc, time::Instant};

use anyhow::{Context, Result};
use futures::future::try_join_all;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::{Api, api::PostParams};
use on_cluster::{
    Ground,
    proxy::{Cut, Mode, Proxy, Write},
    stage::PATIENCE,
};
use serde_json::json;

use crate::{
    account::{self, Account},
    flow::Flow,
    kills::is_whole,
    lane::{Lane, Played, Prepared},
    operator::{LIFE, Operator, Start},
    step::{self, Step},
    table::{self, Row},
    without_the_usual_operator,
};

/// How often each flow is played with two operators.
const DOUBLED: usize = 3;

/// A second operator of a lane, whose lease is where the first does not look.
struct Rival {
    operator: Operator,
    proxy: Arc<Proxy>,
    _elsewhere: Ground,
}

impl Rival {
    /// One whose writes about an instance are counted from its first one on.
    async fn of(lane: &mut Lane, instance: &str) -> Result<Self> {
        let elsewhere = Ground::fresh("rival").await?;
        let cluster = lane.stage.cluster.description();
        let here = lane.stage.namespace();
        leases(&elsewhere, here).await?;
        let account = cluster.run.join(format!("operator.{here}.kubeconfig"));
        let name = format!("rival.{}", elsewhere.namespace());
        let proxy = Proxy::open(&account, cluster.addresses.control_plane, &name).await?;
        proxy.watch(instance, None);
        let start = Start::new(cluster, proxy.kubeconfig(), here, elsewhere.namespace());
        let (operator, proxy) = (Operator::keep(start), Arc::new(proxy));
        lane.beside = Some(proxy.clone());
        Ok(Self { operator, proxy, _elsewhere: elsewhere })
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
        let lanes = Flow::wanted().map(|flow| async move {
            let mut lane = Lane::open("doubled").await?;
            let reference = lane.played(flow, None, None).await?.account;
            account::is_sound(&reference)?;
            let rival = Rival::of(&mut lane, "").await?;
            let mut rows = Vec::new();
            for number in 1..=DOUBLED {
                let row = doubled(&mut lane, flow, number, &reference).await?;
                println!("{}", row.line());
                rows.push(row);
            }
            rival.operator.is_sound()?;
            lane.close().await?;
            anyhow::Ok(rows)
        });
        judged("doubled", try_join_all(lanes).await?.into_iter().flatten().collect()).await
    })
    .await
}

/// That both acted is known by what each of them has asked the API server for itself. Whoever comes second is refused or
/// finds it done, so how much either gets is left to chance.
async fn doubled(lane: &mut Lane, flow: Flow, number: usize, end: &Account) -> Result<Row> {
    let played = lane.played(flow, None, Some(end)).await;
    let played = played.with_context(|| format!("{flow:?}, two at once"))?;
    let told = |of: &[Step]| format!("{} of {}", of.iter().filter(|it| it.done).count(), of.len());
    let (one, other) = (&played.writes, &played.beside);
    Ok(Row {
        flow,
        number,
        mode: Mode::During,
        write: format!("two at once: {} writes done, of the other's {}", told(one), told(other)),
        differs: account::difference(end, &played.account),
        met: !one.is_empty() && !other.is_empty(),
        took: played.took,
    })
}

/// The first write of a stage is the one that enters it; the next ones are what the stage owes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_stopped_at_any_write_and_woken_after_the_next_edge_does_no_harm() -> Result<()> {
    without_the_usual_operator(async || {
        let lanes = Flow::wanted().map(|flow| async move {
            let mut lane = Lane::open("stopped").await?;
            let reference = lane.played(flow, None, None).await?;
            account::is_sound(&reference.account)?;
            let mut rows = Vec::new();
            for number in step::chosen(&reference.writes, is_whole()) {
                let row = stopped(&mut lane, flow, number, &reference).await;
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

async fn stopped(lane: &mut Lane, flow: Flow, number: usize, reference: &Played) -> Row {
    let began = Instant::now();
    let write = reference.writes.get(number - 1).map(ToString::to_string).unwrap_or_default();
    let (mut met, mut differs) = (false, Vec::new());
    match Box::pin(woken(lane, flow, number, &reference.account)).await {
        Ok(woken) => {
            met = woken.stopped;
            differs.extend(account::difference(&reference.account, &woken.account));
            if woken.stopped && !woken.met {
                differs.push("no other one has written while the leader was stopped".to_owned());
            }
        }
        Err(error) => {
            differs.push(format!("in {}: {error:#}", lane.stage.namespace()));
            // Else the runs that follow would wait for it.
            let _ = lane.operator.wake().await;
            lane.proxy.thaw();
            lane.watch("", None);
        }
    }
    lane.beside = None;
    Row { flow, number, mode: Mode::Frozen, write, differs, met, took: began.elapsed() }
}

/// What came of a run whose leader was stopped and woken.
struct Woken {
    account: Account,
    /// Whether there was such a write.
    stopped: bool,
    /// Whether another one has written meanwhile.
    met: bool,
}

/// Stops the leader at a write, lets another one take the next edge, and wakes it in the middle of what follows.
async fn woken(lane: &mut Lane, flow: Flow, number: usize, end: &Account) -> Result<Woken> {
    let run = lane.prepared(flow).await?;
    let pid = lane.operator.pid().await?;
    lane.watch(&run.name, Some(Cut { number, mode: Mode::Frozen, pid }));
    lane.stage.patch(&run.name, json!({"version": "v2"})).await?;
    if let Some(account) = unstopped(lane, flow, &run, end).await? {
        lane.leave(&run.name).await?;
        return Ok(Woken { account, stopped: false, met: false });
    }
    let before = edges(lane, &run).await?;
    let rival = Rival::of(lane, &run.name).await?;
    let acted = || async { Ok((edges(lane, &run).await? > before).then_some(())) };
    // After the last edge there is no next one.
    let next = lane.stage.until("an edge by the other operator", PATIENCE, acted);
    let ended = lane.end(flow, &run, Some(end));
    tokio::select! {
        next = next => next?,
        ended = ended => { ended?; }
    }
    let asked = rival.proxy.writes().len();
    lane.operator.wake().await?;
    lane.proxy.thaw();
    let answer = || async { Ok(lane.proxy.writes().get(number - 1).and_then(|it| it.answer)) };
    lane.stage.until("an answer to the write that was held", PATIENCE, answer).await?;
    let account = lane.end(flow, &run, Some(end)).await?;
    // The edge may have been seen before its answer has come back through the proxy.
    let met = rival.proxy.writes().iter().take(asked).any(Write::is_done);
    rival.operator.is_sound()?;
    lane.leave(&run.name).await?;
    Ok(Woken { account, stopped: true, met })
}

/// Waits until the leader is stopped; what there is where the run is over before, with fewer writes than the undisturbed
/// one.
async fn unstopped(
    lane: &Lane,
    flow: Flow,
    run: &Prepared,
    end: &Account,
) -> Result<Option<Account>> {
    let stopped = || async { Ok(lane.proxy.has_cut().then_some(())) };
    let account = tokio::select! {
        stopped = lane.stage.until("the write at which it is stopped", LIFE, stopped) => {
            stopped?;
            None
        }
        // The last writes come after the code was deployed again, which the wait for the end does.
        account = lane.end(flow, run, Some(end)) => Some(account?),
    };
    Ok(account.filter(|_| !lane.proxy.has_cut()))
}

async fn edges(lane: &Lane, run: &Prepared) -> Result<usize> {
    let status = lane.stage.instance(&run.name).await?.status.context("a status")?;
    Ok(status.history.len())
}

async fn judged(title: &str, mut rows: Vec<Row>) -> Result<()> {
    table::told(title, &mut rows).await?;
    table::is_good(&rows)
}
