use serde_json::json;
use statemachine::{observed::Outcome, pins::Revision};

use super::*;
use crate::{
    fixtures::{instance_with, seen},
    observe::jobs::Seen,
    plan::outside::Values,
};

fn in_storage(snapshots: &serde_json::Value) -> ConvexInstance {
    instance_with(|spec| {
        spec["backend"]["s3"] = json!({"enabled": true});
        spec["maintenance"] = json!({"snapshots": snapshots});
    })
}

#[test]
fn exports_go_to_object_storage_where_that_is_used_and_to_a_bucket_that_is_known() {
    let given = Values::default().with(EXPORTS, "orders-exports");
    let at = |instance: &ConvexInstance| bucket(instance, Some(&given));
    let of_the_backend = Ok(Some("orders-exports".to_owned()));
    assert_eq!(at(&in_storage(&json!({}))), of_the_backend);
    assert_eq!(at(&in_storage(&json!({"destination": "ObjectStorage"}))), of_the_backend);
    assert_eq!(at(&in_storage(&json!({"bucket": "vault"}))), Ok(Some("vault".to_owned())));
    assert_eq!(at(&in_storage(&json!({"destination": "Claim"}))), Ok(None));
    assert_eq!(at(&instance_with(|_| {})), Ok(None));
    assert_eq!(bucket(&in_storage(&json!({})), None), Err(BucketUnknown));
    assert_eq!(
        bucket(&in_storage(&json!({"bucket": "vault"})), None),
        Ok(Some("vault".to_owned()))
    );
}

/// No value of a Secret is ever told, and so it is said where the name is.
#[test]
fn a_bucket_whose_name_is_in_a_secret_is_told_by_its_key() {
    let instance = instance_with(|spec| {
        spec["backend"]["s3"] =
            json!({"enabled": true, "secretRef": "orders", "bucketKey": "name"});
    });
    let given = Values::default().with(EXPORTS, "canary");
    let told = bucket(&instance, Some(&given)).unwrap().unwrap();
    assert_eq!(bucket(&instance, None), Err(BucketUnknown));
    assert_eq!(told, "secret/orders/name");
    let place = Place::of(&instance, Some(&told), "7-1");
    assert_eq!(place.variable(), Some(EXPORTS));
    let words = r#"the bucket that key "name" of Secret "orders" names"#;
    assert_eq!(place.quoted(&Names::of("dev")), words);
    assert!(place.location(&Names::of("dev"), "7-1").starts_with(words));
    // That of an ObjectBucketClaim has the name of its ConfigMap.
    let claimed = instance_with(|spec| {
        spec["backend"]["s3"] = json!({"enabled": true, "autoDetectOBC": true,
            "configMapRef": "orders", "bucketKey": "name"});
    });
    assert_eq!(bucket(&claimed, Some(&given)), Ok(Some("secret/orders/name".to_owned())));
}

/// Two clusters may share a bucket, and an instance may be made anew under its name.
#[test]
fn the_keys_of_an_instance_begin_with_its_namespace_its_name_and_its_uid() {
    let instance = instance_with(|_| {});
    let uid = instance.uid().unwrap();
    let namespace = instance.namespace().unwrap();
    let Place::Bucket { prefix, .. } = Place::of(&instance, Some("vault"), "7-1") else {
        panic!("no bucket")
    };
    assert_eq!(prefix, format!(".convex-operator/snapshots/{namespace}/dev/{uid}/7-1"));
    assert!(!uid.is_empty());
}

/// Else a rollback would look for it where the spec points by now.
#[test]
fn an_export_is_where_it_was_put_whatever_the_upgrade_or_the_spec_says_since() {
    let mut instance = in_storage(&json!({}));
    let status = instance.status.get_or_insert_default();
    let listed = json!([
        {"id": "6-1", "version": "v1", "bytes": 1, "tables": 1, "documents": 1, "files": 0, "sha256": "a",
         "location": "", "verified": true},
        {"id": "7-1", "version": "v1", "bytes": 1, "tables": 1, "documents": 1, "files": 0, "sha256": "a",
         "location": "", "verified": true, "bucket": "old", "prefix": "a/7-1"}]);
    status.snapshots = serde_json::from_value(listed).unwrap();
    status.upgrade = Some(crate::api::UpgradeStatus {
        bucket: Some("new".to_owned()),
        ..crate::api::UpgradeStatus::default()
    });
    let kept = |of: &str| {
        let of = Snapshot { of: Revision(of.to_owned()), attempt: 1 };
        Place::kept(&instance, &Jobs::default(), &of)
    };
    assert_eq!(kept("6"), Place::Claim);
    let old = Place::Bucket { bucket: "old".to_owned(), prefix: "a/7-1".to_owned() };
    assert_eq!(kept("7"), old);
    assert_eq!(kept("8").bucket(), Some("new"));
    let names = Names::of("dev");
    assert_eq!(kept("6").location(&names, "6-1"), "claim dev-snapshots, folder 6-1");
    assert_eq!(old.location(&names, "7-1"), "bucket old, a/7-1/");
}

/// Between the end of its Job and its place in the status an upgrade may have been given up, or another one begun.
#[test]
fn an_export_that_the_status_does_not_list_yet_is_where_its_job_was_told_to_put_it() {
    let mut instance = in_storage(&json!({}));
    instance.status.get_or_insert_default().upgrade = Some(crate::api::UpgradeStatus {
        bucket: Some("new".to_owned()),
        ..crate::api::UpgradeStatus::default()
    });
    let of = Snapshot { of: Revision("7".to_owned()), attempt: 1 };
    let kept = |errand, bucket: Option<&str>| {
        let job = seen(errand, of.clone(), Outcome::Succeeded);
        let jobs = Jobs(vec![Seen { bucket: bucket.map(str::to_owned), ..job }]);
        Place::kept(&instance, &jobs, &of)
    };
    assert_eq!(kept(Errand::Export, Some("old")), Place::of(&instance, Some("old"), "7-1"));
    assert_eq!(kept(Errand::Export, None), Place::Claim);
    assert_eq!(kept(Errand::Import, Some("old")).bucket(), Some("new"), "that one reads it");
}
