//! The instance's Secret is lost or changed under its data.

use serde_json::json;

use crate::support::{instance::instance, rig::Rig};

#[tokio::test]
async fn a_lost_secret_is_not_invented_anew() {
    let rig = Rig::ready(instance("dev")).await;
    let secret = rig.server.get("secrets", "dev-instance").unwrap();
    rig.server.remove("secrets", "dev-instance");
    rig.run("dev", 4).await;
    assert_eq!(rig.phase("dev"), "Degraded");
    assert_eq!(rig.condition("dev", "Ready"), "False/SecretLost");
    assert_eq!(rig.condition("dev", "Stalled"), "True/SecretLost");
    assert!(rig.server.get("secrets", "dev-instance").is_none());
    rig.server.put("secrets", secret);
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

/// The backend that starts may have written under the first secret already.
#[tokio::test]
async fn a_secret_that_goes_while_the_backend_starts_is_not_invented_anew() {
    let rig = Rig::with(instance("dev")).await;
    while rig.server.get("statefulsets", "dev-backend").is_none() {
        rig.pass("dev").await.unwrap();
    }
    let secret = rig.server.get("secrets", "dev-instance").unwrap();
    rig.server.remove("secrets", "dev-instance");
    rig.run("dev", 4).await;
    assert!(rig.server.get("secrets", "dev-instance").is_none(), "{}", rig.status("dev"));
    assert_eq!(rig.phase("dev"), "Provisioning");
    assert_eq!(rig.condition("dev", "Ready"), "False/SecretLost");
    rig.server.put("secrets", secret);
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

/// To stop it takes nothing but its name.
#[tokio::test]
async fn an_instance_without_its_secret_is_suspended_all_the_same_and_says_what_it_lacks() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("secrets", "dev-instance", |it| {
        it["data"]["INSTANCE_SECRET"] = json!(base64(&"ab".repeat(32)));
    });
    rig.run("dev", 2).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/AdminKeyMismatch");
    let before = rig.server.get("statefulsets", "dev-backend").unwrap();
    rig.server.edit("convexinstances", "dev", |it| it["spec"]["suspend"] = json!(true));
    rig.run("dev", 4).await;
    let mut after = rig.server.get("statefulsets", "dev-backend").unwrap();
    assert_eq!(after["spec"]["replicas"], 0);
    after["spec"]["replicas"] = before["spec"]["replicas"].clone();
    assert_eq!(after["spec"], before["spec"], "nothing else is changed");
    assert!(rig.server.get("pods", "dev-backend-0").is_none());
    assert_eq!(rig.status("dev")["stage"], "Suspended");
    assert_eq!(rig.condition("dev", "SecretsReady"), "False/AdminKeyMismatch");
    rig.server.writes();
    rig.run("dev", 3).await;
    assert_eq!(rig.server.writes(), [""; 0], "it rests");
}

#[tokio::test]
async fn a_lost_secret_is_not_invented_anew_where_the_status_is_lost_too() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.remove("secrets", "dev-instance");
    rig.server.edit("convexinstances", "dev", |it| it["status"] = json!({}));
    rig.run("dev", 6).await;
    assert!(rig.server.get("secrets", "dev-instance").is_none(), "{}", rig.status("dev"));
    assert_eq!(rig.condition("dev", "Ready"), "False/SecretLost");
    assert!(rig.server.get("statefulsets", "dev-backend").is_some());
}

/// The proof that it is wrong is at hand: an admin key that it does not fit.
#[tokio::test]
async fn a_secret_that_was_changed_under_the_data_rolls_nothing_until_somebody_means_it() {
    let rig = Rig::ready(instance("dev")).await;
    let (secret, set) = (
        rig.server.get("secrets", "dev-instance").unwrap(),
        rig.server.get("statefulsets", "dev-backend").unwrap(),
    );
    rig.server.edit("secrets", "dev-instance", |it| {
        it["data"]["INSTANCE_SECRET"] = json!(base64(&"ab".repeat(32)));
    });
    rig.run("dev", 4).await;
    assert_eq!(rig.phase("dev"), "Ready");
    assert_eq!(rig.condition("dev", "Ready"), "False/AdminKeyMismatch");
    assert_eq!(rig.condition("dev", "Available"), "True/Serving");
    assert_eq!(rig.server.get("statefulsets", "dev-backend").unwrap(), set);
    rig.server.edit("secrets", "dev-instance", |it| it["data"] = secret["data"].clone());
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    // To delete the key is to mean it.
    rig.server.edit("secrets", "dev-instance", |it| {
        it["data"]["INSTANCE_SECRET"] = json!(base64(&"ab".repeat(32)));
    });
    rig.server.remove("secrets", "dev-admin");
    rig.run("dev", 5).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    assert_ne!(rig.server.get("statefulsets", "dev-backend").unwrap(), set);
}

#[tokio::test]
async fn the_name_that_the_data_was_made_under_never_changes() {
    let rig = Rig::ready(instance("dev")).await;
    let set = rig.server.get("statefulsets", "dev-backend").unwrap();
    rig.server.edit("secrets", "dev-instance", |it| {
        it["data"]["INSTANCE_NAME"] = json!(base64("other"));
    });
    rig.server.remove("secrets", "dev-admin");
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/InstanceNameChanged");
    assert_eq!(rig.server.get("statefulsets", "dev-backend").unwrap(), set);
    rig.server.edit("secrets", "dev-instance", |it| {
        it["data"]["INSTANCE_NAME"] = json!(base64("dev"));
    });
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

pub(crate) fn base64(text: &str) -> String {
    let bytes = serde_json::to_value(k8s_openapi::ByteString(text.as_bytes().to_vec())).unwrap();
    bytes.as_str().unwrap().to_owned()
}
