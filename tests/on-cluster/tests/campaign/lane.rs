//! A namespace with an operator of its own, behind a proxy of its own: lanes run side by side.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use cluster::{checkout::Checkout, operator};
use kube::{
    ResourceExt,
    api::{DeleteParams, ListParams},
};
use on_cluster::{
    Stage,
    proxy::{Cut, Mode, Proxy},
    stage::{PATIENCE, data::Data},
};
use serde_json::json;
use tokio::time::Instant;

use crate::{
    account::{self, Account},
    births::Births,
    flow::Flow,
    operator::{LIFE, Operator, Start},
    step::{self, Step},
};

/// How long nothing is written before an undisturbed run is over.
const REST: Duration = Duration::from_secs(4);
/// How long nothing is written before a run is over that looks like the undisturbed one.
const SETTLED: Duration = Duration::from_millis(400);
const LOOK: Duration = Duration::from_millis(300);

/// A namespace with an operator of its own.
pub struct Lane {
    /// The namespace.
    pub stage: Stage,
    /// The way of its operator to the API server.
    pub proxy: Proxy,
    /// Its operator.
    pub operator: Operator,
    /// The way of another operator that acts here, too.
    pub beside: Option<Arc<Proxy>>,
    births: Births,
    instances: usize,
    /// What had been made for every instance when its run was over.
    over: Vec<(String, Vec<String>)>,
}

/// What came of a run.
pub struct Played {
    /// What was to be seen in the end.
    pub account: Account,
    /// What was written after the version was bumped.
    pub writes: Vec<Step>,
    /// What the other operator that acts here has written.
    pub beside: Vec<Step>,
    /// From the bumped version to the end.
    pub took: Duration,
    /// Whether the cut was met.
    pub met: bool,
}

/// An instance that waits for its version to be bumped.
pub struct Prepared {
    /// What it is called.
    pub name: String,
    /// What its users had written.
    pub data: Data,
    edges: usize,
}

impl Lane {
    /// Sets a lane up; the usual operator must not run.
    pub async fn open(name: &str) -> Result<Self> {
        let stage = Stage::set(name).await?;
        let cluster = stage.cluster.description().clone();
        let here = stage.namespace().to_owned();
        let account = operator::confine(&Checkout::find()?, &cluster, &here).await?;
        let address = cluster.addresses.control_plane;
        let proxy = Proxy::open(&account, address, &format!("proxy.{here}")).await?;
        let births = Births::watch(&stage);
        let operator = Operator::keep(Start::new(&cluster, proxy.kubeconfig(), &here, &here));
        Ok(Self { stage, proxy, operator, beside: None, births, instances: 0, over: Vec::new() })
    }

    /// An instance at the beginning of a flow, with something in it.
    pub async fn prepared(&mut self, flow: Flow) -> Result<Prepared> {
        self.instances += 1;
        // Nothing that is written in hexadecimal is called like this.
        let name = format!("run{}", self.instances);
        self.watch("", None);
        self.stage.ready(&flow.instance(&name)).await?;
        let data = self.stage.fill(&name).await?;
        let edges = self.edges(&name).await?;
        Ok(Prepared { name, data, edges })
    }

    /// Bumps the version of a new instance, cuts, and waits for the end.
    pub async fn played(
        &mut self,
        flow: Flow,
        cut: Option<(usize, Mode)>,
        reference: Option<&Account>,
    ) -> Result<Played> {
        let run = self.prepared(flow).await?;
        let pid = self.operator.pid().await?;
        self.watch(&run.name, cut.map(|(number, mode)| Cut { number, mode, pid }));
        let began = Instant::now();
        self.stage.patch(&run.name, json!({"version": "v2"})).await?;
        let account = self.end(flow, &run, reference).await?;
        let took = began.elapsed();
        let writes = step::all(&self.proxy.writes(), &run.name);
        let beside = self.beside.as_ref().map(|it| step::all(&it.writes(), &run.name));
        let met = self.proxy.has_cut();
        self.leave(&run.name).await?;
        Ok(Played { account, writes, beside: beside.unwrap_or_default(), took, met })
    }

    /// Begins to count anew, for whoever acts here.
    pub fn watch(&self, instance: &str, cut: Option<Cut>) {
        self.proxy.watch(instance, cut);
        self.beside.iter().for_each(|it| it.watch(instance, None));
    }

    fn quiet(&self) -> Duration {
        let beside = self.beside.iter().map(|it| it.quiet());
        beside.chain([self.proxy.quiet()]).min().unwrap_or_default()
    }

    /// Waits until everything is as in the undisturbed run, or, where this is that run, until it rests.
    pub async fn end(
        &self,
        flow: Flow,
        run: &Prepared,
        reference: Option<&Account>,
    ) -> Result<Account> {
        let deadline = Instant::now() + LIFE;
        loop {
            tokio::time::sleep(LOOK).await;
            let over = self.over(flow, run).await.unwrap_or(false);
            let taken =
                if over { account::taken(&self.stage, &self.births, run).await.ok() } else { None };
            let quiet = self.quiet();
            match (taken, reference) {
                (Some(taken), None) if quiet > REST => return Ok(taken),
                (Some(taken), Some(reference))
                    if quiet > SETTLED && account::difference(reference, &taken).is_empty() =>
                {
                    return Ok(taken);
                }
                (taken, reference) if Instant::now() > deadline => {
                    return self.late(run, taken, reference).await;
                }
                _ => {}
            }
        }
    }

    /// What is there is the outcome, where it is over; else it is told how far it came.
    async fn late(
        &self,
        run: &Prepared,
        taken: Option<Account>,
        reference: Option<&Account>,
    ) -> Result<Account> {
        let state = self.stage.follow(&run.name).await?.now().cloned();
        match taken {
            Some(taken) if reference.is_some() => Ok(taken),
            _ => bail!(
                "it does not end: {}",
                state.map(|it| it.to_string()).context("the instance is gone")?
            ),
        }
    }

    /// Whether it looks as if it were over; what its users owe it, they do on the way.
    pub async fn over(&self, flow: Flow, run: &Prepared) -> Result<bool> {
        let instance = self.stage.instance(&run.name).await?;
        let status = instance.status.context("a status")?;
        if status.stage.as_deref() == Some("Importing") && flow.needs_code() {
            self.stage.deploy(&run.name).await?;
        }
        Ok(status.phase.as_deref() == Some("Ready")
            && status.running_version.as_deref() == Some(flow.ends_with())
            && Some(status.observed_generation) == instance.metadata.generation
            && status.history.len() > run.edges)
    }

    async fn edges(&self, name: &str) -> Result<usize> {
        Ok(self.stage.instance(name).await?.status.context("a status")?.history.len())
    }

    /// Deletes an instance; the next run does not wait for its end.
    pub async fn leave(&mut self, name: &str) -> Result<()> {
        // Else a write that did not come would be met in the writes that delete it.
        self.watch("", None);
        self.over.push((name.to_owned(), self.births.of(name)));
        self.stage.instances().delete(name, &DeleteParams::default()).await?;
        Ok(())
    }

    /// Waits until nothing is left, and ends the operator. What a late pass makes comes after the run.
    pub async fn close(self) -> Result<()> {
        let instances = self.stage.instances();
        let gone = || async {
            let left = instances.list(&ListParams::default()).await?;
            // One whose run failed was not left.
            for it in left.iter().filter(|it| it.metadata.deletion_timestamp.is_none()) {
                instances.delete(&it.name_any(), &DeleteParams::default()).await?;
            }
            Ok(left.items.is_empty().then_some(()))
        };
        self.stage.until("end of all instances", PATIENCE, gone).await?;
        for (name, made) in &self.over {
            let late = account::difference(made, &self.births.of(name));
            let here = self.stage.namespace();
            ensure!(
                late.is_empty(),
                "made for {name} in {here} after its run: {}",
                late.join(", ")
            );
        }
        self.operator.is_sound().with_context(|| self.stage.namespace().to_owned())
    }
}
