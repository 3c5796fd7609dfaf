//! The operator is killed at every write.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, VecDeque},
    env,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use on_cluster::proxy::Mode;

use crate::{
    account::{self, Account},
    content,
    flow::Flow,
    lane::Lane,
    step::Step,
    table::{self, Row},
    without_the_usual_operator,
};

/// How many operators run side by side, two cores given.
const LANES: usize = 6;
/// Where this says `whole`, every write is cut in every way; else in the hardest one: it is done, and its answer is lost.
const CAMPAIGN: &str = "CAMPAIGN";

/// How a flow ends, and what is written for it, where nobody is killed.
struct Undisturbed {
    account: Account,
    writes: Vec<Step>,
}

type References = BTreeMap<Flow, Undisturbed>;
type Run = (Flow, usize, Mode);
type Queue = Arc<Mutex<VecDeque<Run>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_killed_at_any_write_ends_where_it_would_have_come_undisturbed() -> Result<()> {
    without_the_usual_operator(async || {
        let began = Instant::now();
        let opened = (0..LANES).map(|it| async move { Lane::open(&format!("kills{it}")).await });
        let mut lanes = try_join_all(opened).await?;
        let references = undisturbed(&mut lanes).await?;
        let queue: Queue = Arc::new(Mutex::new(planned(&references)));
        let played = lanes.into_iter().map(|lane| played(lane, queue.clone(), &references));
        let mut rows: Vec<_> = try_join_all(played).await?.into_iter().flatten().collect();
        table::told("kills", &mut rows).await?;
        println!("{} runs in {} s", rows.len(), began.elapsed().as_secs());
        table::is_good(&rows)
    })
    .await
}

async fn undisturbed(lanes: &mut [Lane]) -> Result<References> {
    let runs = lanes.iter_mut().zip(Flow::wanted()).map(|(lane, flow)| async move {
        let run = lane.played(flow, None, None).await;
        let run = run.with_context(|| format!("{flow:?}, undisturbed"))?;
        println!("{flow:?}, undisturbed, {:.1} s:", run.took.as_secs_f32());
        for (number, write) in run.writes.iter().enumerate() {
            println!("{:>3} {write}", number + 1);
        }
        let short = run.account.iter().filter(|it| !it.starts_with(content::SAYS));
        short.for_each(|line| println!("{line}"));
        account::is_sound(&run.account).with_context(|| format!("{flow:?}, undisturbed"))?;
        ensure!(run.writes.len() <= flow.budget(), "{flow:?} takes {} writes", run.writes.len());
        anyhow::Ok((flow, Undisturbed { account: run.account, writes: run.writes }))
    });
    Ok(try_join_all(runs).await?.into_iter().collect())
}

/// Whether time does not matter.
pub fn is_whole() -> bool {
    env::var_os(CAMPAIGN).is_some_and(|it| it == "whole")
}

/// The hardest cuts first, and of these the last ones, which have the most behind them.
fn planned(references: &References) -> VecDeque<Run> {
    let whole = is_whole();
    let of = |(flow, reference): (&Flow, &Undisturbed)| {
        let (flow, writes) = (*flow, reference.writes.len());
        let modes = move |number| Mode::KILLS.into_iter().map(move |mode| (flow, number, mode));
        (1..=writes).flat_map(modes).collect::<Vec<_>>()
    };
    let mut runs: Vec<Run> = references.iter().flat_map(of).collect();
    runs.retain(|(_, _, mode)| whole || *mode == Mode::During);
    runs.sort_by_key(|(flow, number, mode)| (*mode != Mode::During, Reverse(*number), *flow));
    runs.into()
}

async fn played(mut lane: Lane, queue: Queue, references: &References) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some((flow, number, mode)) = next else { break };
        let reference = references.get(&flow).context("a reference")?;
        let row = one(&mut lane, (flow, number, mode), reference).await;
        println!("{}", row.line());
        rows.push(row);
    }
    lane.close().await?;
    Ok(rows)
}

async fn one(lane: &mut Lane, (flow, number, mode): Run, reference: &Undisturbed) -> Row {
    let mut row = Row {
        flow,
        number,
        mode,
        write: String::new(),
        differs: Vec::new(),
        met: false,
        took: Duration::ZERO,
    };
    match lane.played(flow, Some((number, mode)), Some(&reference.account)).await {
        Ok(run) => {
            row.write = run.writes.get(number - 1).map(ToString::to_string).unwrap_or_default();
            row.differs = account::difference(&reference.account, &run.account);
            (row.met, row.took) = (run.met, run.took);
        }
        Err(error) => row.differs.push(format!("in {}: {error:#}", lane.stage.namespace())),
    }
    row
}
