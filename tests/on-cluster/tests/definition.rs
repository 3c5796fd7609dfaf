//! What the definition shows to people: names, columns, selectors, explanations, and the status before the first pass.

use anyhow::Result;
use kube::{ResourceExt, api::ListParams};
use on_cluster::{Ground, Instance, definition};
use serde_json::Value;

/// The words of the first line.
fn columns(table: &str) -> Vec<&str> {
    table.lines().next().unwrap_or_default().split_whitespace().collect()
}

async fn planted(name: &str) -> Result<Ground> {
    let ground = Ground::fresh(name).await?;
    assert_eq!(ground.create(&Instance::postgres("orders")).await?, None);
    Ok(ground)
}

#[tokio::test]
async fn a_list_shows_the_columns_under_the_short_name_and_the_category() -> Result<()> {
    let ground = planted("columns").await?;
    let narrow = ["NAME", "VERSION", "PHASE", "STAGE", "READY", "REASON", "AGE"];
    for name in ["cvx", "convex", "convexinstances", "convexinstance.convex.icod.de"] {
        let listed = ground.kubectl(&["get", name]).await?;
        assert_eq!(columns(&listed), narrow, "{name}");
        assert!(listed.contains("orders"), "{listed}");
    }
    let wide = ground.kubectl(&["get", "cvx", "-o", "wide"]).await?;
    assert_eq!(columns(&wide), [&narrow[..], &["TARGET", "URL", "MESSAGE"]].concat());
    Ok(())
}

#[tokio::test]
async fn instances_are_selected_by_version_environment_and_phase() -> Result<()> {
    let ground = planted("selected").await?;
    let prod = Instance::dev("prod").with("environment", "prod").with("version", "v2");
    assert_eq!(ground.create(&prod).await?, None);
    for (selector, selected) in [
        ("spec.environment=prod", vec!["prod"]),
        ("spec.version=v2", vec!["prod"]),
        ("spec.environment!=prod", vec!["orders"]),
        ("status.phase=Elsewhere", vec![]),
    ] {
        let found = ground.instances().list(&ListParams::default().fields(selector)).await?;
        let names: Vec<_> = found.iter().map(ResourceExt::name_any).collect();
        assert_eq!(names, selected, "{selector}");
    }
    Ok(())
}

#[tokio::test]
async fn a_status_that_nobody_wrote_has_observed_nothing() -> Result<()> {
    let ground = Ground::fresh("unseen").await?;
    let applied = ground.applied(&Instance::dev("unseen")).await?;
    assert_eq!(applied.data["status"], serde_json::json!({"observedGeneration": -1}));
    Ok(())
}

/// What is inside these is Kubernetes' own, which `kubectl explain pod.spec` tells; all of its words have no room here.
const KUBERNETES: [&str; 7] = [
    "pod.affinity",
    "pod.tolerations",
    "pod.topologySpreadConstraints",
    "pod.imagePullSecrets",
    "pod.volumes",
    "backend.envFrom",
    "networkPolicy.from",
];

#[tokio::test]
async fn every_field_of_spec_and_status_is_explained() -> Result<()> {
    let ground = Ground::fresh("explained").await?;
    let mut bare = Vec::new();
    definition::walk("", &definition::published(&ground.client()).await?, &mut |field, schema| {
        let ours = field.starts_with("spec") || field.starts_with("status");
        // Items of a list and values of a map have no line of their own.
        let listed = !field.ends_with("[]") && !field.ends_with("{}");
        let inside = KUBERNETES.iter().any(|own| {
            let rest = field.split_once(&format!(".{own}")).map(|(_, rest)| rest);
            rest.is_some_and(|rest| rest.contains('.'))
        });
        if ours && listed && !inside && schema["description"].as_str().is_none_or(str::is_empty) {
            bare.push(field.to_owned());
        }
    });
    assert_eq!(bare, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn kubectl_explain_prints_what_the_code_says() -> Result<()> {
    let ground = Ground::fresh("explain").await?;
    for field in ["spec.backend.storage.pvc", "status"] {
        let explained = ground.kubectl(&["explain", &format!("cvx.{field}")]).await?;
        let explained: String = explained.split_whitespace().collect();
        let pointer = format!("/properties/{}/properties", field.replace('.', "/properties/"));
        let schema = definition::schema()?;
        let fields = schema.pointer(&pointer).and_then(Value::as_object).unwrap();
        for (name, schema) in fields {
            let described = schema["description"].as_str().unwrap();
            let described: String = described.split_whitespace().collect();
            assert!(explained.contains(&described), "{field}.{name}: {explained}");
        }
    }
    Ok(())
}
