//! What is printed: numbered parts, facts with the seconds since the part's deed, and how long everything took.

use std::time::{Duration, Instant};

/// The parts told so far.
#[derive(Debug)]
pub struct Story {
    began: Instant,
    whole: usize,
    parts: Vec<(&'static str, Instant)>,
}

impl Story {
    /// Before the first of so many parts.
    #[must_use]
    pub fn begin(whole: usize) -> Self {
        Self { began: Instant::now(), whole, parts: Vec::new() }
    }

    /// Begins the next part, which ends the one before.
    pub fn part(&mut self, name: &'static str, deed: &str) {
        self.parts.push((name, Instant::now()));
        println!("[{}/{}] {name:<12} {deed}", self.parts.len(), self.whole);
    }

    /// Something that came true in this part, so long after something was done.
    #[allow(clippy::unused_self)] // facts belong to a part: the story is what tells them
    pub fn fact(&self, since: Instant, text: &str) {
        println!("{:>9} {text}", seconds(since.elapsed()));
    }

    /// Ends the last part: what follows is no part of it, and counted apart.
    pub fn over(&mut self) {
        self.parts.push(("removal", Instant::now()));
    }

    /// The last line.
    pub fn end(&self, left: &str) {
        let ends = self.parts.iter().skip(1).map(|(_, began)| *began);
        let ends = ends.chain([Instant::now()]);
        let took = self.parts.iter().zip(ends);
        let parts: Vec<_> =
            took.map(|((name, began), end)| format!("{name} {}", seconds(end - *began))).collect();
        let whole = seconds(self.began.elapsed());
        println!("demo passed in {whole} ({}). {left}", parts.join(", "));
    }
}

/// `4.8s`, or `5m41s` where that reads better.
#[must_use]
pub fn seconds(time: Duration) -> String {
    if time < Duration::from_mins(1) {
        return format!("{:.1}s", time.as_secs_f64());
    }
    format!("{}m{:02}s", time.as_secs() / 60, time.as_secs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short_to_read() {
        assert_eq!(seconds(Duration::from_millis(4_840)), "4.8s");
        assert_eq!(seconds(Duration::from_secs(341)), "5m41s");
    }
}
