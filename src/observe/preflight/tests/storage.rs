//! What is amiss with object storage is said by the fields that are set.

use super::*;

/// What is said of the bucket for files, with this as `spec.backend.s3`.
fn said(s3: Value, pod: Value, failure: Failure) -> String {
    let instance = on_servers(|it| {
        it["s3"] = s3;
        it["pod"] = pod;
    });
    About::of(&instance, None, &Store::Original)
        .failure(&Finding::of(Subject::Bucket(vec![Purpose::Files]), Err(failure)))
}

fn keyed(more: &Value) -> Value {
    let mut s3 = json!({"enabled": true, "secretRef": "k", "accessKeyIdKey": "id",
        "secretAccessKeyKey": "key", "endpoint": "http://s3.example.com"});
    s3.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    s3
}

#[test]
fn a_bucket_is_named_where_the_spec_names_it_and_else_by_its_key() {
    let said = |s3: Value| said(s3, Value::Null, Failure::of(Reason::BucketMissing));
    assert!(said(keyed(&json!({"bucket": "orders"}))).starts_with("bucket \"orders\""));
    let told = said(keyed(&json!({"bucketKey": "name"})));
    assert!(told.starts_with("the bucket that key \"name\" of Secret \"k\" names"), "{told}");
    let many = json!({"exports": "e", "files": "f", "modules": "m", "search": "s",
        "snapshotImports": "i"});
    let told = said(json!({"enabled": true, "buckets": many}));
    assert!(told.starts_with("bucket \"f\""), "{told}");
    let claimed = "the bucket that key \"BUCKET_NAME\" of ConfigMap \"c\" names";
    let told = said(keyed(&json!({"configMapRef": "c"})));
    assert!(told.starts_with(claimed), "{told}");
    let told = said(json!({"enabled": true, "autoDetectOBC": true, "secretRef": "c"}));
    assert!(told.starts_with(claimed), "{told}");
}

#[test]
fn a_region_is_corrected_where_it_is_told() {
    let said = |more: Value| {
        said(keyed(&more), Value::Null, Failure::of(Reason::ObjectStorageRegionWrong))
    };
    let told = said(json!({"bucket": "orders", "regionKey": "where"}));
    assert!(told.contains("into key \"where\" of Secret \"k\""), "{told}");
    assert!(!told.contains("spec.backend.s3.region"), "{told}");
    for more in [json!({"bucket": "orders"}), json!({"bucket": "orders", "region": "x"})] {
        let told = said(more);
        assert!(told.contains("set spec.backend.s3.region to"), "{told}");
    }
}

#[test]
fn whoever_is_refused_is_named_as_what_it_is() {
    let denied = || Failure::of(Reason::BucketAccessDenied).why(Why::Put);
    let login = |why: Option<Why>| {
        let failure = Failure::of(Reason::ObjectStorageLoginFailed);
        why.map_or(failure.clone(), |why| failure.why(why))
    };
    let all =
        || [denied(), login(None), login(Some(Why::Signature)), login(Some(Why::Credentials))];
    let bucket = json!({"bucket": "orders"});
    for failure in all() {
        let told = said(keyed(&bucket), Value::Null, failure);
        assert!(told.contains("Secret \"k\"") && !told.contains("Account"), "{told}");
    }
    let claim = json!({"enabled": true, "autoDetectOBC": true, "configMapRef": "c"});
    for failure in all() {
        let told = said(claim.clone(), Value::Null, failure);
        assert!(told.contains("Secret \"c\"") && !told.contains("Account"), "{told}");
    }
    // The Secret of one and the ConfigMap of the other hold no keys.
    let unkeyed = [
        json!({"enabled": true, "secretRef": "k", "bucketKey": "b"}),
        json!({"enabled": true, "configMapRef": "k"}),
    ];
    for s3 in unkeyed {
        for failure in all() {
            let web = json!({"serviceAccount": {"name": "web"}});
            let told = said(s3.clone(), web, failure.clone());
            let beside =
                told.replace("of Secret \"k\" names", "").replace("of ConfigMap \"k\" names", "");
            assert!(beside.contains("ServiceAccount \"web\""), "{told}");
            assert!(!beside.contains("\"k\""), "{told}");
            let made = json!({"serviceAccount": {"annotations": {"a": "b"}}});
            let told = said(s3.clone(), made, failure);
            assert!(told.contains("the ServiceAccount of the backend"), "{told}");
        }
    }
}
