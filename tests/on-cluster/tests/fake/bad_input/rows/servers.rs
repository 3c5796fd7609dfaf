//! Rows about databases and object storage.

use serde_json::{Value, json};

use super::{
    Row,
    Verdict::{Refused, Taken, Told},
};

pub fn database() -> Vec<Row> {
    let with = |key: &str, value: Value| {
        let mut db = json!({"engine": "postgres", "secretRef": "good-database", "urlKey": "uri"});
        db[key] = value;
        db
    };
    let elsewhere = json!({"name": "db", "namespace": "other"});
    let mut rows = vec![
        (
            "backend.db",
            with("secretRef", json!("other/db")),
            Refused("must be the name of an object"),
        ),
        ("backend.db", with("secretRef", elsewhere), Refused("must be of type string")),
        ("backend.db", with("secretRef", json!("none")), Told("SecretMissing", "\"none\"")),
        ("backend.db", with("urlKey", json!("url")), Told("SecretKeyMissing", "\"url\"")),
        ("backend.db", with("caSecretRef", json!("none")), Told("SecretMissing", "\"none\"")),
        (
            "backend.db",
            with("databaseName", json!("another")),
            Told("DatabaseNameMismatch", "\"another\""),
        ),
        ("backend.db", with("urlKey", json!("newline")), Taken),
    ];
    for (key, words) in [
        ("empty", "key \"empty\" is empty"),
        ("binary", "key \"binary\" is not text"),
        ("large", "key \"large\" has 1000000 bytes"),
        ("nobody", "key \"nobody\" "),
        ("mysql", "key \"mysql\" "),
    ] {
        rows.push(("backend.db", with("urlKey", json!(key)), Told("SecretInvalid", words)));
    }
    rows
}

pub fn storage() -> Vec<Row> {
    let with = |key: &str, value: Value| {
        let mut s3 = json!({"enabled": true, "secretRef": "good-bucket", "endpointKey": "endpoint",
            "bucketKey": "bucket", "accessKeyIdKey": "id", "secretAccessKeyKey": "secret"});
        s3[key] = value;
        ("backend.s3", s3)
    };
    let row = |(path, s3), verdict| (path, s3, verdict);
    let inside = "leads to link-local addresses";
    let mut rows = vec![
        row(with("secretRef", json!("none")), Told("SecretMissing", "\"none\"")),
        row(with("bucketKey", json!("no")), Told("SecretKeyMissing", "\"no\"")),
        row(with("accessKeyIdKey", json!("empty")), Told("SecretInvalid", "\"empty\" is empty")),
        row(with("bucketKey", Value::Null), Refused("object storage needs secretRef")),
        row(with("endpoint", json!("file:///etc")), Refused("must be http")),
    ];
    for host in ["169.254.169.254", "2852039166", "metadata.google.internal"] {
        rows.push(row(with("endpoint", json!(format!("http://{host}"))), Refused(inside)));
    }
    for key in ["file", "user", "path"] {
        let told = Told("SecretInvalid", "is not an endpoint");
        rows.push(row(with("endpointKey", json!(key)), told));
    }
    for key in ["metadata", "number", "local"] {
        rows.push(row(with("endpointKey", json!(key)), Told("SecretInvalid", inside)));
    }
    rows
}
