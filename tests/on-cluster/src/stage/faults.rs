//! What a played node is told to do to pods that are not there yet.

use std::{
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, Result, ensure};
use cluster::NodeKind;
use serde_json::{Value, json};

use super::Stage;

/// Tests that run side by side write to the same file.
static FILE: Mutex<()> = Mutex::new(());

impl Stage {
    /// Has pods of this namespace meet a fault by their name, in which `*` stands for anything; the faults are told in
    /// `pod/faults.rs` of the played node.
    ///
    /// # Errors
    /// The node is a real one, or its file cannot be written.
    pub fn meets(&self, pods: &str, fault: &str) -> Result<()> {
        self.are_met(pods, json!([fault]))
    }

    /// Has them meet it no more.
    ///
    /// # Errors
    /// As above.
    pub fn spares(&self, pods: &str) -> Result<()> {
        self.are_met(pods, json!([]))
    }

    fn are_met(&self, pods: &str, faults: Value) -> Result<()> {
        let cluster = self.cluster.description();
        ensure!(cluster.node == NodeKind::Fake, "a real node has its faults by itself");
        let _one = FILE.lock().unwrap_or_else(PoisonError::into_inner);
        let file = cluster.run.join("node/faults.json");
        let mut all = if file.exists() { read(&file)? } else { json!({}) };
        all["pods"][format!("{}/{pods}", self.namespace())] = faults;
        let whole = file.with_extension("new");
        fs::write(&whole, all.to_string())?;
        fs::rename(&whole, &file).context("the faults of the node")
    }
}

fn read(file: &Path) -> Result<Value> {
    Ok(serde_json::from_slice(&fs::read(file)?)?)
}
