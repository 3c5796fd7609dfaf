//! Object storage: what its keys reach, and a backend that it knows without any.

use serde_json::{Value, json};

use super::{
    keys::base64,
    servers::{rig, says, secret, served, template},
};
use crate::support::{
    instance::{NAMESPACE, instance, set, with},
    rig::Rig,
};

/// An instance with object storage at AWS, which knows the backend by this account.
fn known(account: &Value) -> Value {
    let s3 = json!({"enabled": true, "bucket": "all", "emitS3EndpointUrl": false, "region": "r-1"});
    with(
        with(instance("dev"), "/backend/s3", s3),
        "/backend/pod",
        json!({"serviceAccount": account}),
    )
}

fn variables(rig: &Rig) -> Vec<String> {
    let env = template(rig)["spec"]["containers"][0]["env"].as_array().cloned().unwrap();
    env.iter().filter_map(|it| it["name"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn no_value_is_in_anything_but_secrets() {
    let ca = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    let s3 = json!({"enabled": true, "secretRef": "bucket", "accessKeyIdKey": "id",
        "secretAccessKeyKey": "key", "bucketKey": "name", "endpointKey": "url"});
    let served =
        with(with(served("dev"), "/backend/s3", s3), "/backend/db/caSecretRef", json!("ca"));
    let rig = rig(served).await;
    let bucket = [
        ("id", "canary-id"),
        ("key", "canary-key"),
        ("name", "canary-name"),
        ("url", "https://canary.example.com"),
    ];
    rig.server.put("secrets", secret("bucket", &bucket));
    rig.server.put("secrets", secret("ca", &[("ca.crt", ca)]));
    rig.run("dev", 12).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
    assert_eq!(rig.condition("dev", "ObjectStorageConnected"), "True/Connected");
    says(&rig, "postgresql://app:canary-2@:");
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    rig.run("dev", 4).await;
    rig.server.edit("secrets", "bucket", |it| it["data"]["url"] = json!(base64("canary")));
    rig.run("dev", 4).await;
    let asked = rig.server.asked();
    let written = asked.iter().filter(|it| it.is_write() && it.plural != "secrets");
    let canary = json!(base64("canary")).as_str().unwrap()[..7].to_owned();
    for written in written {
        let body = written.body.to_string();
        assert!(!body.contains("canary") && !body.contains(&canary), "{} {body}", written.words());
    }
    assert!(asked.iter().any(|it| it.body.to_string().contains(&canary)), "they are in Secrets");
}

#[tokio::test]
async fn a_backend_that_is_known_by_its_account_has_one_of_its_own_and_starts_anew_with_it() {
    let rig = Rig::ready(known(&json!({"annotations": {"role": "one"}}))).await;
    let account = rig.server.get("serviceaccounts", "dev-backend").unwrap();
    assert_eq!(account["metadata"]["annotations"]["role"], "one");
    assert_eq!(account["automountServiceAccountToken"], false);
    let before = template(&rig);
    assert_eq!(before["spec"]["serviceAccountName"], "dev-backend");
    assert_eq!(before["spec"]["automountServiceAccountToken"], false);
    rig.run("dev", 3).await;
    assert_eq!(rig.server.writes(), [""; 0], "it rests");
    rig.server.edit("convexinstances", "dev", |it| {
        set(it, "/backend/pod/serviceAccount", json!({"annotations": {"role": "two"}}));
    });
    rig.run("dev", 6).await;
    let account = rig.server.get("serviceaccounts", "dev-backend").unwrap();
    assert_eq!(account["metadata"]["annotations"]["role"], "two");
    assert_ne!(template(&rig)["metadata"], before["metadata"]);
    let foreign = json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "dev-backend", "namespace": NAMESPACE}});
    rig.server.remove("serviceaccounts", "dev-backend");
    rig.server.put("serviceaccounts", foreign);
    let theirs = rig.server.get("serviceaccounts", "dev-backend");
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/NameConflict");
    assert_eq!(rig.server.get("serviceaccounts", "dev-backend"), theirs);
}

/// Whose it is, it stays: neither made nor written to, and waited for where it is not there.
#[tokio::test]
async fn a_backend_may_be_known_by_an_account_that_somebody_made() {
    let rig = Rig::with(known(&json!({"name": "orders"}))).await;
    rig.run("dev", 6).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/ReferenceMissing");
    assert!(rig.server.all("statefulsets").is_empty());
    let theirs = json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "orders", "namespace": NAMESPACE}});
    rig.server.put("serviceaccounts", theirs);
    let before = rig.server.get("serviceaccounts", "orders");
    rig.run("dev", 12).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
    assert_eq!(template(&rig)["spec"]["serviceAccountName"], "orders");
    assert_eq!(rig.server.get("serviceaccounts", "orders"), before);
    assert_eq!(rig.server.all("serviceaccounts").len(), 1);
    let told = variables(&rig);
    assert!(told.contains(&"S3_STORAGE_FILES_BUCKET".to_owned()), "{told:?}");
    assert!(!told.contains(&"AWS_ACCESS_KEY_ID".to_owned()), "{told:?}");
}

/// Everybody's account of the namespace is nobody whom a bucket could know.
#[tokio::test]
async fn a_backend_without_keys_and_without_an_account_is_not_begun() {
    let rig = Rig::with(known(&Value::Null)).await;
    rig.run("dev", 6).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/ObjectStorageIncomplete");
    assert!(
        rig.status("dev")["message"].as_str().unwrap().contains("spec.backend.pod.serviceAccount")
    );
    assert!(rig.server.all("statefulsets").is_empty());
}
