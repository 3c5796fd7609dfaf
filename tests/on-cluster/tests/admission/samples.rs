//! Manifests that are shown to people apply.

use std::{fs, path::PathBuf};

use anyhow::Result;
use convex_operator::api::ConvexInstance;
use on_cluster::{Ground, Instance};
use serde_json::Value;

/// Whether everything that was written is still there, beside defaults.
fn keeps(kept: &Value, written: &Value) -> bool {
    match (kept, written) {
        (Value::Object(kept), Value::Object(written)) => written
            .iter()
            .all(|(field, value)| kept.get(field).is_some_and(|kept| keeps(kept, value))),
        (Value::Array(kept), Value::Array(written)) => {
            kept.len() == written.len() && kept.iter().zip(written).all(|(a, b)| keeps(a, b))
        }
        _ => kept == written,
    }
}

fn samples() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/samples");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect()
}

#[tokio::test]
async fn every_sample_applies() -> Result<()> {
    let ground = Ground::fresh("samples").await?;
    let mut instances = 0;
    for path in samples() {
        let text = fs::read_to_string(&path)?;
        for document in text.split("\n---\n").filter(|text| text.contains("kind: ConvexInstance")) {
            ground.applied(&Instance::from_yaml(document)?).await?;
            instances += 1;
        }
    }
    assert!(instances > 0, "there is a sample");
    Ok(())
}

#[tokio::test]
async fn the_whole_specification_applies_unchanged_and_the_operator_reads_all_of_it() -> Result<()>
{
    let ground = Ground::fresh("complete").await?;
    let complete = Instance::complete()?;
    let applied = ground.applied(&complete).await?;
    assert!(keeps(&applied.data["spec"], complete.spec()), "{:#}", applied.data);
    let read: ConvexInstance = serde_json::from_value(serde_json::to_value(&applied)?)?;
    let read = serde_json::to_value(&read.spec)?;
    assert!(keeps(&read, complete.spec()), "{read:#}");
    Ok(())
}
