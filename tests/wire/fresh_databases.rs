//! Upgrades into a new database on a server, and back: each store has a deployment name of its own, and only one is ever opened.

use serde_json::{Value, json};

use super::{
    copies::until,
    servers::{given, ready, served, template},
};
use crate::support::{instance::set, rig::Rig};

/// On a server whose user makes databases, with nothing on a volume but exports.
pub(crate) fn makes_databases(maintenance: Value) -> Value {
    let mut instance = served("dev");
    set(&mut instance, "/backend/db/createDatabase", json!("IfMissing"));
    set(&mut instance, "/maintenance", maintenance);
    instance
}

pub(crate) fn fresh() -> Value {
    json!({"upgradeStrategy": "exportImport", "exportImport": {"into": "FreshStore"}})
}

/// What a variable of the backend says, or where it is read from.
fn variable(rig: &Rig, name: &str) -> Value {
    let pod = template(rig)["spec"].clone();
    let env = pod["containers"][0]["env"].as_array().cloned().unwrap_or_default();
    let mut of: Vec<_> = env.into_iter().filter(|it| it["name"] == name).collect();
    assert_eq!(of.len(), 1, "{name} is said once: {of:?}");
    of.remove(0)
}

/// The deployment that the admin key for applications is of.
fn keyed(rig: &Rig) -> String {
    let key = given(rig, "dev-admin", "CONVEX_SELF_HOSTED_ADMIN_KEY");
    key.split('|').next().unwrap().to_owned()
}

fn given_under(rig: &Rig) -> Value {
    rig.server.get("secrets", "dev-database").unwrap()["metadata"]["annotations"]
        ["convex.icod.de/instance-name"]
        .clone()
}

/// What the Secret with the keys says of the database.
fn stamped(rig: &Rig, what: &str) -> Value {
    let secret = rig.server.get("secrets", "dev-instance").unwrap();
    secret["metadata"]["annotations"][format!("convex.icod.de/{what}")].clone()
}

/// Every name under which the next pod would open a database: they have to be one.
pub(crate) fn opens(rig: &Rig) -> String {
    let named = rig.environment("dev")["INSTANCE_NAME"].as_str().unwrap().to_owned();
    assert_eq!(given_under(rig), json!(named));
    assert_eq!(keyed(rig), named);
    named
}

/// The target is asked for, and does not serve yet.
async fn rolled(maintenance: Value) -> Rig {
    let rig = ready(makes_databases(maintenance)).await;
    assert_eq!(opens(&rig), "dev");
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    until(&rig, ("Upgrading", json!("Rolling"))).await;
    rig
}

/// The target has its database, and serves from it.
async fn moved(maintenance: Value) -> Rig {
    let rig = rolled(maintenance).await;
    rig.backend.says("v2");
    rig.pass("dev").await.unwrap();
    rig.pass("dev").await.unwrap();
    rig
}

#[tokio::test]
async fn a_fresh_store_is_a_database_of_its_own_and_the_old_one_stays_as_it_is() {
    let rig = moved(fresh()).await;
    let name = opens(&rig);
    assert!(name.starts_with("dev-") && name != "dev", "{name}");
    // A container of the old version that starts again by itself must not find the new name.
    assert_eq!(variable(&rig, "INSTANCE_NAME")["value"], json!(name));
    assert_eq!(stamped(&rig, "store"), "Original", "nobody is let in yet");
    until(&rig, ("Ready", Value::Null)).await;
    rig.run("dev", 4).await;
    assert_eq!(opens(&rig), name);
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
    assert_eq!(rig.status("dev")["instanceName"], json!(name));
    assert_eq!(stamped(&rig, "instance-name"), json!(name), "who comes after finds it");
    assert_eq!(stamped(&rig, "opened-by"), "v2");
    let stores = rig.status("dev")["stores"].clone();
    assert_eq!(stores[0]["database"], "dev", "{stores}");
    rig.server.writes();
    rig.run("dev", 4).await;
    assert_eq!(rig.server.writes(), [""; 0], "it rests");
}

#[tokio::test]
async fn a_fresh_store_that_fails_is_left_and_the_old_version_opens_the_old_database() {
    let mut maintenance = fresh();
    maintenance["onFailure"] = json!("Rollback");
    let rig = moved(maintenance).await;
    let made = opens(&rig);
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v1")));
    rig.backend.says("v1");
    until(&rig, ("Ready", Value::Null)).await;
    rig.run("dev", 4).await;
    assert_eq!(opens(&rig), "dev");
    assert_eq!(stamped(&rig, "instance-name"), "dev");
    assert_eq!(stamped(&rig, "opened-by"), "v1", "v2 was never let at it");
    assert_eq!(rig.status("dev")["instanceName"], "dev");
    let left = rig.status("dev")["stores"][0]["database"].as_str().unwrap().to_owned();
    assert_eq!(left, made.replace('-', "_"), "it is named for whoever drops it");
}

/// What the target has migrated is never opened by the old version: the export goes into a database of its own.
#[tokio::test]
async fn an_upgrade_in_place_that_fails_is_gone_back_from_into_a_new_database() {
    let rig = rolled(json!({})).await;
    rig.pass("dev").await.unwrap();
    assert_eq!(opens(&rig), "dev", "the target is in the same database");
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v1")));
    rig.backend.says("v1");
    until(&rig, ("Upgrading", json!("Importing"))).await;
    let made = opens(&rig);
    assert_ne!(made, "dev");
    until(&rig, ("Ready", Value::Null)).await;
    rig.run("dev", 4).await;
    assert_eq!(opens(&rig), made);
    assert_eq!(rig.status("dev")["stores"][0]["database"], "dev");
}

/// The newest database that anybody was let in to is the one that holds the data, whatever the template says.
#[tokio::test]
async fn a_lost_status_is_rebuilt_from_the_database_that_was_served_from_last() {
    let rig = moved(fresh()).await;
    let made = opens(&rig);
    rig.server.edit("convexinstances", "dev", |it| {
        it["status"] = Value::Null;
        set(it, "/version", json!("v1"));
    });
    rig.backend.says("v1");
    rig.run("dev", 12).await;
    assert_eq!(rig.phase("dev"), "Ready", "{}", rig.status("dev"));
    assert_eq!(opens(&rig), "dev", "nobody was ever let in to {made}");

    let rig = moved(fresh()).await;
    let made = opens(&rig);
    until(&rig, ("Ready", Value::Null)).await;
    rig.run("dev", 4).await;
    rig.server.edit("convexinstances", "dev", |it| it["status"] = Value::Null);
    rig.run("dev", 12).await;
    assert_eq!(rig.phase("dev"), "Ready", "{}", rig.status("dev"));
    assert_eq!(opens(&rig), made);
}

/// Neither the database that is in use nor the one that was left is anybody else's.
#[tokio::test]
async fn a_database_that_an_upgrade_has_left_is_still_the_instances() {
    let rig = moved(fresh()).await;
    until(&rig, ("Ready", Value::Null)).await;
    rig.run("dev", 4).await;
    let made = opens(&rig);
    for name in ["dev", made.as_str()] {
        let mut two = served("two");
        set(&mut two, "/backend/instance", json!({ "name": name }));
        rig.server.put("convexinstances", two);
        rig.run("two", 6).await;
        assert_eq!(rig.condition("two", "Ready"), "False/DatabaseInUse", "{name}");
        rig.server.remove("convexinstances", "two");
    }
}
