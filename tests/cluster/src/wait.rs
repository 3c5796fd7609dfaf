//! Waiting for a fact, with a deadline, and never for a process that is dead.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use crate::process::Daemon;

const POLL: Duration = Duration::from_millis(50);

/// Asks until the answer is there.
///
/// `probe` answers `Ok(Some(fact))` when it is, `Ok(None)` when not yet; an error counts as not yet, and the last one is told
/// when the deadline passes.
///
/// # Errors
/// The deadline passed, or one of the daemons that must live for it ended.
pub async fn until<T, F, Answer>(
    what: &str,
    patience: Duration,
    daemons: &[&Daemon],
    mut probe: F,
) -> Result<T>
where
    F: FnMut() -> Answer,
    Answer: Future<Output = Result<Option<T>>>,
{
    let deadline = Instant::now() + patience;
    let mut last = String::new();
    loop {
        // A probe that hangs must not outlive the deadline either.
        let left = deadline.saturating_duration_since(Instant::now()).max(POLL);
        match tokio::time::timeout(left, probe()).await {
            Ok(Ok(Some(fact))) => return Ok(fact),
            Ok(Ok(None)) => last.clear(),
            Ok(Err(error)) => last = format!("; last: {error:#}"),
            Err(_) => last += "; the last question was not answered",
        }
        daemons.iter().try_for_each(|daemon| daemon.check())?;
        if Instant::now() >= deadline {
            let logs = daemons.iter().map(|d| format!("\n-- {}\n{}", d.name, d.last_words()));
            bail!("no {what} within {} s{last}{}", patience.as_secs(), logs.collect::<String>());
        }
        tokio::time::sleep(POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use anyhow::anyhow;

    use super::*;
    use crate::process::Identity;

    #[tokio::test]
    async fn a_fact_that_comes_late_is_returned() {
        let asked = Cell::new(0);
        let answer = until("third answer", Duration::from_secs(5), &[], || async {
            asked.set(asked.get() + 1);
            Ok((asked.get() == 3).then_some("here"))
        });
        assert_eq!(answer.await.unwrap(), "here");
    }

    #[tokio::test]
    async fn a_deadline_tells_the_last_error() {
        let refused = || async { Err::<Option<()>, _>(anyhow!("connection refused")) };
        let error = until("answer", Duration::ZERO, &[], refused).await.unwrap_err();
        assert!(error.to_string().contains("no answer within 0 s; last: connection refused"));
    }

    #[tokio::test]
    async fn a_question_that_hangs_ends_with_the_deadline() {
        let hanging = || std::future::pending::<Result<Option<()>>>();
        let error = until("answer", Duration::from_millis(60), &[], hanging).await.unwrap_err();
        assert!(error.to_string().contains("was not answered"));
    }

    #[tokio::test]
    async fn a_dead_daemon_ends_the_wait_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("etcd.log");
        std::fs::write(&log, "unknown flag\n").unwrap();
        let gone = Identity { pid: i32::MAX, started_at: 1 };
        let daemon = Daemon { name: "etcd".into(), identity: gone, log };
        let never = || async { Ok(None::<()>) };
        let error = until("answer", Duration::from_mins(1), &[&daemon], never).await.unwrap_err();
        assert!(error.to_string().contains("etcd ended"));
        assert!(error.to_string().contains("unknown flag"));
    }
}
