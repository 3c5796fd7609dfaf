//! What of a spec, its Secret and its `ConfigMap` the backend is given.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::fixtures::instance_with;

fn holder(kind: &'static str, data: &[(&str, &str)]) -> Holder {
    let data = data.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec()));
    Holder::new(kind, "bucket", "shop", Some(data.collect()))
}

fn keyed() -> Value {
    json!({"enabled": true, "secretRef": "bucket", "accessKeyIdKey": "id",
        "secretAccessKeyKey": "key", "bucket": "all", "endpoint": "https://s3.example.com"})
}

fn with(mut s3: Value, change: Value) -> Value {
    if let Value::Object(change) = change {
        s3.as_object_mut().unwrap().extend(change);
    }
    s3
}

const SECRET: [(&str, &str); 6] = [
    ("id", "canary-id\n"),
    ("key", "canary-key"),
    ("AWS_ACCESS_KEY_ID", "claimed-id"),
    ("AWS_SECRET_ACCESS_KEY", "claimed-key"),
    ("endpoint", "http://minio.storage:9000/"),
    ("bad", "canary.example.com/path"),
];

fn read(s3: Value, config: Option<&[(&str, &str)]>) -> Result<BTreeMap<String, String>, Obstacle> {
    let spec = instance_with(|spec| spec["backend"]["s3"] = s3).spec;
    let config = config.map(|it| holder("ConfigMap", it));
    let found = Found {
        s3: &spec.backend.s3,
        known: false,
        secret: Some(holder("Secret", &SECRET)),
        config,
    };
    let text = |it: &[u8]| String::from_utf8(it.to_vec()).unwrap();
    Ok(found.values()?.iter().map(|(key, value)| (key.to_owned(), text(value))).collect())
}

#[test]
fn one_bucket_stands_for_all_five_and_the_backend_is_told_of_each() {
    let given = read(keyed(), None).unwrap();
    let buckets = given.iter().filter(|(key, _)| key.ends_with("_BUCKET"));
    let buckets: Vec<_> = buckets.map(|(_, value)| value.as_str()).collect();
    assert_eq!(buckets, ["all"; 5]);
    assert_eq!(given["AWS_ACCESS_KEY_ID"], "canary-id", "a line break is no part of it");
    assert_eq!(given["AWS_REGION"], "us-east-1", "servers of others take it");
    assert_eq!(given["S3_ENDPOINT_URL"], "https://s3.example.com");
    assert!(
        given.keys().all(|it| crate::plan::outside::Server::Storage.keys().contains(&it.as_str()))
    );
}

#[test]
fn five_buckets_are_told_each_to_its_variable() {
    let five = json!({"bucket": null, "buckets": {"exports": "e-1", "files": "f-1", "modules": "m-1",
        "search": "s-1", "snapshotImports": "i-1"}});
    let given = read(with(keyed(), five), None).unwrap();
    for (purpose, bucket) in [
        ("EXPORTS", "e-1"),
        ("FILES", "f-1"),
        ("MODULES", "m-1"),
        ("SEARCH", "s-1"),
        ("SNAPSHOT_IMPORTS", "i-1"),
    ] {
        assert_eq!(given[&format!("S3_STORAGE_{purpose}_BUCKET")], bucket);
    }
}

/// The backend takes nothing else for a yes, and an empty one for a no.
#[test]
fn switches_are_literally_true_or_absent() {
    let on = json!({"forcePathStyle": true, "disableSSE": true, "disableChecksums": true});
    let off = json!({"forcePathStyle": false, "disableSSE": false});
    let switches = |change: Value| {
        let given = read(with(keyed(), change), None).unwrap();
        let all = given.into_iter().filter(|(key, _)| key.starts_with("AWS_S3_"));
        all.collect::<Vec<_>>()
    };
    let all = ["AWS_S3_DISABLE_CHECKSUMS", "AWS_S3_DISABLE_SSE", "AWS_S3_FORCE_PATH_STYLE"];
    assert_eq!(switches(on), all.map(|it| (it.to_owned(), "true".to_owned())));
    assert_eq!((switches(off), switches(json!({}))), (Vec::new(), Vec::new()));
}

#[test]
fn the_region_of_a_claim_is_taken_where_it_tells_one() {
    let claim = json!({"enabled": true, "autoDetectOBC": true, "secretRef": "bucket"});
    let told = [("BUCKET_HOST", "rgw.rook"), ("BUCKET_NAME", "b-1"), ("BUCKET_REGION", "eu-1")];
    assert_eq!(read(claim.clone(), Some(&told)).unwrap()["AWS_REGION"], "eu-1");
    let named = with(claim, json!({"region": "eu-2"}));
    assert_eq!(read(named, Some(&told)).unwrap()["AWS_REGION"], "eu-2", "the spec counts first");
}

#[test]
fn an_object_bucket_claim_is_read_by_its_own_keys() {
    let claim = json!({"enabled": true, "autoDetectOBC": true, "secretRef": "bucket"});
    let told = [
        ("BUCKET_HOST", "rgw.rook"),
        ("BUCKET_PORT", "80"),
        ("BUCKET_NAME", "b-1"),
        ("BUCKET_REGION", ""),
    ];
    let given = read(claim.clone(), Some(&told)).unwrap();
    assert_eq!(given["S3_ENDPOINT_URL"], "http://rgw.rook:80");
    assert_eq!(
        (given["AWS_ACCESS_KEY_ID"].as_str(), given["AWS_SECRET_ACCESS_KEY"].as_str()),
        ("claimed-id", "claimed-key")
    );
    assert_eq!(
        (given["S3_STORAGE_FILES_BUCKET"].as_str(), given["AWS_REGION"].as_str()),
        ("b-1", "us-east-1")
    );
    assert_eq!(given["AWS_S3_FORCE_PATH_STYLE"], "true");
    let secure = [("BUCKET_HOST", "s3.openshift"), ("BUCKET_PORT", "443"), ("BUCKET_NAME", "b-1")];
    assert_eq!(
        read(claim.clone(), Some(&secure)).unwrap()["S3_ENDPOINT_URL"],
        "https://s3.openshift:443"
    );
    let why = read(claim, Some(&[("BUCKET_HOST", "rgw.rook")])).unwrap_err();
    assert_eq!(why.reason, "SecretKeyMissing");
    assert!(
        why.message.contains("ConfigMap \"bucket\" has no key \"BUCKET_NAME\""),
        "{}",
        why.message
    );
}

#[test]
fn aws_itself_is_reached_by_its_region_and_has_no_endpoint() {
    let aws = with(keyed(), json!({"endpoint": null, "emitS3EndpointUrl": false}));
    let why = read(aws.clone(), None).unwrap_err();
    assert!(why.message.contains("needs region or regionKey"), "{}", why.message);
    let given = read(with(aws, json!({"region": "eu-central-1"})), None).unwrap();
    assert_eq!(given["AWS_REGION"], "eu-central-1");
    assert!(!given.contains_key("S3_ENDPOINT_URL"));
}

/// A backend that lacks a part of it would keep files in its pod, silently.
#[test]
fn what_is_missing_is_named() {
    for (lacks, words) in [
        ("bucket", "needs bucket, bucketKey or buckets"),
        ("endpoint", "needs endpoint or endpointKey"),
        ("accessKeyIdKey", "needs accessKeyIdKey"),
    ] {
        let why = read(with(keyed(), json!({(lacks): null})), None).unwrap_err();
        assert_eq!(why.reason, "ObjectStorageIncomplete");
        assert!(why.message.contains(words), "{}", why.message);
    }
}

#[test]
fn an_endpoint_of_a_secret_is_a_url_and_is_told_by_its_key() {
    let by = |key: &str| read(with(keyed(), json!({"endpointKey": key})), None);
    assert_eq!(by("endpoint").unwrap()["S3_ENDPOINT_URL"], "http://minio.storage:9000");
    let why = by("bad").unwrap_err();
    assert!(why.message.contains("key \"bad\" is not an endpoint"), "{}", why.message);
    assert!(!why.message.contains("canary"), "{}", why.message);
}

#[test]
fn a_backend_that_is_known_by_its_account_has_no_keys_and_half_of_them_are_none() {
    let aws =
        json!({"enabled": true, "bucket": "all", "emitS3EndpointUrl": false, "region": "r-1"});
    let read = |s3: Value, known: bool| {
        let spec = instance_with(|spec| spec["backend"]["s3"] = s3).spec;
        Found { s3: &spec.backend.s3, known, secret: None, config: None }.values()
    };
    let given = read(aws.clone(), true).unwrap();
    let keys: Vec<_> = given.iter().map(|it| it.0.to_owned()).collect();
    assert!(keys.contains(&"S3_STORAGE_FILES_BUCKET".to_owned()) && keys.len() == 6, "{keys:?}");
    for (s3, known) in [(aws.clone(), false), (with(aws, json!({"accessKeyIdKey": "id"})), true)] {
        let why = read(s3, known).unwrap_err();
        assert!(why.message.contains("accessKeyIdKey and secretAccessKeyKey"), "{}", why.message);
    }
}
