//! What came of every run, in a table.

use std::{fs, time::Duration};

use anyhow::{Result, ensure};
use cluster::Cluster;
use on_cluster::proxy::Mode;

use crate::flow::Flow;

/// Of so many runs one may have a write less than the undisturbed one, so that nothing happens to anybody in it.
const SPARED: usize = 20;

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// What was done.
    pub flow: Flow,
    /// The number of the write.
    pub number: usize,
    /// What happened at it.
    pub mode: Mode,
    /// The write.
    pub write: String,
    /// What differs from the undisturbed run; nothing, where it came out.
    pub differs: Vec<String>,
    /// Whether there was such a write and somebody was ended or stopped at it, or, where two act, whether both did.
    pub met: bool,
    /// From the bumped version to the end.
    pub took: Duration,
}

impl Row {
    /// The run in a line.
    pub fn line(&self) -> String {
        let outcome = match (self.differs.is_empty(), self.met) {
            (false, _) => format!("DIFFERS: {}", self.differs.join("; ")),
            (true, true) => "same".to_owned(),
            (true, false) => "same (undisturbed)".to_owned(),
        };
        let (flow, mode) = (format!("{:?}", self.flow), format!("{:?}", self.mode));
        let took = self.took.as_secs_f32();
        format!(
            "{flow:<12} {:>3} {mode:<6} {took:>5.1} s  {:<62} {outcome}",
            self.number, self.write
        )
    }

    /// Whether it ended like the undisturbed one.
    pub const fn is_good(&self) -> bool {
        self.differs.is_empty()
    }
}

/// Prints the table, and keeps it among the logs of the cluster.
pub async fn told(title: &str, rows: &mut [Row]) -> Result<()> {
    rows.sort();
    let text: String = rows.iter().map(|row| row.line() + "\n").collect();
    let cluster = Cluster::from_env().await?;
    let path = cluster.description().run.join("logs").join(format!("{title}.txt"));
    fs::write(path, &text)?;
    println!("{title}: {} runs\n{text}", rows.len());
    Ok(())
}

/// That all ended like the undisturbed one, and nearly all met what was to happen in them.
///
/// # Errors
/// Those that did not, a line each: it is the last that is printed.
pub fn is_good(rows: &[Row]) -> Result<()> {
    let bad: Vec<_> = rows.iter().filter(|row| !row.is_good()).map(Row::line).collect();
    ensure!(
        bad.is_empty(),
        "{} of {} runs end differently:\n{}",
        bad.len(),
        rows.len(),
        bad.join("\n")
    );
    // Writes that two passes share may be one less in a run; more than that is no campaign.
    let spared: Vec<_> = rows.iter().filter(|row| !row.met).map(Row::line).collect();
    ensure!(
        spared.len() * SPARED <= rows.len(),
        "{} of {} runs went undisturbed:\n{}",
        spared.len(),
        rows.len(),
        spared.join("\n")
    );
    Ok(())
}
