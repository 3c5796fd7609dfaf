//! What is remembered of a database on a server outlives status, record and instance: nothing but the newest store that users were
//! let in to is ever come back to, and no older version is let at it.

use convex_operator::plan::names::Names;
use serde_json::{Value, json};

use super::{
    copies::until,
    fresh_databases::{fresh, makes_databases, opens},
    servers::secret,
};
use crate::support::{instance::set, rig::Rig};

/// Wholly on servers, as the sample for production is: there is no claim that could remember anything.
pub(crate) fn bare(maintenance: Value) -> Value {
    let mut instance = makes_databases(maintenance);
    set(&mut instance, "/backend/storage", json!({"mode": "external", "pvc": {"enabled": false}}));
    let s3 = json!({"enabled": true, "secretRef": "bucket", "accessKeyIdKey": "id",
        "secretAccessKeyKey": "key", "bucket": "all", "endpoint": "https://s3.example.com"});
    set(&mut instance, "/backend/s3", s3);
    instance
}

/// What the instance takes of its servers.
pub(crate) fn secrets(rig: &Rig) {
    rig.server.put("secrets", secret("bucket", &[("id", "canary-id"), ("key", "canary-key")]));
    rig.server.put("secrets", secret("pg-app", &[("uri", "postgresql://app:canary-1@pg-rw")]));
}

pub(crate) async fn ready(instance: Value) -> Rig {
    let rig = Rig::with(instance).await;
    secrets(&rig);
    rig.run("dev", 12).await;
    assert_eq!(rig.phase("dev"), "Ready", "{}", rig.status("dev"));
    rig
}

fn asks(rig: &Rig, version: &str) {
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!(version)));
}

async fn rolling(rig: &Rig, version: &str) {
    asks(rig, version);
    until(rig, ("Upgrading", json!("Rolling"))).await;
    rig.pass("dev").await.unwrap();
}

async fn upgraded(rig: &Rig, version: &str) {
    asks(rig, version);
    until(rig, ("Upgrading", json!("Rolling"))).await;
    rig.backend.says(version);
    until(rig, ("Ready", Value::Null)).await;
    rig.run("dev", 6).await;
}

pub(crate) async fn gone(rig: &Rig) {
    rig.server.edit("convexinstances", "dev", |it| {
        it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    rig.run("dev", 14).await;
    assert!(rig.server.get("convexinstances", "dev").is_none());
}

/// The next instance of the name, with the Secret that the last one has left.
async fn anew(rig: &Rig, mut instance: Value, life: &str, version: &str) {
    instance["metadata"]["uid"] = json!(life);
    set(&mut instance, "/version", json!(version));
    set(&mut instance, "/backend/instance", json!({"secretRef": "dev-instance"}));
    rig.server.put("convexinstances", instance);
    rig.run("dev", 14).await;
}

fn runs(rig: &Rig) -> String {
    let set = rig.server.get("statefulsets", "dev-backend").unwrap();
    set["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
}

fn left(rig: &Rig) -> Vec<String> {
    let stores = rig.status("dev")["stores"].as_array().cloned().unwrap_or_default();
    stores.iter().map(|it| it["database"].as_str().unwrap_or_default().to_owned()).collect()
}

const LOST: [&[&str]; 3] =
    [&[], &["configmaps/dev-gate"], &["configmaps/dev-gate", "secrets/dev-database"]];

/// The status is lost with these.
pub(crate) fn loses(rig: &Rig, objects: &[&str]) {
    rig.server.edit("convexinstances", "dev", |it| it["status"] = Value::Null);
    for object in objects {
        let (kind, name) = object.split_once('/').unwrap();
        rig.server.remove(kind, name);
    }
}

#[tokio::test]
async fn whatever_is_lost_after_an_upgrade_its_database_is_come_back_to_and_not_called_old() {
    for lost in LOST {
        let rig = ready(bare(fresh())).await;
        upgraded(&rig, "v2").await;
        let made = opens(&rig);
        loses(&rig, lost);
        rig.run("dev", 14).await;
        assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{lost:?} {}", rig.status("dev"));
        assert_eq!(opens(&rig), made, "{lost:?}");
        assert!(!left(&rig).contains(&made.replace('-', "_")), "{lost:?}: {:?}", left(&rig));
    }
}

#[tokio::test]
async fn whatever_is_lost_amid_an_upgrade_into_a_new_database_nobody_is_let_in_to_it() {
    for lost in LOST {
        let rig = ready(bare(fresh())).await;
        rolling(&rig, "v2").await;
        loses(&rig, lost);
        asks(&rig, "v1");
        rig.backend.says("v1");
        rig.run("dev", 16).await;
        assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{lost:?} {}", rig.status("dev"));
        assert_eq!(opens(&rig), "dev", "{lost:?}");
    }
}

/// Each instance of the name goes on with what the last one had, whichever database that was.
#[tokio::test]
async fn the_third_instance_of_a_name_finds_what_the_second_has_moved() {
    let rig = ready(bare(fresh())).await;
    upgraded(&rig, "v2").await;
    let first = opens(&rig);
    gone(&rig).await;
    anew(&rig, bare(fresh()), "second-life", "v2").await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
    assert_eq!(opens(&rig), first);
    upgraded(&rig, "v3").await;
    let second = opens(&rig);
    assert_ne!(second, first);
    assert_eq!(left(&rig), [first.replace('-', "_")]);
    gone(&rig).await;
    anew(&rig, bare(fresh()), "third-life", "v3").await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
    assert_eq!(opens(&rig), second);
}

/// On a volume the version that opened the data last is on the volume; here it is in the Secret with the keys.
#[tokio::test]
async fn an_older_version_is_not_let_at_a_database_whose_record_is_lost() {
    let rig = ready(bare(json!({"preUpgradeSnapshot": "Off"}))).await;
    asks(&rig, "v2");
    rig.backend.says("v2");
    rig.run("dev", 10).await;
    assert_eq!(rig.status("dev")["runningVersion"], "v2");
    rig.server.remove("configmaps", "dev-gate");
    rig.run("dev", 4).await;
    asks(&rig, "v1");
    rig.run("dev", 6).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/ReleaseOutgrown", "{}", rig.status("dev"));
    assert!(runs(&rig).ends_with(":v2"), "{}", runs(&rig));
}

#[tokio::test]
async fn an_instance_that_is_made_anew_at_an_older_version_than_its_database_is_refused() {
    let rig = ready(bare(json!({"preUpgradeSnapshot": "Off"}))).await;
    asks(&rig, "v2");
    until(&rig, ("Upgrading", json!("Rolling"))).await;
    rig.pass("dev").await.unwrap();
    gone(&rig).await;
    anew(&rig, bare(json!({"preUpgradeSnapshot": "Off"})), "second-life", "v1").await;
    let set = rig.server.get("statefulsets", "dev-backend");
    assert!(set.is_none() || runs(&rig).ends_with(":v2"), "v1 was let at it: {}", runs(&rig));
    assert_ne!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
}

/// Files are on the volume that goes with the database, and nowhere else.
#[tokio::test]
async fn an_instance_that_is_made_anew_is_told_the_claim_that_goes_with_the_database() {
    let rig = super::servers::ready(makes_databases(fresh())).await;
    upgraded(&rig, "v2").await;
    let made = opens(&rig);
    gone(&rig).await;
    let mut next = makes_databases(fresh());
    next["metadata"]["uid"] = json!("second-life");
    set(&mut next, "/version", json!("v2"));
    rig.server.put("convexinstances", next.clone());
    rig.run("dev", 6).await;
    let message = rig.status("dev")["message"].as_str().unwrap().to_owned();
    let claim = message.split("existingClaim: ").nth(1).unwrap();
    let claim = claim.split(' ').next().unwrap().to_owned();
    assert!(claim.starts_with("dev-data-"), "{message}");
    rig.server.edit("convexinstances", "dev", |it| {
        set(it, "/backend/storage/pvc/existingClaim", json!(claim));
    });
    rig.run("dev", 16).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
    assert_eq!(opens(&rig), made);
    assert!(runs(&rig).ends_with(":v2"));
    let volumes = rig.server.get("statefulsets", "dev-backend").unwrap()["spec"]["template"]["spec"]
        ["volumes"]
        .clone();
    assert_eq!(volumes[0]["persistentVolumeClaim"]["claimName"], json!(claim));
}

/// A Secret that somebody else keeps is not written: there the record says which database holds the data.
#[tokio::test]
async fn with_a_secret_of_somebody_else_the_record_tells_which_database_holds_the_data() {
    let mut instance = bare(fresh());
    set(&mut instance, "/backend/instance", json!({"secretRef": "mine"}));
    let rig = Rig::with(instance).await;
    rig.server.put("secrets", secret("mine", &[("INSTANCE_SECRET", &"ab".repeat(32))]));
    rig.server.put("secrets", secret("bucket", &[("id", "canary-id"), ("key", "canary-key")]));
    rig.server.put("secrets", secret("pg-app", &[("uri", "postgresql://app:canary-1@pg-rw")]));
    rig.run("dev", 12).await;
    let before = rig.server.get("secrets", "mine");
    upgraded(&rig, "v2").await;
    let made = opens(&rig);
    assert_ne!(made, "dev");
    assert_eq!(rig.server.get("secrets", "mine"), before);
    loses(&rig, &[]);
    rig.run("dev", 14).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
    assert_eq!(opens(&rig), made);
}

/// Its name is one that nobody chooses; whoever does all the same was there first.
#[tokio::test]
async fn a_new_database_that_another_instance_has_is_not_opened() {
    let rig = ready(bare(fresh())).await;
    asks(&rig, "v2");
    until(&rig, ("Upgrading", json!("Exporting"))).await;
    let id = rig.status("dev")["upgrade"]["id"].as_str().unwrap().to_owned();
    let uid = rig.server.get("convexinstances", "dev").unwrap()["metadata"]["uid"].clone();
    let name = Names::of("dev").deployment(uid.as_str().unwrap(), &id);
    let mut two = super::servers::served("two");
    set(&mut two, "/backend/instance", json!({ "name": name }));
    rig.server.put("convexinstances", two);
    rig.run("two", 12).await;
    assert_eq!(rig.condition("two", "Ready"), "True/Serving", "{}", rig.status("two"));
    until(&rig, ("Upgrading", json!("Rolling"))).await;
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "DatabaseConnected"), "False/DatabaseInUse");
    rig.run("two", 2).await;
    assert_eq!(rig.condition("two", "Ready"), "True/Serving", "who was first keeps it");
}
