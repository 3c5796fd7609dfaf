//! How long a preflight that finds something amiss goes on asking before it ends.

use std::time::{Duration, Instant};

/// How long the first one in a pod asks: names and network rules may follow a new pod by a moment.
const FIRST: Duration = Duration::from_secs(4);
/// How long every later one does: longer than the kubelet remembers how often it has started a container anew, so that its next
/// pause is a short one again.
const LATER: Duration = Duration::from_mins(11);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(5);

/// How long a preflight that finds something amiss goes on asking before it ends.
pub(super) struct Patience {
    told: Option<String>,
    until: Instant,
    pause: Duration,
}

impl Patience {
    /// After this was told, or nothing yet.
    pub(super) fn after(told: Option<&str>, now: Instant) -> Self {
        let told = told.map(str::to_owned).filter(|it| !it.is_empty());
        let lasts = if told.is_some() { LATER } else { FIRST };
        Self { told, until: now + lasts, pause: Duration::from_secs(1) }
    }

    /// How long to wait before it is asked again; none where this is to be told now.
    pub(super) fn next(&mut self, found: &str, now: Instant) -> Option<Duration> {
        let news = self.told.as_deref().is_some_and(|told| told != found);
        if news || now + self.pause > self.until {
            return None;
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST);
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long it asks, and how often, where every look takes this long and finds the same.
    fn asks(told: Option<&str>, look: Duration) -> (Duration, u32) {
        let begun = Instant::now();
        let (mut now, mut looks) = (begun + look, 1);
        let mut patience = Patience::after(told, begun);
        while let Some(pause) = patience.next("database: DatabaseMissing", now) {
            assert!(pause <= LONGEST);
            now += pause + look;
            looks += 1;
        }
        (now - begun, looks)
    }

    #[test]
    fn the_first_one_tells_within_seconds() {
        assert_eq!(asks(None, Duration::ZERO), (Duration::from_secs(3), 3));
        assert_eq!(asks(None, Duration::from_secs(3)), (Duration::from_secs(7), 2));
        assert_eq!(asks(Some(""), Duration::ZERO).1, 3, "an empty note is none");
    }

    #[test]
    fn later_ones_ask_every_few_seconds_until_the_kubelet_has_forgotten() {
        let (lasted, looks) = asks(Some("database: DatabaseMissing"), Duration::ZERO);
        assert!(lasted > Duration::from_mins(10), "{lasted:?}");
        assert!(looks > 100, "{looks}");
    }

    #[test]
    fn another_cause_is_told_at_once() {
        let mut patience = Patience::after(Some("database: DatabaseMissing"), Instant::now());
        assert_eq!(patience.next("database: DatabaseLoginFailed", Instant::now()), None);
    }
}
