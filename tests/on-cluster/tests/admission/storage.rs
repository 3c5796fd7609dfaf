//! Rules on the database, the volume and the object storage: where data is, and that it stays there.

use on_cluster::{Case, Instance, rule};
use serde_json::json;

use crate::{complete, everywhere};

pub fn cases() -> Vec<Case> {
    [database(), volume(), moved_volume(), object_storage(), fields()].concat()
}

fn fields() -> Vec<Case> {
    let names = everywhere(
        &[
            "backend.storage.pvc.storageClassName",
            "backend.storage.pvc.existingClaim",
            "backend.s3.secretRef",
            "backend.s3.configMapRef",
        ],
        "must be the name of an object",
        "some.other-name",
        "name/with/slash",
    );
    let keys = everywhere(
        &[
            "backend.s3.endpointKey",
            "backend.s3.accessKeyIdKey",
            "backend.s3.secretAccessKeyKey",
            "backend.s3.bucketKey",
            "backend.s3.regionKey",
        ],
        "must be a key of a Secret",
        "BUCKET.key-1",
        "a/b",
    );
    let endpoints = everywhere(
        &["backend.s3.endpoint"],
        "must be http:// or https://, a host and maybe a port",
        "http://s3.storage.svc:9000",
        "s3.example.com/bucket",
    );
    [names, keys, endpoints, vec![inside()]].concat()
}

/// Where a node's own credentials are, in every way of writing it that the other rule takes.
fn inside() -> Case {
    let at = |host: &str| complete().with("backend.s3.endpoint", format!("http://{host}"));
    let mut case = rule("spec.backend.s3.endpoint", "leads to link-local addresses");
    for host in ["10.0.0.1:9000", "169.253.1.1", "169.254.1.1.example.com", "1.2.example.com"] {
        case = case.accepts(at(host));
    }
    for host in [
        "169.254.169.254",
        "169.254.170.2:80",
        "169.254.43518",
        "2852039166",
        "0xA9FEA9FE",
        "0251.0376.0251.0376",
        "0xa9.0xfe.169.254:80",
        "100.100.100.200",
        "metadata.google.internal",
        "Metadata.Google.Internal:80",
        "metadata.goog",
        "instance-data.ec2.internal",
    ] {
        case = case.refuses(at(host));
    }
    case
}

fn database() -> Vec<Case> {
    let server = Instance::postgres("a");
    let pinned = Instance::postgres("pinned");
    let mysql = Instance::postgres("a").with("backend.db.engine", "mysql");
    let named = Instance::postgres("named-database").with("backend.db.databaseName", "orders");
    vec![
        rule("spec.backend.db", "set spec.backend.db.secretRef and spec.backend.db.urlKey")
            .accepts(mysql.clone())
            .refuses(mysql.without("backend.db.urlKey"))
            .refuses(server.clone().without("backend.db.secretRef")),
        rule("spec.backend.db", "engine sqlite has no server: remove secretRef")
            .accepts(Instance::dev("a").with("backend.db.databaseName", json!(null)))
            .refuses(Instance::dev("a").with("backend.db.secretRef", "db"))
            .refuses(Instance::dev("a").with("backend.db.requireSSL", false))
            .refuses(Instance::dev("a").with("backend.db.createDatabase", "Never"))
            .refuses(Instance::dev("a").with("backend.db.caSecretRef", "ca")),
        rule("spec.backend.db", "caKey names a key of caSecretRef")
            .accepts(
                server.clone().with("backend.db.caSecretRef", "ca").with("backend.db.caKey", "ca"),
            )
            .refuses(server.clone().with("backend.db.caKey", "ca")),
        rule("spec.backend", "modules and files need object storage or a volume")
            .accepts(server.clone())
            .accepts(Instance::dev("a").with("backend.storage.pvc.enabled", false))
            .refuses(server.clone().with("backend.storage.pvc.enabled", false)),
        rule("spec.backend.db", "the engine holds the data and cannot change")
            .after(pinned.clone())
            .accepts(pinned.clone().with("backend.db.secretRef", "rotated"))
            .refuses(pinned.clone().with("backend.db.engine", "mysql"))
            .refuses(Instance::dev("pinned")),
        rule("spec.backend.db", "databaseName says where the data is and cannot change")
            .after(named.clone())
            .accepts(named.clone().with("backend.db.urlKey", "url"))
            .refuses(named.clone().with("backend.db.databaseName", "invoices"))
            .refuses(named.without("backend.db.databaseName")),
        rule("spec.backend.storage", "the storage mode is pinned in the data")
            .after(pinned.clone())
            .accepts(pinned.clone().with("version", "v2"))
            .refuses(pinned.with("backend.storage.mode", "sqlite")),
    ]
}

fn volume() -> Vec<Case> {
    let sized = |size: &str| Instance::dev("a").with("backend.storage.pvc.size", size);
    let grown = Instance::dev("grown").with("backend.storage.pvc.size", "20Gi");
    let to = |size: &str| grown.clone().with("backend.storage.pvc.size", size);
    let mut quantity = rule("spec.backend.storage.pvc.size", "must be a quantity greater than 0");
    for kept in ["1Gi", "500M", "1.5Ti", "1e9"] {
        quantity = quantity.accepts(sized(kept));
    }
    for broken in ["0", "0Gi", "-1Gi", "10 GB", "ten", "1Ei", "1E99999"] {
        quantity = quantity.refuses(sized(broken));
    }
    let without_volume = Instance::dev("a").with("backend.storage.pvc", json!({"enabled": false}));
    vec![
        quantity,
        rule("spec.backend.storage.pvc", "existingClaim names a volume and enabled: false")
            .accepts(without_volume.clone())
            .refuses(without_volume.with("backend.storage.pvc.existingClaim", "old")),
        rule("spec.backend.storage.pvc", "a volume can grow and not shrink")
            .after(grown.clone())
            .accepts(to("21Gi"))
            .accepts(to("20480Mi"))
            .refuses(to("19Gi"))
            .refuses(to("20G"))
            .refuses(grown.clone().without("backend.storage.pvc"))
            .refuses(grown.clone().without("backend.storage")),
        // Where nobody gave a size it was 10Gi, or what an existing claim has.
        rule("spec.backend.storage.pvc", "a volume can grow and not shrink")
            .after(without_size("unsized"))
            .accepts(without_size("unsized").with("backend.storage.pvc.size", "10Gi"))
            .refuses(without_size("unsized").with("backend.storage.pvc.size", "5Gi")),
        rule("spec.backend.storage.pvc", "a volume can grow and not shrink")
            .after(taken_over())
            .accepts(taken_over().with("backend.storage.pvc.size", "5Gi"))
            .refuses(without_size("taken-over").with("backend.storage.pvc.size", "5Gi")),
    ]
}

fn without_size(name: &str) -> Instance {
    Instance::dev(name).without("backend.storage.pvc.size")
}

fn taken_over() -> Instance {
    without_size("taken-over").with("backend.storage.pvc.existingClaim", "old")
}

fn moved_volume() -> Vec<Case> {
    let placed = Instance::dev("placed")
        .with("backend.storage.pvc", json!({"storageClassName": "fast", "existingClaim": "old"}));
    let unplaced = Instance::dev("unplaced");
    let put = |field: &str| unplaced.clone().with(&format!("backend.storage.pvc.{field}"), "x");
    let moved = |field: &str| placed.clone().with(&format!("backend.storage.pvc.{field}"), "x");
    let cleared = |field: &str| placed.clone().without(&format!("backend.storage.pvc.{field}"));
    let fixed = |field: &str, message: &str| {
        let grown = placed.clone().with("backend.storage.pvc.size", "20Gi");
        let set = rule("spec.backend.storage.pvc", message).after(placed.clone()).accepts(grown);
        let unset = rule("spec.backend.storage.pvc", message).after(unplaced.clone());
        [set.refuses(moved(field)).refuses(cleared(field)), unset.refuses(put(field))]
    };
    let [class, no_class] = fixed("storageClassName", "a claim cannot change its storage class");
    let [claim, no_claim] = fixed("existingClaim", "existingClaim says where the data is");
    let enabled = rule("spec.backend.storage.pvc", "the volume holds the data and can neither be")
        .after(unplaced.clone())
        .accepts(unplaced.clone().with("backend.storage.pvc.enabled", true))
        .refuses(unplaced.clone().with("backend.storage.pvc.enabled", false));
    vec![class, no_class, claim, no_claim, enabled]
}

fn object_storage() -> Vec<Case> {
    let s3 = |settings| Instance::postgres("a").with("backend.s3", settings);
    let named = s3(json!({
        "enabled": true, "secretRef": "bucket", "endpointKey": "endpoint", "bucketKey": "bucket",
        "accessKeyIdKey": "id", "secretAccessKeyKey": "secret",
    }));
    let filed = Instance::postgres("filed");
    let field = |name: &str| format!("backend.s3.{name}");
    let lacking = |name: &str| named.clone().without(&field(name));
    let aws = || lacking("endpointKey").with(&field("emitS3EndpointUrl"), false);
    let five = || {
        let buckets = json!({"exports": "one", "files": "two", "modules": "three",
            "search": "four", "snapshotImports": "five"});
        lacking("bucketKey").with(&field("buckets"), buckets)
    };
    let is_bucket =
        |name: &str| rule(&format!("spec.backend.s3.{name}"), "must be the name of a bucket");
    let purposes = ["exports", "files", "modules", "search", "snapshotImports"].map(|purpose| {
        let of = format!("buckets.{purpose}");
        is_bucket(&of)
            .accepts(five().with(&field(&of), "Some_other.name"))
            .refuses(five().with(&field(&of), "a/b"))
    });
    let one = |name: &str| lacking("bucketKey").with(&field("bucket"), name);
    let bucket = is_bucket("bucket").accepts(one("or-ders")).refuses(one("--help"));
    let rules = vec![
        rule("spec.backend.s3", "AWS itself is reached by its region")
            .accepts(aws().with(&field("regionKey"), "region"))
            .refuses(aws()),
        rule("spec.backend.s3", "buckets names one bucket for each purpose")
            .accepts(five())
            .refuses(five().with(&field("bucket"), "all"))
            .refuses(five().with(&field("bucketKey"), "bucket")),
        rule("spec.backend.s3", "object storage needs secretRef, accessKeyIdKey")
            .accepts(named.clone())
            .accepts(lacking("bucketKey").with(&field("bucket"), "orders"))
            .accepts(lacking("endpointKey").with(&field("endpoint"), "https://s3.example.com"))
            .accepts(aws().with(&field("region"), "eu-central-1"))
            .accepts(lacking("bucketKey").with(&field("configMapRef"), "claim"))
            .accepts(s3(json!({"enabled": true, "autoDetectOBC": true, "secretRef": "claim"})))
            .accepts(s3(json!({"enabled": false})))
            .refuses(s3(json!({"enabled": true})))
            .refuses(s3(json!({"enabled": true, "autoDetectOBC": false})))
            .refuses(s3(json!({"enabled": true, "autoDetectOBC": true})))
            .refuses(lacking("secretRef"))
            .refuses(lacking("endpointKey"))
            .refuses(lacking("accessKeyIdKey"))
            .refuses(lacking("secretAccessKeyKey"))
            .refuses(lacking("bucketKey")),
        rule("spec.backend.s3", "where files are kept is pinned in the data")
            .after(filed.clone())
            .accepts(filed.clone().with("backend.s3.region", "eu-central-1"))
            .refuses(filed.with("backend.s3", named.spec()["backend"]["s3"].clone())),
    ];
    rules.into_iter().chain(purposes).chain([bucket]).collect()
}
