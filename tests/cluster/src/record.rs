//! What a cluster has made outside its folder, written down before it is made.
//!
//! An interrupted start or stop leaves this file behind; the next one undoes what it lists. Processes are found twice: by
//! the id written after the start, and by the token in their environment, which is written before it.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::process::Identity;

/// One thing to undo.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "made", rename_all = "camelCase")]
pub enum Record {
    /// Every process of this start carries this value in its environment.
    Token {
        /// The value.
        value: String,
    },
    /// A process that was started.
    Process {
        /// What it is called here.
        name: String,
        /// Which one it is.
        #[serde(flatten)]
        identity: Identity,
    },
    /// A named network namespace.
    Namespace {
        /// Its name under /run/netns.
        name: String,
    },
    /// A network link on the host.
    Link {
        /// Its name.
        name: String,
    },
    /// An unreachable route in the host's table.
    Unreachable {
        /// Its destination.
        range: Ipv4Net,
    },
    /// Containers that an own containerd runs.
    Containers {
        /// The socket of that containerd.
        socket: PathBuf,
        /// Its folder of running containers, each by its id.
        running: PathBuf,
    },
    /// A folder with everything in it and mounted under it.
    Folder {
        /// Its path.
        path: PathBuf,
    },
}

/// The file of records, open for more.
#[derive(Debug)]
pub struct Records {
    file: File,
}

impl Records {
    /// Opens or makes the file of a run folder.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(run: &Path) -> Result<Self> {
        let path = path_in(run);
        let open = || -> Result<File> {
            let file = OpenOptions::new().create(true).append(true).open(&path)?;
            // What an interruption tore would tear the next line too.
            let text = std::fs::read(&path)?;
            let whole = text.iter().rposition(|it| *it == b'\n').map_or(0, |last| last + 1);
            if whole < text.len() {
                file.set_len(whole as u64)?;
            }
            Ok(file)
        };
        Ok(Self { file: open().with_context(|| format!("opening {}", path.display()))? })
    }

    /// Writes one record down, on disk before it returns.
    ///
    /// # Errors
    /// The disk refuses it.
    pub fn write(&mut self, record: &Record) -> Result<()> {
        let mut line = serde_json::to_string(record)?;
        line.push('\n');
        self.file.write_all(line.as_bytes())?;
        self.file.sync_data().context("writing a record")
    }
}

/// Reads what a run folder's file lists, oldest first; a folder without one lists nothing.
///
/// # Errors
/// The file cannot be read, or holds something else than records before its last line.
pub fn read(run: &Path) -> Result<Vec<Record>> {
    let path = path_in(run);
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&text).with_context(|| format!("reading {}", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

fn path_in(run: &Path) -> PathBuf {
    run.join("records.jsonl")
}

fn parse(text: &str) -> Result<Vec<Record>> {
    // A last line without its newline was torn by the interruption: what it names was not made yet.
    text.split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .map(|line| serde_json::from_str(line).with_context(|| format!("not a record: {line}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<Record> {
        vec![
            Record::Token { value: "a1b2".into() },
            Record::Namespace { name: "convex-07".into() },
            Record::Process {
                name: "etcd".into(),
                identity: Identity { pid: 42, started_at: 99_000 },
            },
            Record::Unreachable { range: "10.224.0.0/20".parse().unwrap() },
        ]
    }

    #[test]
    fn what_was_written_is_read_back_in_order() {
        let run = tempfile::tempdir().unwrap();
        let mut file = Records::open(run.path()).unwrap();
        for record in records() {
            file.write(&record).unwrap();
        }
        assert_eq!(read(run.path()).unwrap(), records());
    }

    #[test]
    fn reopening_adds_to_what_is_there() {
        let run = tempfile::tempdir().unwrap();
        for record in records() {
            Records::open(run.path()).unwrap().write(&record).unwrap();
        }
        assert_eq!(read(run.path()).unwrap(), records());
    }

    #[test]
    fn a_torn_last_line_is_left_out() {
        let text = "{\"made\":\"link\",\"name\":\"a\"}\n{\"made\":\"li";
        assert_eq!(parse(text).unwrap(), vec![Record::Link { name: "a".into() }]);
    }

    #[test]
    fn what_is_written_after_a_torn_line_is_read_back() {
        let run = tempfile::tempdir().unwrap();
        Records::open(run.path()).unwrap().write(&records()[0]).unwrap();
        let text = std::fs::read_to_string(path_in(run.path())).unwrap();
        std::fs::write(path_in(run.path()), text + "{\"made\":\"li").unwrap();
        Records::open(run.path()).unwrap().write(&records()[1]).unwrap();
        assert_eq!(read(run.path()).unwrap(), records()[..2]);
    }

    #[test]
    fn a_broken_line_in_the_middle_is_an_error() {
        assert!(parse("{\"made\":\n{\"made\":\"link\",\"name\":\"a\"}\n").is_err());
    }

    #[test]
    fn a_folder_without_the_file_lists_nothing() {
        let run = tempfile::tempdir().unwrap();
        assert_eq!(read(run.path()).unwrap(), vec![]);
    }
}
