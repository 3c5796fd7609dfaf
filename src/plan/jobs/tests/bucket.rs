//! Jobs whose exports are in a bucket: no volume, the backend's own way to object storage, and a bucket that is looked at first.

use super::*;
use crate::plan::outside::{Server, Settings, Values};

fn stored() -> Settings {
    let values = Values::default()
        .with("AWS_SECRET_ACCESS_KEY", "canary")
        .with("S3_STORAGE_EXPORTS_BUCKET", "canary-bucket");
    [(Server::Storage, values)].into()
}

/// Proof, export and import where exports are in this bucket.
fn jobs_in(bucket: &str, change: impl FnOnce(&mut Value)) -> [Value; 3] {
    let instance = instance_with(|spec| {
        spec["backend"]["s3"] = json!({"enabled": true});
        change(spec);
    });
    let place = Place::of(&instance, Some(bucket), "71-2");
    let onto = Exports::default();
    let build = |build: &dyn Fn(&Inputs<'_>) -> Job| {
        let job = crate::fixtures::built_reading(&stored(), &instance, |inputs| build(inputs));
        serde_json::to_value(job).unwrap()
    };
    [
        build(&|inputs| proof(inputs, &of(), 1, (&Release::default(), Some(&place)))),
        build(&|inputs| export(inputs, carried(), "v1", true, &[], (&onto, &place))),
        build(&|inputs| import(inputs, carried(), (&of(), &place), true)),
    ]
}

/// The container of a Job that asks something of the bucket.
fn asks(job: &Value) -> &Value {
    let pod = pod(job);
    if pod["initContainers"].is_null() { &pod["containers"][0] } else { &pod["initContainers"][0] }
}

#[test]
fn every_job_of_an_export_in_a_bucket_is_told_it_and_needs_no_volume() {
    let jobs = jobs_in("vault", |_| {});
    for job in &jobs {
        assert_eq!(pod(job)["volumes"], Value::Null);
        let args = asks(job)["args"].to_string();
        assert!(
            args.contains(r#""--bucket=vault","--prefix",".convex-operator/snapshots/shop/dev/"#),
            "{args}"
        );
        assert!(args.contains("/71-2\"") && !args.contains("--folder"), "{args}");
        let env = asks(job)["env"].to_string();
        assert!(
            env.contains(r#""secretKeyRef":{"key":"AWS_SECRET_ACCESS_KEY","name":"dev-s3"}"#),
            "{env}"
        );
        assert!(!job.to_string().contains("canary"), "{job}");
    }
    let marks = jobs.map(|it| it["metadata"]["annotations"][labels::BUCKET].clone());
    assert_eq!(marks, [Value::Null, json!("vault"), Value::Null], "only an export fills it");
}

/// No value of a Secret is in an argument.
#[test]
fn a_bucket_whose_name_is_in_a_secret_comes_in_the_environment() {
    for job in jobs_in("secret/orders/name", |_| {}) {
        let args = asks(&job)["args"].to_string();
        assert!(!args.contains("--bucket") && args.contains("--prefix"), "{args}");
        let env = asks(&job)["env"].as_array().cloned().unwrap();
        let bucket = env.iter().find(|it| it["name"] == "SNAPSHOTS_BUCKET").unwrap();
        let from = json!({"name": "dev-s3", "key": "S3_STORAGE_EXPORTS_BUCKET"});
        assert_eq!(bucket["valueFrom"]["secretKeyRef"], from);
    }
}

/// As the backend does: by its account, its own variables, and the files that these name.
#[test]
fn object_storage_is_reached_as_the_backend_reaches_it() {
    let jobs = jobs_in("vault", |spec| {
        spec["backend"]["env"] = json!([{"name": "SSL_CERT_FILE", "value": "/ca/ca.crt"},
            {"name": "AWS_REGION", "value": "elsewhere"}, {"name": "RUST_LOG", "value": "info"}]);
        spec["backend"]["pod"] = json!({"serviceAccount": {"name": "known"},
            "volumes": [{"name": "ca", "secret": {"secretName": "ca"}}, {"name": "extra", "emptyDir": {}}],
            "volumeMounts": [{"name": "ca", "mountPath": "/ca"}, {"name": "extra", "mountPath": "/extra"}]});
    });
    for job in jobs {
        assert_eq!(pod(&job)["serviceAccountName"], "known");
        assert_eq!(pod(&job)["automountServiceAccountToken"], false);
        let names: Vec<_> =
            pod(&job)["volumes"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
        assert_eq!(names, ["ca"]);
        assert_eq!(asks(&job)["volumeMounts"][0]["mountPath"], "/ca");
        let env = asks(&job)["env"].to_string();
        for (word, told) in [("/ca/ca.crt", true), ("elsewhere", true), ("RUST_LOG", false)] {
            assert_eq!(env.contains(word), told, "{word}: {env}");
        }
    }
}

#[test]
fn the_image_of_the_target_is_proven_after_the_bucket_and_by_nobody_else() {
    let [proof, ..] = jobs_in("vault", |_| {});
    let first = &pod(&proof)["initContainers"][0];
    assert_eq!(
        (&first["name"], &first["image"]),
        (&json!(REACHABLE), &json!("example.com/operator:v0"))
    );
    assert_eq!(pod(&proof)["containers"][0]["env"], Value::Null);
    let [on_a_claim, ..] = every_job();
    assert_eq!(pod(&on_a_claim)["initContainers"], Value::Null);
}
