//! The rule on `status`, on the API server: every edge of the machine passes, everything else does not.
//!
//! An operator may run on the same cluster and answer to what is written here. Each request is therefore
//! bound to the resourceVersion of the write before it, and is begun anew where somebody came between.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt, stream};
use kube::{
    ResourceExt,
    api::{Patch, PatchParams},
};
use on_cluster::{Ground, Instance, Refusal, definition};
use serde_json::{Value, json};
use statemachine::{
    edges::edges,
    phase::{Phase, Wire},
};
use tokio::time::timeout;

const MESSAGE: &str = "the lifecycle has no such edge: let the operator alone write status";
const DEADLINE: Duration = Duration::from_secs(30);
const AT_A_TIME: usize = 8;

/// A place in the lifecycle as `status` spells it; a field that is null is removed.
fn place(phase: &str, stage: &str) -> Value {
    let text = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
    json!({"phase": text(phase), "stage": text(stage)})
}

fn at(phase: Phase) -> Value {
    let Wire { phase, stage } = phase.into();
    place(&phase, &stage)
}

fn known() -> impl Iterator<Item = Phase> {
    Phase::ALL.into_iter().filter(|phase| *phase != Phase::Unknown)
}

/// One instance whose status is written by hand.
struct Subject<'a> {
    ground: &'a Ground,
    name: String,
}

impl<'a> Subject<'a> {
    async fn of(ground: &'a Ground, name: String) -> Result<Self> {
        // Its database does not exist, so an operator that happens to run builds nothing for it.
        let refusal = ground.create(&Instance::postgres(&name)).await?;
        refusal.map_or(Ok(Self { ground, name }), |refusal| bail!("refused:\n{refusal}"))
    }

    /// Writes a status over the version that is named, or over any; the version that results.
    async fn write(
        &self,
        status: &Value,
        over: Option<&str>,
        dry_run: bool,
    ) -> kube::Result<Option<String>> {
        let metadata = over.map_or(json!({}), |version| json!({"resourceVersion": version}));
        let patch = Patch::Merge(json!({"metadata": metadata, "status": status}));
        let how = PatchParams { dry_run, ..PatchParams::default() };
        let instances = self.ground.instances();
        Ok(instances.patch_status(&self.name, &how, &patch).await?.resource_version())
    }

    /// Brings it to `from`, then tries to bring it to `to`: why that is refused, if it is.
    async fn goes(&self, from: &Value, to: &Value, dry_run: bool) -> Result<Option<Refusal>> {
        loop {
            let rested = match self.write(&place("", ""), None, false).await {
                Ok(_) => self.write(from, None, false).await,
                conflict => conflict,
            };
            let version = match rested {
                Err(kube::Error::Api(status)) if [409, 422].contains(&status.code) => continue,
                rested => rested.with_context(|| format!("resting at {from}"))?,
            };
            match self.write(to, version.as_deref(), dry_run).await {
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                answer => return Refusal::of(answer),
            }
        }
    }
}

/// The pairs that do not go as they should. One instance stands for all pairs that begin alike.
async fn wrong(name: &str, pairs: Vec<(Value, Value)>, passes: bool) -> Result<Vec<String>> {
    let ground = Ground::fresh(name).await?;
    let mut ways = BTreeMap::<String, Vec<_>>::new();
    for (from, to) in pairs {
        ways.entry(from.to_string()).or_default().push((from, to));
    }
    let ways = ways.into_values().enumerate();
    let judged = ways.map(|(number, pairs)| judged(&ground, number, pairs, passes));
    stream::iter(judged).buffer_unordered(AT_A_TIME).try_concat().await
}

async fn judged(
    ground: &Ground,
    number: usize,
    pairs: Vec<(Value, Value)>,
    passes: bool,
) -> Result<Vec<String>> {
    let subject = Subject::of(ground, format!("subject-{number}")).await?;
    let mut wrong = Vec::new();
    for (from, to) in pairs {
        let refusal = timeout(DEADLINE, subject.goes(&from, &to, !passes)).await??;
        let right = match &refusal {
            None => passes,
            Some(refusal) => !passes && refusal.says("status", MESSAGE),
        };
        if !right {
            wrong.push(format!("{from} -> {to}: {refusal:?}"));
        }
    }
    Ok(wrong)
}

#[tokio::test]
async fn every_edge_of_the_machine_passes_and_so_does_staying() -> Result<()> {
    let taken = edges().iter().map(|edge| (edge.from, edge.to));
    let stays = known().map(|phase| (phase, phase));
    let pairs: BTreeSet<_> = taken.chain(stays).collect();
    let pairs = pairs.into_iter().map(|(from, to)| (at(from), at(to))).collect();
    assert_eq!(wrong("edges", pairs, true).await?, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn every_other_pair_of_phases_is_refused() -> Result<()> {
    let taken: BTreeSet<_> = edges().iter().map(|edge| (edge.from, edge.to)).collect();
    let all = known().flat_map(|from| known().map(move |to| (from, to)));
    let others = all.filter(|pair| pair.0 != pair.1 && !taken.contains(pair));
    let pairs: Vec<_> = others.map(|(from, to)| (at(from), at(to))).collect();
    assert!(pairs.len() > 30, "{} pairs", pairs.len());
    assert_eq!(wrong("others", pairs, false).await?, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn a_phase_of_a_newer_operator_may_come_and_go() -> Result<()> {
    let newer = || [place("Hibernating", ""), place("Upgrading", "Blessing")];
    let pairs = known().flat_map(|phase| {
        newer().into_iter().flat_map(move |new| [(at(phase), new.clone()), (new, at(phase))])
    });
    assert_eq!(wrong("newer", pairs.collect(), true).await?, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn a_lost_status_may_be_rebuilt_as_anything() -> Result<()> {
    let pairs = known().flat_map(|phase| {
        let lost = || place("", "");
        [(at(phase), lost()), (lost(), at(phase))]
    });
    assert_eq!(wrong("lost", pairs.collect(), true).await?, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn a_write_that_leaves_the_phase_alone_passes_in_every_phase() -> Result<()> {
    let pairs = known().map(|phase| (at(phase), json!({"message": "waiting"})));
    assert_eq!(wrong("messages", pairs.collect(), true).await?, Vec::<String>::new());
    Ok(())
}

#[test]
fn the_rule_is_the_only_one_on_status() {
    let rules = definition::rules(&definition::schema().unwrap());
    let on_status: Vec<_> = rules.iter().filter(|rule| rule.field.starts_with("status")).collect();
    assert_eq!(on_status.len(), 1, "{on_status:#?}");
    assert!(on_status[0].field == "status" && on_status[0].message.contains(MESSAGE));
}
