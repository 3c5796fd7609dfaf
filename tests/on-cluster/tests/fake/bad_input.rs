//! Bad input about names, images, environment, databases, object storage, hosts, volumes and pods, row by row: what the API
//! server refuses, and what the operator tells of what it cannot refuse. Each row begins with an instance that is in order, and
//! spoils one thing.

mod rows;

use std::fmt::Write as _;

use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::api::{
    core::v1::{ConfigMap, Secret},
    networking::v1::Ingress,
};
use kube::api::{Patch, PatchParams};
use on_cluster::{Instance, Refusal, Stage, played, stage::PATIENCE};
use serde_json::{Value, json};

use self::rows::{
    HELD,
    Verdict::{self, Kept, Refused, Taken, Told, Unexposed, Unknown},
};

const CANARY: &str = "bad-input-canary-7d1f";

#[tokio::test]
async fn every_row_of_bad_input_is_refused_or_told_and_makes_nothing() -> Result<()> {
    played("bad-input", async |stage| {
        secrets(stage).await?;
        let held = json!({"host": HELD, "ingress": {}});
        stage.create(&sound("holder", "networking").with("networking", held)).await?;
        stage
            .until("an Ingress of the holder", PATIENCE, || async {
                stage.all::<Ingress>().get_opt("holder-public").await.context("an Ingress")
            })
            .await?;
        let mut wrong = String::new();
        for (at, row) in rows::all().into_iter().enumerate() {
            let sound = sound(&format!("row-{at}"), row.0);
            let (path, value, verdict) = row;
            let instance = spoilt(sound.clone(), path, &value);
            let row = format!("{path}: {}", value.to_string().chars().take(90).collect::<String>());
            if let Err(error) = judged(stage, (&sound, &instance), &verdict).await {
                writeln!(wrong, "{row}\n    {error:#}")?;
            }
        }
        ensure!(wrong.is_empty(), "\n{wrong}");
        nothing_tells_the_canary(stage).await
    })
    .await
}

fn sound(name: &str, path: &str) -> Instance {
    let on_servers = path == "backend.db";
    let instance = if on_servers { Instance::postgres(name) } else { Instance::dev(name) };
    instance.with("dashboard.enabled", false)
}

fn spoilt(sound: Instance, path: &str, value: &Value) -> Instance {
    match (path, value.as_str()) {
        ("metadata.name", Some(name)) => sound.named(name),
        _ => sound.with(path, value.clone()),
    }
}

async fn judged(
    stage: &Stage,
    (sound, instance): (&Instance, &Instance),
    verdict: &Verdict,
) -> Result<()> {
    match verdict {
        Refused(words) => {
            let refusal = stage.ground.refusal(instance).await?.context("it is taken")?;
            ensure!(is_for(&refusal, words), "it is refused otherwise: {refusal}");
        }
        Kept(words) => {
            stage.create(sound).await?;
            let refusal = stage.ground.refusal_to_become(instance).await?;
            let refusal = refusal.context("it is taken")?;
            ensure!(is_for(&refusal, words), "it is refused otherwise: {refusal}");
            stage.deleted(sound.name()).await?;
        }
        Unknown(field) => {
            let said = strictly(stage, instance).await?;
            let unknown = format!(".spec.{field}: field not declared in schema");
            ensure!(said.contains(&unknown), "it is refused otherwise: {said}");
        }
        Told(reason, words) => {
            stage.create(instance).await?;
            let told = stage.because(instance.name(), reason).await?;
            ensure!(told.phase == "Pending" && told.message.contains(words), "{told}");
            ensure!(gate(stage, instance).await?.is_none(), "something was made");
            stage.deleted(instance.name()).await?;
        }
        Unexposed(reason, words) => {
            stage.create(instance).await?;
            let told = stage.condition_when(instance.name(), "Exposed", reason).await?;
            ensure!(told.message.contains(words), "{told:?}");
            stage.until("a gate", PATIENCE, async || gate(stage, instance).await).await?;
            stage.deleted(instance.name()).await?;
        }
        Taken => {
            stage.create(instance).await?;
            stage.until("a gate", PATIENCE, async || gate(stage, instance).await).await?;
            stage.deleted(instance.name()).await?;
        }
    }
    Ok(())
}

/// One thing was spoilt, so that one thing is said; besides that some rules were left out for it, which is about no field.
fn is_for(refusal: &Refusal, words: &str) -> bool {
    let says = |message: &str| !words.is_empty() && message.contains(words);
    let left_out = |message: &str| message.contains("rules were not checked");
    let causes = &refusal.causes;
    causes.iter().any(|it| says(&it.message))
        && causes.iter().all(|it| says(&it.message) || left_out(&it.message))
}

async fn gate(stage: &Stage, instance: &Instance) -> Result<Option<ConfigMap>> {
    Ok(stage.all::<ConfigMap>().get_opt(&format!("{}-gate", instance.name())).await?)
}

/// What a client is told that does not let unknown fields go, as kubectl does not.
async fn strictly(stage: &Stage, instance: &Instance) -> Result<String> {
    let strict = PatchParams::apply("on-cluster").validation_strict();
    let strict = PatchParams { dry_run: true, ..strict };
    let patch = Patch::Apply(instance.manifest());
    match stage.instances().patch(instance.name(), &strict, &patch).await {
        Ok(_) => bail!("it is taken"),
        Err(error) => Ok(error.to_string()),
    }
}

/// What the rows name: one Secret in order with keys that are not, each with the canary where it can have one.
async fn secrets(stage: &Stage) -> Result<()> {
    let good = format!("postgresql://app:{CANARY}@db.example:5432");
    let text = json!({"uri": good, "newline": format!("{good}\n"), "empty": "", "large": "a".repeat(1_000_000),
        "nobody": "postgresql://db.example:5432", "mysql": format!("mysql://app:{CANARY}@db.example")});
    let database = json!({"metadata": {"name": "good-database"}, "stringData": text,
        "data": {"binary": "/////w=="}});
    stage.make::<Secret>(database).await?;
    let text = json!({"endpoint": "http://s3.example:9000", "bucket": "files", "id": "AKIA",
        "secret": CANARY, "empty": "", "file": format!("file:///etc/{CANARY}"),
        "user": format!("http://app:{CANARY}@s3.example"), "path": format!("http://s3.example/{CANARY}"),
        "metadata": "http://169.254.169.254/", "number": "http://2852039166", "local": "http://[fe80::1]:9000"});
    stage.make::<Secret>(json!({"metadata": {"name": "good-bucket"}, "stringData": text})).await?;
    Ok(())
}

/// Not in any status, event or log line.
async fn nothing_tells_the_canary(stage: &Stage) -> Result<()> {
    let told = stage.everything_readable().await?;
    ensure!(!told.contains(CANARY), "the canary was told");
    Ok(())
}
