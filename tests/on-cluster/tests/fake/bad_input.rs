//! Bad input about databases, object storage, hosts and pods, row by row: what the API server refuses, and what the operator
//! tells of what it cannot refuse. Each row begins with an instance that is in order, and spoils one thing.

use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use on_cluster::{Instance, Stage, played};
use serde_json::{Value, json};

const CANARY: &str = "bad-input-canary-7d1f";

/// What has to become of a row.
enum Verdict {
    /// The API server refuses it with these words.
    Refused(&'static str),
    /// It is taken, and the operator waits with this reason and these words, and makes no backend.
    Told(&'static str, &'static str),
}
use Verdict::{Refused, Told};

type Row = (&'static str, Value, Verdict);

fn long(count: usize) -> String {
    "a".repeat(count)
}

fn variables(count: usize) -> Value {
    (0..count).map(|at| json!({"name": format!("V{at}"), "value": "1"})).collect()
}

fn variable(name: &str) -> Value {
    json!([{"name": name, "value": "1"}])
}

fn volume(source: Value) -> Value {
    let mut volume = source;
    volume["name"] = "extra".into();
    json!([volume])
}

fn database(key: &str, value: Value) -> Value {
    let mut db = json!({"engine": "postgres", "secretRef": "good-database", "urlKey": "uri"});
    db[key] = value;
    db
}

fn storage(key: &str, value: Value) -> Value {
    let mut s3 = json!({"enabled": true, "secretRef": "good-bucket", "endpointKey": "endpoint", "bucketKey": "bucket",
        "accessKeyIdKey": "id", "secretAccessKeyKey": "secret"});
    s3[key] = value;
    s3
}

fn of_the_image() -> Vec<Row> {
    vec![
        ("version", json!("v1; rm -rf /"), Refused("must be an image tag")),
        ("version", json!("$(id)"), Refused("must be an image tag")),
        ("version", json!("a\nb"), Refused("must be an image tag")),
        ("version", json!(long(10_000)), Refused("may not be more than")),
        ("backend.image", json!({"repository": "user:pw@evil/x"}), Refused("must be")),
        ("backend.image", json!({"repository": "evil/x@sha256:short"}), Refused("must be")),
    ]
}

fn of_the_environment() -> Vec<Row> {
    let twice = json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]);
    vec![
        (
            "backend.env",
            variable("INSTANCE_SECRET"),
            Refused("is set by the operator or by the image"),
        ),
        (
            "backend.env",
            variable("POSTGRES_URL"),
            Refused("is set by the operator or by the image"),
        ),
        ("backend.env", variable("LD_PRELOAD"), Refused("is set by the operator or by the image")),
        ("backend.env", variable("PATH"), Refused("is set by the operator or by the image")),
        ("backend.env", variable("A=B"), Refused("must be the name of an environment variable")),
        ("backend.env", twice, Refused("Duplicate value")),
        ("backend.env", variables(5_000), Refused("Too many")),
    ]
}

fn of_pods() -> Vec<Row> {
    let mount = |path: &str| json!([{"name": "extra", "mountPath": "/extra", "subPath": path}]);
    let token = json!({"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}});
    vec![
        ("backend.pod.labels", json!({"a": long(64)}), Refused("")),
        ("backend.pod.annotations", json!({"convex.icod.de/paused": "x"}), Refused("")),
        ("backend.pod.priorityClassName", json!("system-cluster-critical"), Refused("")),
        ("backend.pod.volumes", volume(token), Refused("")),
        ("backend.pod.volumeMounts", mount("../.."), Refused("")),
        ("backend.security", json!({"profile": "Privileged"}), Refused("Unsupported value")),
    ]
}

fn of_servers() -> Vec<Row> {
    vec![
        ("backend.db", database("secretRef", json!("other/db")), Refused("must be the name")),
        ("backend.db", database("secretRef", json!("none")), Told("SecretMissing", "\"none\"")),
        ("backend.db", database("urlKey", json!("url")), Told("SecretKeyMissing", "\"url\"")),
        ("backend.db", database("urlKey", json!("empty")), Told("SecretInvalid", "\"empty\"")),
        ("backend.db", database("urlKey", json!("binary")), Told("SecretInvalid", "\"binary\"")),
        ("backend.db", database("urlKey", json!("large")), Told("SecretInvalid", "\"large\"")),
        ("backend.db", database("urlKey", json!("nobody")), Told("SecretInvalid", "\"nobody\"")),
        ("backend.db", database("urlKey", json!("mysql")), Told("SecretInvalid", "\"mysql\"")),
        ("backend.db", database("caSecretRef", json!("none")), Told("SecretMissing", "\"none\"")),
        (
            "backend.db",
            database("databaseName", json!("another")),
            Told("DatabaseNameMismatch", "\"another\""),
        ),
        ("backend.s3", storage("secretRef", json!("none")), Told("SecretMissing", "\"none\"")),
        ("backend.s3", storage("bucketKey", json!("no")), Told("SecretKeyMissing", "\"no\"")),
        ("backend.s3", storage("endpoint", json!("file:///etc")), Refused("must be http")),
        ("backend.s3", storage("accessKeyIdKey", Value::Null), Refused("")),
    ]
}

fn of_hosts() -> Vec<Row> {
    let host = |host: &str| json!({"host": host, "ingress": {}});
    let refused = || Refused("must be a host name");
    let mut rows: Vec<Row> = ["*", "*.example.com", "API.example.com", "10.0.0.1", "localhost"]
        .into_iter()
        .chain(["kubernetes.default.svc", "cluster.local", "a.example.com/x"])
        .map(|it| ("networking", host(it), refused()))
        .collect();
    rows.push(("networking", host(&format!("{}.example", long(250))), Refused("")));
    let elsewhere = json!({"host": "a.example.com", "parentRefs": [{"name": "a/b"}]});
    rows.push(("networking", elsewhere, Refused("must be the name of an object")));
    rows
}

fn of_volumes() -> Vec<Row> {
    ["0", "-1Gi", "ten"]
        .map(|it| ("backend.storage.pvc.size", json!(it), Refused("must be a quantity")))
        .into()
}

fn rows() -> Vec<Row> {
    let all =
        [of_the_image(), of_the_environment(), of_pods(), of_servers(), of_hosts(), of_volumes()];
    all.into_iter().flatten().collect()
}

#[tokio::test]
async fn every_row_of_bad_input_is_refused_or_told_and_makes_nothing() -> Result<()> {
    played("bad-input", async |stage| {
        secrets(stage).await?;
        let mut wrong = String::new();
        for (at, (path, value, verdict)) in rows().into_iter().enumerate() {
            let name = format!("row-{at}");
            let row = format!("{path}: {}", value.to_string().chars().take(90).collect::<String>());
            let mut instance = Instance::dev(&name).with("dashboard.enabled", false);
            if path == "backend.db" {
                instance = Instance::postgres(&name).with("dashboard.enabled", false);
            }
            let judged = judged(stage, &instance.with(path, value), &verdict).await;
            if let Err(error) = judged {
                writeln!(wrong, "{row}\n    {error:#}")?;
            }
        }
        ensure!(wrong.is_empty(), "\n{wrong}");
        nothing_tells_the_canary(stage).await
    })
    .await
}

async fn judged(stage: &Stage, instance: &Instance, verdict: &Verdict) -> Result<()> {
    match verdict {
        Refused(words) => {
            let refusal = stage.refusal(instance).await?;
            let said = refusal.context("it is taken")?.to_string();
            ensure!(said.contains(words), "it is refused otherwise: {said}");
        }
        Told(reason, words) => {
            stage.create(instance).await?;
            let told = stage.because(instance.name(), reason).await?;
            ensure!(told.phase == "Pending" && told.message.contains(words), "{told}");
            let gate = format!("{}-gate", instance.name());
            let made = stage.all::<ConfigMap>().get_opt(&gate).await?;
            ensure!(made.is_none(), "something was made");
            stage.deleted(instance.name()).await?;
        }
    }
    Ok(())
}

/// What the rows name: one Secret in order with keys that are not, each with the canary where it can have one.
async fn secrets(stage: &Stage) -> Result<()> {
    let good = format!("postgresql://app:{CANARY}@db.example:5432");
    let text = json!({"uri": good, "empty": "", "large": long(100_000),
        "nobody": "postgresql://db.example:5432", "mysql": format!("mysql://app:{CANARY}@db.example")});
    let database = json!({"metadata": {"name": "good-database"}, "stringData": text,
        "data": {"binary": "/////w=="}});
    stage.make::<Secret>(database).await?;
    let text = json!({"endpoint": "http://s3.example:9000", "bucket": "files", "id": "AKIA",
        "secret": CANARY});
    stage.make::<Secret>(json!({"metadata": {"name": "good-bucket"}, "stringData": text})).await?;
    Ok(())
}

/// Not in any status, event or log line.
async fn nothing_tells_the_canary(stage: &Stage) -> Result<()> {
    let told = stage.everything_readable().await?;
    ensure!(!told.contains(CANARY), "the canary was told");
    Ok(())
}
