//! What people get wrong: refused with a message that helps, whichever part of the definition says it.

use anyhow::Result;
use convex_operator::api::ConvexInstance;
use on_cluster::{Case, Ground, Instance, admission, rule};
use serde_json::{Value, json};

fn dev(path: &str, value: impl Into<Value>) -> Instance {
    Instance::dev("a").with(path, value)
}

#[tokio::test]
async fn a_choice_that_does_not_exist_is_refused_with_those_that_do() -> Result<()> {
    let ground = Ground::fresh("choices").await?;
    let choice = |field: &str, choices: &str| {
        rule(&format!("spec.{field}"), choices).refuses(dev(field, "nonsense"))
    };
    let cases = [
        choice("environment", r#"supported values: "dev", "prod""#),
        choice("backend.db.engine", r#"supported values: "postgres", "mysql", "sqlite""#),
        choice("backend.db.createDatabase", r#"supported values: "Never", "IfMissing""#),
        choice("backend.storage.mode", r#"supported values: "sqlite", "external""#),
        choice("backend.security.profile", r#"supported values: "Restricted", "Image""#),
        choice("backend.logging.level", r#"supported values: "info", "debug", "trace""#),
        choice("backend.logging.format", r#"supported values: "json", "compact", "pretty""#),
        choice("maintenance.upgradeStrategy", r#"supported values: "inPlace", "exportImport""#),
        choice("maintenance.preUpgradeSnapshot", r#""Auto", "Copy", "Export", "Off""#),
        choice("maintenance.onFailure", r#"supported values: "Hold", "Rollback""#),
        choice("maintenance.exportImport.into", r#"supported values: "SameStore", "FreshStore""#),
        choice("deletionPolicy", r#"supported values: "Retain", "Delete""#),
        // A bare Off is a boolean in YAML.
        rule("spec.maintenance.preUpgradeSnapshot", r#"must be of type string: "boolean""#)
            .refuses(dev("maintenance.preUpgradeSnapshot", false)),
    ];
    admission::holds(&ground, &cases).await
}

#[tokio::test]
async fn what_is_missing_is_named() -> Result<()> {
    let ground = Ground::fresh("missing").await?;
    let missing = |field: &str| -> Case {
        rule(&format!("spec.{field}"), "Required value").refuses(Instance::dev("a").without(field))
    };
    let cases = [
        missing("environment"),
        missing("version"),
        missing("backend"),
        missing("backend.db"),
        missing("backend.db.engine"),
        rule("spec.version", "should be at least 1 chars long").refuses(dev("version", "")),
    ];
    admission::holds(&ground, &cases).await
}

#[tokio::test]
async fn an_environment_with_repetitions_or_thousands_of_entries_is_refused() -> Result<()> {
    let ground = Ground::fresh("environment").await?;
    let variables = |count: usize| {
        (0..count).map(|n| json!({"name": format!("V{n}"), "value": "1"})).collect::<Vec<_>>()
    };
    let twice = json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]);
    let cases = [
        rule("spec.backend.env[]", r#"Duplicate value: {"name":"A"}"#)
            .refuses(dev("backend.env", twice)),
        rule("spec.backend.env", "Too many: 5000: must have at most 128 items")
            .accepts(dev("backend.env", variables(128)))
            .refuses(dev("backend.env", variables(5_000))),
    ];
    admission::holds(&ground, &cases).await
}

#[tokio::test]
async fn a_field_that_does_not_exist_is_refused_by_a_strict_client() -> Result<()> {
    let ground = Ground::fresh("unknown").await?;
    let refused = ground.applied(&dev("backend.engine", "sqlite")).await.unwrap_err();
    assert!(format!("{refused:#}").contains(".spec.backend.engine"), "{refused:#}");
    let mounted = json!({"name": "x", "mountPath": "/x", "subPathExpr": "$(HOME)"});
    for (path, value, field) in [
        ("backend.pod.hostNetwork", json!(true), "hostNetwork"),
        ("backend.pod.hostPID", json!(true), "hostPID"),
        ("backend.pod.nodeName", json!("node-1"), "nodeName"),
        ("backend.pod.automountServiceAccountToken", json!(true), "automountServiceAccountToken"),
        ("backend.pod.initContainers", json!([{"name": "x", "image": "x"}]), "initContainers"),
        ("dashboard.pod.containers", json!([{"name": "x", "image": "x"}]), "containers"),
        ("backend.pod.volumes.0", json!({"name": "x", "hostPath": {"path": "/"}}), "hostPath"),
        ("backend.pod.volumeMounts.0", mounted, "subPathExpr"),
    ] {
        let refused = ground.applied(&dev(path, value)).await.unwrap_err();
        assert!(format!("{refused:#}").contains(field), "{path}: {refused:#}");
    }
    Ok(())
}

#[tokio::test]
async fn a_null_is_as_good_as_nothing() -> Result<()> {
    let ground = Ground::fresh("nulls").await?;
    let mut nulls = Instance::dev("nulls");
    for field in ["image", "resources", "instance.name", "db.databaseName", "storage.pvc"] {
        nulls = nulls.with(&format!("backend.{field}"), Value::Null);
    }
    assert_eq!(ground.create(&nulls).await?, None);
    assert_eq!(ground.create(&Instance::dev("nothing")).await?, None);
    let mut specs = Vec::new();
    for name in ["nulls", "nothing"] {
        let stored = serde_json::to_value(ground.instances().get(name).await?)?;
        specs.push(serde_json::from_value::<ConvexInstance>(stored)?.spec);
    }
    assert_eq!(specs[0], specs[1]);
    Ok(())
}
