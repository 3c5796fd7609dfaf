//! The chart repeats some things that are said elsewhere: it must say the same.

use std::{
    fs,
    path::{Path, PathBuf},
};

const COPY: &str = "charts/convex-operator/files/convexinstances.yaml";

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// `UPDATE_GENERATED=1` copies instead.
#[test]
fn the_chart_brings_the_resource_definition_as_it_is() {
    let definition = fs::read_to_string(file("crds/convexinstances.yaml")).unwrap();
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(file(COPY), &definition).unwrap();
    }
    let copied = fs::read_to_string(file(COPY)).unwrap();
    assert!(copied == definition, "stale: run `UPDATE_GENERATED=1 cargo test --test chart`");
}

/// The chart inserts its annotation as text, behind this line.
#[test]
fn the_resource_definition_leaves_room_for_the_annotation_that_keeps_it() {
    let definition = fs::read_to_string(file("crds/convexinstances.yaml")).unwrap();
    assert_eq!(definition.matches("\nmetadata:\n").count(), 1);
    let metadata = definition.split_once("\nmetadata:\n").unwrap().1;
    let metadata = metadata.split_once("\nspec:\n").unwrap().0;
    assert!(!metadata.contains("annotations:"), "{metadata}");
}

#[test]
fn the_chart_has_the_version_of_the_operator() {
    let chart = fs::read_to_string(file("charts/convex-operator/Chart.yaml")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert!(chart.contains(&format!("\nversion: {version}\n")), "{chart}");
    assert!(chart.contains(&format!("\nappVersion: {version}\n")), "{chart}");
}
