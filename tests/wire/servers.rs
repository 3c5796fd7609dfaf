//! Databases and object storage on servers: what of the Secrets of users reaches the backend, and when.

use serde_json::{Value, json};

use super::keys::base64;
use crate::support::{
    instance::{NAMESPACE, instance, set, with},
    rig::Rig,
};

const DB: &str = "postgresql://app:canary-1@pg-rw:5432/app";

/// A Secret of somebody.
pub(crate) fn secret(name: &str, data: &[(&str, &str)]) -> Value {
    let data: serde_json::Map<_, _> =
        data.iter().map(|(key, value)| ((*key).to_owned(), json!(base64(value)))).collect();
    json!({"apiVersion": "v1", "kind": "Secret", "data": data,
        "metadata": {"name": name, "namespace": NAMESPACE}})
}

/// An instance on a Postgres server, with its files on a volume.
pub(crate) fn served(name: &str) -> Value {
    let db = json!({"engine": "postgres", "secretRef": "pg-app", "urlKey": "uri"});
    let served = with(instance(name), "/backend/db", db);
    with(served, "/backend/storage", json!({"mode": "external"}))
}

/// The same with a Secret that says where its server is.
pub(crate) async fn rig(instance: Value) -> Rig {
    let rig = Rig::with(instance).await;
    rig.server.put("secrets", secret("pg-app", &[("uri", DB)]));
    rig
}

pub(crate) async fn ready(instance: Value) -> Rig {
    let rig = rig(instance).await;
    rig.run("dev", 12).await;
    assert_eq!(rig.phase("dev"), "Ready", "{}", rig.status("dev"));
    rig.server.writes();
    rig
}

pub(crate) fn says(rig: &Rig, uri: &str) {
    rig.server.edit("secrets", "pg-app", |it| it["data"]["uri"] = json!(base64(uri)));
}

pub(crate) fn given(rig: &Rig, secret: &str, key: &str) -> String {
    let secret = rig.server.get("secrets", secret).unwrap_or_default();
    let bytes: k8s_openapi::ByteString =
        serde_json::from_value(secret["data"][key].clone()).unwrap();
    String::from_utf8(bytes.0).unwrap()
}

pub(crate) fn template(rig: &Rig) -> Value {
    rig.server.get("statefulsets", "dev-backend").unwrap()["spec"]["template"].clone()
}

/// What was done to the backend and to Secrets since the last time.
pub(crate) fn deeds(rig: &Rig) -> Vec<String> {
    let done = |it: &String| it.contains("statefulsets/") || it.contains("secrets/");
    rig.server.writes().into_iter().filter(done).collect()
}

#[tokio::test]
async fn an_instance_on_a_server_is_given_its_url_without_the_database() {
    let rig = ready(served("dev")).await;
    assert_eq!(given(&rig, "dev-database", "POSTGRES_URL"), "postgresql://app:canary-1@pg-rw:5432");
    let pod = template(&rig)["spec"].clone();
    let env = pod["containers"][0]["env"].as_array().cloned().unwrap_or_default();
    let url = env.iter().find(|it| it["name"] == "POSTGRES_URL").unwrap();
    let from = json!({"name": "dev-database", "key": "POSTGRES_URL"});
    assert_eq!(url["valueFrom"]["secretKeyRef"], from);
    assert_eq!(rig.condition("dev", "DatabaseConnected"), "True/Connected");
    assert_eq!(rig.condition("dev", "SecretsReady"), "True/Present");
    rig.run("dev", 4).await;
    assert_eq!(rig.server.writes(), [""; 0], "it rests");
}

#[tokio::test]
async fn a_changed_value_rolls_the_backend_exactly_once() {
    let rig = ready(served("dev")).await;
    let before = template(&rig);
    says(&rig, "postgresql://app:canary-2@pg-rw:5432/app");
    rig.run("dev", 6).await;
    assert_ne!(template(&rig), before);
    assert_eq!(deeds(&rig), ["apply secrets/dev-database", "apply statefulsets/dev-backend"]);
    assert_eq!(given(&rig, "dev-database", "POSTGRES_URL"), "postgresql://app:canary-2@pg-rw:5432");
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

/// Not even where the value is written in another way that comes to the same.
#[tokio::test]
async fn a_touch_of_its_metadata_writes_nothing() {
    let rig = ready(served("dev")).await;
    rig.server.edit("secrets", "pg-app", |it| {
        it["metadata"]["annotations"] = json!({"touched": "yes"});
        it["data"]["other"] = json!(base64("canary-3"));
    });
    rig.run("dev", 4).await;
    says(&rig, "postgresql://app:canary-1@pg-rw:5432/other\n");
    rig.run("dev", 4).await;
    assert_eq!(rig.server.writes(), [""; 0]);
}

#[tokio::test]
async fn a_value_that_changes_amid_an_upgrade_waits_for_its_end() {
    let mut rig = ready(served("dev")).await;
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.phase("dev"), "Upgrading");
    rig.server.writes();
    says(&rig, "postgresql://app:canary-2@pg-rw:5432/app");
    rig.run("dev", 4).await;
    assert_eq!(rig.phase("dev"), "Upgrading", "v2 does not answer yet");
    assert_eq!(given(&rig, "dev-database", "POSTGRES_URL"), "postgresql://app:canary-1@pg-rw:5432");
    let secrets = |it: &&String| it.contains("secrets/");
    assert_eq!(rig.server.writes().iter().filter(secrets).count(), 0);
    let (during, hash) = (template(&rig), "convex.icod.de/config-hash");
    rig.backend.says("v2");
    rig.restarted();
    rig.run("dev", 6).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
    assert_eq!(given(&rig, "dev-database", "POSTGRES_URL"), "postgresql://app:canary-2@pg-rw:5432");
    let marks = |template: &Value| template["metadata"]["annotations"][hash].clone();
    assert_ne!(marks(&template(&rig)), marks(&during));
    assert_eq!(deeds(&rig), ["apply secrets/dev-database", "apply statefulsets/dev-backend"]);
}

#[tokio::test]
async fn every_bad_secret_is_told_by_its_key_and_heals_by_itself() {
    let huge = "c".repeat(1 << 20);
    let bad: [(Value, &str, &str); 7] = [
        (Value::Null, "SecretMissing", "\"pg-app\" is not in namespace"),
        (secret("pg-app", &[("url", DB)]), "SecretKeyMissing", "has no key \"uri\" (it has: url)"),
        (secret("pg-app", &[("uri", "")]), "SecretInvalid", "key \"uri\" is empty"),
        (secret("pg-app", &[("uri", "\n")]), "SecretInvalid", "key \"uri\" is empty but for"),
        (secret("pg-app", &[("uri", &huge)]), "SecretInvalid", "key \"uri\" has 1048576 bytes"),
        (
            secret("pg-app", &[("uri", "mysql://a:canary-1@x")]),
            "SecretInvalid",
            "its scheme is not",
        ),
        (secret("pg-app", &[("uri", "\u{1}canary-1")]), "SecretInvalid", "control character"),
    ];
    for (holder, reason, words) in bad {
        let rig = Rig::with(served("dev")).await;
        if !holder.is_null() {
            rig.server.put("secrets", holder);
        }
        rig.run("dev", 4).await;
        assert_eq!(rig.phase("dev"), "Pending", "{words}");
        assert_eq!(rig.condition("dev", "Ready"), format!("False/{reason}"));
        assert_eq!(rig.condition("dev", "SecretsReady"), format!("False/{reason}"));
        let status = rig.status("dev");
        assert!(status["message"].as_str().unwrap().contains(words), "{words}: {status}");
        assert!(!status.to_string().contains("canary"), "{status}");
        assert!(rig.server.all("statefulsets").is_empty());
        rig.server.put("secrets", secret("pg-app", &[("uri", DB)]));
        rig.run("dev", 12).await;
        assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{words}");
    }
}

/// The password may be rotated by deleting the Secret first, and nobody is served by a pod that is stopped for that.
#[tokio::test]
async fn what_is_lost_later_leaves_the_backend_as_it_is_and_is_told() {
    let rig = ready(served("dev")).await;
    let before = rig.server.get("statefulsets", "dev-backend").unwrap();
    rig.server.remove("secrets", "pg-app");
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/SecretMissing");
    assert_eq!(rig.condition("dev", "Available"), "True/Serving");
    assert_eq!(rig.server.get("statefulsets", "dev-backend").unwrap(), before);
    // A child that somebody deletes meanwhile is made of what the backend was given.
    rig.server.remove("statefulsets", "dev-backend");
    rig.run("dev", 4).await;
    assert_eq!(template(&rig), before["spec"]["template"]);
    rig.server.put("secrets", secret("pg-app", &[("uri", DB)]));
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

#[tokio::test]
async fn a_secret_of_ours_that_somebody_edits_or_deletes_is_put_back() {
    let rig = ready(served("dev")).await;
    let before = template(&rig);
    let elsewhere = json!(base64("postgresql://x:y@elsewhere"));
    rig.server.edit("secrets", "dev-database", |it| it["data"]["POSTGRES_URL"] = elsewhere);
    rig.run("dev", 3).await;
    assert_eq!(given(&rig, "dev-database", "POSTGRES_URL"), "postgresql://app:canary-1@pg-rw:5432");
    rig.server.remove("secrets", "dev-database");
    rig.run("dev", 3).await;
    assert_eq!(given(&rig, "dev-database", "POSTGRES_URL"), "postgresql://app:canary-1@pg-rw:5432");
    assert_eq!(template(&rig), before, "and the backend goes on");
}

#[tokio::test]
async fn a_secret_of_somebody_else_in_place_of_ours_is_not_touched() {
    let rig = rig(served("dev")).await;
    let theirs = secret("dev-database", &[("POSTGRES_URL", "canary")]);
    rig.server.put("secrets", theirs);
    let before = rig.server.get("secrets", "dev-database");
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/NameConflict");
    assert_eq!(rig.server.get("secrets", "dev-database"), before);
    assert!(rig.server.all("statefulsets").is_empty());
}

/// The switch is any value at all, and so it has to go and not to change.
#[tokio::test]
async fn what_is_not_wished_any_more_goes_from_secret_and_pod() {
    let rig = ready(with(served("dev"), "/backend/db/requireSSL", json!(false))).await;
    let switch = |rig: &Rig| {
        rig.server.get("secrets", "dev-database").unwrap()["data"]["DO_NOT_REQUIRE_SSL"].clone()
    };
    let told = |rig: &Rig| template(rig).to_string().contains("DO_NOT_REQUIRE_SSL");
    assert!(!switch(&rig).is_null() && told(&rig));
    rig.server.edit("convexinstances", "dev", |it| set(it, "/backend/db/requireSSL", json!(true)));
    rig.run("dev", 6).await;
    assert!(switch(&rig).is_null() && !told(&rig));
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}
