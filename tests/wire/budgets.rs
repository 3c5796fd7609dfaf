//! Every write of every kind of upgrade, in its order: each serves safety, or whoever reads.
//!
//! A dashboard is a Deployment of its own, and following the backend's version costs it one write more.

use serde_json::{Value, json};

use crate::support::{
    instance::{instance, set},
    rig::Rig,
};

/// An instance that is upgraded like this, and has a dashboard or none.
fn dev(maintenance: Value, dashboard: bool) -> Value {
    let mut dev = instance("dev");
    set(&mut dev, "/maintenance", maintenance);
    set(&mut dev, "/dashboard/enabled", json!(dashboard));
    dev
}

/// What an upgrade from v1 to v2 writes until it is at rest, whatever it is called.
async fn writes(maintenance: Value, dashboard: bool) -> Vec<String> {
    let rig = Rig::ready(dev(maintenance, dashboard)).await;
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    let (mut writes, mut rests) = (Vec::new(), 0);
    for _ in 0..60 {
        let _ = rig.pass("dev").await;
        let written = rig.server.writes();
        rests = if written.is_empty() { rests + 1 } else { 0 };
        writes.extend(written);
        rig.settle();
        rig.server.writes();
        let set = rig.server.get("statefulsets", "dev-backend").unwrap();
        if set["spec"]["template"].to_string().contains(":v2") {
            rig.backend.says("v2");
        }
        if rests > 3 && rig.phase("dev") == "Ready" {
            break;
        }
    }
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
    assert_eq!(rig.status("dev")["runningVersion"], "v2");
    let history = rig.status("dev")["history"].to_string();
    let id = history.split("upgrade ").nth(1).and_then(|it| it.split(';').next()).unwrap();
    writes.into_iter().map(|it| it.replace(&format!("-{id}"), "-ID")).collect()
}

#[tokio::test]
async fn in_place_without_a_way_back_takes_six_writes() {
    let expected = [
        "update convexinstances/dev/status",
        "create event UpgradeStarted",
        "apply configmaps/dev-gate",
        "apply statefulsets/dev-backend",
        "update convexinstances/dev/status",
        "create event UpgradeFinished",
    ];
    assert_eq!(writes(json!({"preUpgradeSnapshot": "Off"}), false).await, expected);
}

#[tokio::test]
async fn in_place_with_a_cold_copy_takes_fourteen_writes() {
    let expected = [
        "update convexinstances/dev/status",
        "create event UpgradeStarted",
        "create jobs/dev-proof-ID-1",
        "create persistentvolumeclaims/dev-copy-ID-1",
        "apply configmaps/dev-gate",
        "apply statefulsets/dev-backend",
        "create jobs/dev-copy-ID-1",
        "update convexinstances/dev/status",
        "create event SnapshotVerified",
        "apply configmaps/dev-gate",
        "apply statefulsets/dev-backend",
        "update convexinstances/dev/status",
        "create event UpgradeFinished",
        "update convexinstances/dev/status",
    ];
    assert_eq!(writes(json!({}), false).await, expected);
}

#[tokio::test]
async fn through_export_and_import_into_the_same_store_it_takes_twenty_two_writes() {
    let expected = [
        "update convexinstances/dev/status",
        "create event UpgradeStarted",
        "create jobs/dev-proof-ID-1",
        "create persistentvolumeclaims/dev-snapshots",
        "create persistentvolumeclaims/dev-copy-ID-1",
        "create jobs/dev-export-ID-1",
        "update convexinstances/dev/status",
        "create event ExportVerified",
        "apply configmaps/dev-gate",
        "apply statefulsets/dev-backend",
        "create jobs/dev-copy-ID-1",
        "update convexinstances/dev/status",
        "create event SnapshotVerified",
        "apply configmaps/dev-gate",
        "apply statefulsets/dev-backend",
        "update convexinstances/dev/status",
        "create event ImportStarted",
        "create jobs/dev-import-ID-1",
        "update convexinstances/dev/status",
        "create event UpgradeFinished",
        "apply configmaps/dev-gate",
        "update convexinstances/dev/status",
    ];
    assert_eq!(writes(json!({"upgradeStrategy": "exportImport"}), false).await, expected);
}

#[tokio::test]
async fn through_export_and_import_into_a_fresh_store_it_takes_twenty_writes() {
    let expected = [
        "update convexinstances/dev/status",
        "create event UpgradeStarted",
        "create jobs/dev-proof-ID-1",
        "create persistentvolumeclaims/dev-snapshots",
        "create jobs/dev-export-ID-1",
        "update convexinstances/dev/status",
        "create event SnapshotVerified",
        "apply services/dev-backend",
        "create persistentvolumeclaims/dev-data-ID",
        "apply configmaps/dev-gate",
        "apply statefulsets/dev-backend",
        "update convexinstances/dev/status",
        "create event ImportStarted",
        "apply services/dev-backend",
        "create jobs/dev-import-ID-1",
        "update convexinstances/dev/status",
        "create event UpgradeFinished",
        "apply configmaps/dev-gate",
        "apply persistentvolumeclaims/dev-data-ID",
        "update convexinstances/dev/status",
    ];
    let fresh = json!({"upgradeStrategy": "exportImport", "exportImport": {"into": "FreshStore"}});
    assert_eq!(writes(fresh, false).await, expected);
}

#[tokio::test]
async fn a_dashboard_costs_one_write_more() {
    for maintenance in [json!({"preUpgradeSnapshot": "Off"}), json!({})] {
        let alone = writes(maintenance.clone(), false).await;
        let mut beside = writes(maintenance, true).await;
        let at = beside.iter().position(|it| it == "apply deployments/dev-dashboard").unwrap();
        beside.remove(at);
        assert_eq!(beside, alone);
    }
}
