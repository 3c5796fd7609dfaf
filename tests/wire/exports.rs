//! Exports in object storage: an upgrade needs no volume for them, and what was begun stays where it was begun.

use serde_json::{Value, json};

use super::{
    copies::until,
    fresh_databases::fresh,
    servers::{secret, served},
};
use crate::support::{
    instance::{set, with},
    rig::Rig,
};

const DB: &str = "postgresql://app:canary-1@pg-rw";

/// Documents on a server, files in object storage, and nothing on a volume.
fn stored(maintenance: Value) -> Value {
    let s3 = json!({"enabled": true, "secretRef": "bucket", "accessKeyIdKey": "id",
        "secretAccessKeyKey": "key", "bucket": "all", "endpoint": "https://s3.example.com"});
    let mut instance = with(served("dev"), "/backend/s3", s3);
    set(&mut instance, "/backend/storage/pvc", json!({"enabled": false}));
    set(&mut instance, "/backend/db/createDatabase", json!("IfMissing"));
    set(&mut instance, "/maintenance", maintenance);
    instance
}

async fn ready(instance: Value) -> Rig {
    let rig = Rig::with(instance).await;
    rig.server.put("secrets", secret("bucket", &[("id", "canary-id"), ("key", "canary-key")]));
    rig.server.put("secrets", secret("pg-app", &[("uri", DB)]));
    rig.run("dev", 12).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
    rig
}

fn wants(rig: &Rig, path: &str, value: Value) {
    rig.server.edit("convexinstances", "dev", |it| set(it, path, value));
}

/// The pod of the one Job of this errand.
fn job(rig: &Rig, errand: &str) -> Value {
    let of = |it: &Value| it["metadata"]["annotations"]["convex.icod.de/errand"] == errand;
    let mut jobs: Vec<_> = rig.server.all("jobs").into_iter().filter(of).collect();
    assert_eq!(jobs.len(), 1, "{errand}: {jobs:?}");
    jobs.remove(0)["spec"]["template"]["spec"].clone()
}

fn told(pod: &Value, word: &str) -> Value {
    let args = pod["containers"][0]["args"].as_array().unwrap();
    let begin = format!("{word}=");
    let mut at_once = args.iter().filter_map(|it| it.as_str()?.strip_prefix(&begin));
    let at = || args.iter().position(|it| it == word).map(|at| args[at + 1].clone());
    at_once.next().map(|it| json!(it)).or_else(at).unwrap_or_default()
}

fn prefix(rig: &Rig) -> String {
    let instance = rig.server.get("convexinstances", "dev").unwrap();
    let uid = instance["metadata"]["uid"].as_str().unwrap();
    let namespace = instance["metadata"]["namespace"].as_str().unwrap();
    format!(".convex-operator/snapshots/{namespace}/dev/{uid}/")
}

fn names(rig: &Rig, plural: &str) -> Vec<Value> {
    rig.server.all(plural).iter().map(|it| it["metadata"]["name"].clone()).collect()
}

#[tokio::test]
async fn an_upgrade_of_what_is_on_servers_wholly_makes_no_claim_and_says_where_its_export_is() {
    let rig = ready(stored(json!({}))).await;
    wants(&rig, "/version", json!("v2"));
    until(&rig, ("Upgrading", json!("Rolling"))).await;
    let id = rig.status("dev")["upgrade"]["id"].as_str().unwrap().to_owned();
    assert_eq!(rig.status("dev")["upgrade"]["bucket"], "all", "{}", rig.status("dev"));
    let pod = job(&rig, "export");
    let prefix = format!("{}{id}-1", prefix(&rig));
    assert_eq!((told(&pod, "--bucket"), told(&pod, "--prefix")), (json!("all"), json!(prefix)));
    assert_eq!((&pod["volumes"], told(&pod, "--folder")), (&Value::Null, Value::Null));
    let env = pod["containers"][0]["env"].as_array().unwrap();
    let key = env.iter().find(|it| it["name"] == "AWS_SECRET_ACCESS_KEY").unwrap();
    assert_eq!(key["valueFrom"]["secretKeyRef"]["name"], "dev-s3");
    rig.backend.says("v2");
    until(&rig, ("Ready", Value::Null)).await;
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
    assert!(rig.server.all("persistentvolumeclaims").is_empty());
    let kept = rig.status("dev")["snapshots"].clone();
    assert_eq!(kept.as_array().unwrap().len(), 1, "they stay listed: {kept}");
    assert_eq!((&kept[0]["bucket"], &kept[0]["prefix"]), (&json!("all"), &json!(prefix)));
    assert_eq!(kept[0]["location"], format!("bucket all, {prefix}/"));
}

#[tokio::test]
async fn a_spec_that_is_changed_amid_an_upgrade_moves_no_export() {
    for (first, then, told_word) in
        [("ObjectStorage", "Claim", "--bucket"), ("Claim", "ObjectStorage", "--folder")]
    {
        let rig = ready(stored(json!({"snapshots": {"destination": first}}))).await;
        wants(&rig, "/version", json!("v2"));
        rig.pass("dev").await.unwrap();
        assert_eq!(rig.status("dev")["stage"], "Exporting");
        assert!(!names(&rig, "jobs").iter().any(|it| it.to_string().contains("export")));
        wants(&rig, "/maintenance/snapshots/destination", json!(then));
        until(&rig, ("Upgrading", json!("Rolling"))).await;
        assert_ne!(told(&job(&rig, "export"), told_word), Value::Null, "{first}");
        let claims = usize::from(first == "Claim");
        assert_eq!(rig.server.all("persistentvolumeclaims").len(), claims, "{first}");
    }
}

/// The bucket is read from, too, where the spec points elsewhere by then.
#[tokio::test]
async fn an_export_is_imported_from_where_it_was_put() {
    for (first, then) in [("Claim", "ObjectStorage"), ("ObjectStorage", "Claim")] {
        let maintenance = with_destination(fresh(), first);
        let rig = ready(stored(maintenance)).await;
        wants(&rig, "/version", json!("v2"));
        until(&rig, ("Upgrading", json!("Rolling"))).await;
        wants(&rig, "/maintenance/snapshots/destination", json!(then));
        rig.backend.says("v2");
        until(&rig, ("Ready", Value::Null)).await;
        let (export, import) = (job(&rig, "export"), job(&rig, "import"));
        for word in ["--folder", "--bucket", "--prefix"] {
            assert_eq!(told(&export, word), told(&import, word), "{first} {word}");
        }
        assert_eq!(told(&import, "--folder").is_null(), first == "ObjectStorage");
        // The next one goes where the spec says by now, and what was kept is still listed.
        wants(&rig, "/version", json!("v3"));
        until(&rig, ("Upgrading", json!("Rolling"))).await;
        let kept = rig.status("dev")["snapshots"].as_array().cloned().unwrap();
        let buckets: Vec<_> = kept.iter().map(|it| it["bucket"].is_null()).collect();
        assert_eq!(buckets.len(), 2, "{kept:?}");
        assert!(buckets.contains(&true) && buckets.contains(&false), "{kept:?}");
    }
}

fn with_destination(mut maintenance: Value, destination: &str) -> Value {
    maintenance["snapshots"] = json!({ "destination": destination });
    maintenance
}

/// Found out with everybody turned away is found out too late.
#[tokio::test]
async fn a_bucket_that_takes_no_exports_is_told_while_everybody_is_served() {
    let rig = ready(stored(json!({}))).await;
    wants(&rig, "/version", json!("v2"));
    for _ in 0..6 {
        rig.pass("dev").await.unwrap();
        if !rig.server.all("jobs").is_empty() {
            break;
        }
    }
    let pod = job(&rig, "proof");
    let first = &pod["initContainers"][0];
    assert_eq!((&first["name"], &first["args"][0]), (&json!("reachable"), &json!("reachable")));
    fails(&rig, "BucketMissing: it does not exist. Make it.");
    for _ in 0..3 {
        rig.pass("dev").await.unwrap();
    }
    assert_eq!(rig.condition("dev", "Ready"), "False/BucketUnusable", "{}", rig.status("dev"));
    let message = rig.status("dev")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("Make it"), "{message}");
    assert!(!rig.backend.paused.load(std::sync::atomic::Ordering::Relaxed));
}

/// The proof ends where its first container says why.
fn fails(rig: &Rig, message: &str) {
    let mut job = rig.server.all("jobs").remove(0);
    let words = json!({"result": "failed", "reason": "BucketMissing", "message": message});
    let mut metadata = job["spec"]["template"]["metadata"].clone();
    metadata["name"] = json!("dev-proof-x7");
    metadata["namespace"] = job["metadata"]["namespace"].clone();
    metadata["ownerReferences"] = json!([{"apiVersion": "batch/v1", "kind": "Job", "controller": true,
        "name": job["metadata"]["name"], "uid": job["metadata"]["uid"]}]);
    let ended = json!({"terminated": {"exitCode": 1, "message": words.to_string()}});
    let first = json!([{"name": "reachable", "ready": false, "image": "", "imageID": "",
        "restartCount": 0, "state": ended}]);
    let status = json!({"phase": "Failed", "initContainerStatuses": first});
    rig.server.put(
        "pods",
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata,
            "spec": job["spec"]["template"]["spec"], "status": status}),
    );
    job["status"] = json!({"conditions": [{"type": "Failed", "status": "True"}]});
    rig.server.put("jobs", job);
}

/// Else it would go to a claim that nobody asked for.
#[tokio::test]
async fn an_upgrade_is_not_begun_before_it_is_known_where_its_export_goes() {
    let rig = ready(stored(json!({}))).await;
    rig.server.remove("secrets", "bucket");
    rig.server.remove("secrets", "dev-s3");
    wants(&rig, "/version", json!("v2"));
    rig.run("dev", 6).await;
    assert_eq!(rig.phase("dev"), "Ready", "{}", rig.status("dev"));
    assert_eq!(rig.condition("dev", "Ready"), "False/SecretMissing");
    rig.server.put("secrets", secret("bucket", &[("id", "canary-id"), ("key", "canary-key")]));
    until(&rig, ("Upgrading", json!("Rolling"))).await;
    assert_eq!(rig.status("dev")["upgrade"]["bucket"], "all");
}

/// Nobody asks object storage to forget anything but a worker that has made something new.
#[tokio::test]
async fn a_deletion_says_where_its_exports_stay() {
    let rig = ready(with(stored(json!({})), "/deletionPolicy", json!("Delete"))).await;
    wants(&rig, "/version", json!("v2"));
    rig.backend.says("v2");
    rig.run("dev", 20).await;
    assert_eq!(rig.status("dev")["snapshots"].as_array().unwrap().len(), 1);
    let below = prefix(&rig);
    rig.server.edit("convexinstances", "dev", |it| {
        it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    rig.pass("dev").await.unwrap();
    let history = rig.status("dev")["history"].as_array().cloned().unwrap();
    let said = history.last().unwrap()["message"].as_str().unwrap().to_owned();
    assert!(said.contains(&format!("stay in bucket all, below {below}")), "{said}");
}
