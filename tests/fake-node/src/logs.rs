//! Output of containers: one file for each run, `<pod>/logs/<container>/<restart>.log`.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

/// The file for run `restart` of a container.
#[must_use]
pub fn file(logs: &Path, container: &str, restart: i32) -> PathBuf {
    logs.join(container).join(format!("{restart}.log"))
}

/// The newest run's file, or the one before it.
#[must_use]
pub fn find(logs: &Path, container: &str, previous: bool) -> Option<PathBuf> {
    let mut runs: Vec<i32> = fs::read_dir(logs.join(container))
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".log")?.parse().ok())
        .collect();
    runs.sort_unstable();
    let run = runs.iter().rev().nth(usize::from(previous))?;
    Some(file(logs, container, *run))
}

/// The last `lines` lines of `text`.
#[must_use]
pub fn tail(text: &[u8], lines: usize) -> &[u8] {
    let body = text.strip_suffix(b"\n").unwrap_or(text);
    let newlines = body.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
    match (lines, newlines.map(|(at, _)| at + 1).nth(lines.wrapping_sub(1))) {
        (0, _) => &[],
        (_, start) => &text[start.unwrap_or(0)..],
    }
}

/// What a container's end is reported with where it asks for its log: 80 lines, 2048 bytes at most.
///
/// # Errors
/// Where the log cannot be read.
pub fn last_words(log: &Path) -> io::Result<String> {
    let text = fs::read(log)?;
    let lines = tail(&text, 80);
    Ok(String::from_utf8_lossy(&lines[lines.len().saturating_sub(2048)..]).into_owned())
}

/// Where the logs of each pod are, by namespace and name.
#[derive(Clone, Default)]
pub struct Index(Arc<RwLock<HashMap<(String, String), PathBuf>>>);

impl Index {
    /// Notes the newest pod of that name.
    pub fn add(&self, namespace: &str, pod: &str, logs: PathBuf) {
        let key = (namespace.to_owned(), pod.to_owned());
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(key, logs);
    }

    /// Forgets the pod, unless another of that name has come.
    pub fn remove(&self, namespace: &str, pod: &str, logs: &Path) {
        let key = (namespace.to_owned(), pod.to_owned());
        let mut index = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if index.get(&key).is_some_and(|found| found == logs) {
            index.remove(&key);
        }
    }

    /// The folder of a pod's logs.
    #[must_use]
    pub fn get(&self, namespace: &str, pod: &str) -> Option<PathBuf> {
        let key = (namespace.to_owned(), pod.to_owned());
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_whole_lines_from_the_end() {
        for (lines, rest) in
            [(0, ""), (1, "three\n"), (2, "two\nthree\n"), (9, "one\ntwo\nthree\n")]
        {
            assert_eq!(tail(b"one\ntwo\nthree\n", lines), rest.as_bytes(), "{lines}");
        }
        assert_eq!(tail(b"one\ntwo", 1), b"two");
        assert_eq!(tail(b"", 5), b"");
    }

    #[test]
    fn the_newest_run_is_found_and_the_one_before() {
        let logs = tempfile::tempdir().unwrap();
        fs::create_dir(logs.path().join("backend")).unwrap();
        assert_eq!(find(logs.path(), "backend", false), None);
        for restart in [2, 9, 10] {
            fs::write(file(logs.path(), "backend", restart), "").unwrap();
        }
        assert_eq!(find(logs.path(), "backend", false), Some(file(logs.path(), "backend", 10)));
        assert_eq!(find(logs.path(), "backend", true), Some(file(logs.path(), "backend", 9)));
    }

    #[test]
    fn a_pod_that_took_a_name_over_is_not_forgotten_with_the_old_one() {
        let index = Index::default();
        index.add("shop", "db-0", "old".into());
        index.add("shop", "db-0", "new".into());
        index.remove("shop", "db-0", Path::new("old"));
        assert_eq!(index.get("shop", "db-0"), Some("new".into()));
    }
}
