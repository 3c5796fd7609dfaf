//! The writes of a run as they would be of any other one, and those at which a leader is stopped.

use std::fmt::{self, Display, Formatter};

use on_cluster::proxy::Write;

use crate::account::general;

/// A write of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where it leads, if that is another phase or stage or the same one again.
    enters: Option<String>,
    write: String,
    /// Whether the API server did it.
    pub done: bool,
}

impl Display for Step {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let enters = self.enters.as_ref().map(|it| format!(" -> {it}"));
        write!(to, "{}{}", self.write, enters.unwrap_or_default())
    }
}

/// All writes of a run.
pub fn all(writes: &[Write], instance: &str) -> Vec<Step> {
    let step = |it: &Write| Step {
        enters: it.enters.clone(),
        write: general(&it.to_string(), instance),
        done: it.is_done(),
    };
    writes.iter().map(step).collect()
}

/// The numbers of those at which a leader is stopped: of every stage the write that enters it and the last one, and all
/// of them where the whole is asked for. Events change nothing, and are left out.
pub fn chosen(steps: &[Step], whole: bool) -> Vec<usize> {
    let lasting: Vec<_> =
        (1..).zip(steps).filter(|(_, it)| !it.write.contains(" events/")).collect();
    let of_stages = lasting.chunk_by(|_, (_, next)| next.enters.is_none());
    let ends = |of: &[(usize, &Step)]| {
        let mut numbers: Vec<_> = of.iter().map(|(number, _)| *number).collect();
        if !whole && numbers.len() > 2 {
            numbers.drain(1..numbers.len() - 1);
        }
        numbers
    };
    of_stages.flat_map(ends).collect()
}

#[test]
fn a_leader_is_stopped_at_the_first_and_the_last_lasting_write_of_every_stage() {
    let step = |(write, to): (&str, &str)| Step {
        enters: Some(to.to_owned()).filter(|it| !it.is_empty()),
        write: write.to_owned(),
        done: true,
    };
    let (status, job, event) = ("PUT a/status", "POST jobs/a", "POST events/a");
    let steps = [(status, "Exporting"), (event, ""), (job, ""), (job, ""), (event, "")];
    let later =
        [(status, "Rolling"), (job, ""), (status, "Rolling"), (status, "Ready"), (event, "")];
    let steps: Vec<_> = steps.into_iter().chain(later).map(step).collect();
    assert_eq!(chosen(&steps, false), [1, 4, 6, 7, 8, 9]);
    assert_eq!(chosen(&steps, true), [1, 3, 4, 6, 7, 8, 9]);
}
