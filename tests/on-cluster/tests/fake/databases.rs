//! Upgrades of an instance whose documents are in a real PostgreSQL server: into a database of its own, and back.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use on_cluster::{
    Beside, Instance, Stage, played,
    stage::upgrades::{UPGRADE, steering, ways},
};
use serde_json::{Value, json};

const SAMPLE: &str = include_str!("../../../../docs/samples/prod.yaml");
const NAME: &str = "orders";
const NEWER: &str = "00bd9272a1b2c3d4e5f60718293a4b5c6d7e8f90";

/// The sample without hosts, whose user makes databases.
fn orders(maintenance: Value) -> Result<Instance> {
    let sample = Instance::from_yaml(SAMPLE)?.without("networking");
    Ok(sample.with("backend.db.createDatabase", "IfMissing").with("maintenance", maintenance))
}

/// The servers, where the instance's user makes databases, and the instance on them.
async fn settled(stage: &Stage, instance: &Instance) -> Result<Beside> {
    let beside = Beside::start(stage.cluster.description()).await?;
    beside.hand_over(&stage.kubectl, stage.namespace()).await?;
    beside.postgres.sql("postgres", "ALTER ROLE orders CREATEDB")?;
    stage.ready(instance).await?;
    Ok(beside)
}

/// The database that the status names, and that of every store that was left.
async fn databases(stage: &Stage) -> Result<(String, Vec<String>)> {
    let status = stage.status(NAME).await?;
    let used = status.instance_name.context("a name")?.replace('-', "_");
    Ok((used, status.stores.into_iter().filter_map(|it| it.database).collect()))
}

/// That the old version serves is told a moment before its users are let in.
async fn let_in(stage: &Stage) -> Result<()> {
    let resumed = || async { Ok((!stage.door(NAME).await?.is_paused().await?).then_some(())) };
    stage.until("users who are let in", UPGRADE, resumed).await
}

/// The export of the upgrade is in the bucket, whole, and nothing of the instance is on a volume.
async fn is_on_no_volume(stage: &Stage, beside: &Beside) -> Result<()> {
    ensure!(stage.claims().await?.is_empty(), "{:?}", stage.claims().await?);
    let kept = stage.status(NAME).await?.snapshots;
    let [export] = &kept[..] else { anyhow::bail!("one export: {kept:?}") };
    let prefix = export.prefix.as_ref().context("a prefix")?;
    let (keys, bucket) = (beside.keys()?, export.bucket.as_ref().context("a bucket")?);
    for name in ["snapshot.zip", "published.json", "manifest.json", "variables.json"] {
        ensure!(keys.contains(&format!("{prefix}/{name}")), "{name} below {prefix}: {keys:?}");
    }
    ensure!(export.location == format!("bucket {bucket}, {prefix}/"), "{export:?}");
    Ok(())
}

/// Everything that a database holds, in a few characters.
fn digest(beside: &Beside, database: &str) -> Result<String> {
    let all = "SELECT count(*), md5(string_agg(d::text, '' ORDER BY d::text)) FROM documents d";
    beside.postgres.sql(database, all)
}

#[tokio::test]
async fn a_fresh_store_is_a_new_database_that_whoever_makes_the_instance_anew_finds() -> Result<()>
{
    played("fresh-database", async |stage| {
        let beside = settled(stage, &orders(ways::fresh_store())?).await?;
        let data = stage.fill(NAME).await?;
        let key = stage.admin_key(NAME).await?;
        ensure!(databases(stage).await? == (NAME.to_owned(), vec![]));
        stage.patch(NAME, json!({ "version": NEWER })).await?;
        stage.lacks_functions(NAME).await?;
        stage.deploy(NAME).await?;
        stage.runs(NAME, NEWER).await?;
        stage.has_all(NAME, &data).await?;
        is_on_no_volume(stage, &beside).await?;

        let (used, left) = databases(stage).await?;
        ensure!(used.starts_with("orders_") && left == [NAME], "{used} {left:?}");
        ensure!(
            stage.admin_key(NAME).await? != key,
            "the key is that of the database that was left"
        );
        let before = digest(&beside, NAME)?;
        stage.marker(NAME).await?;
        ensure!(digest(&beside, NAME)? == before, "the database that was left is written to");

        // Under Retain the next instance of the name goes on with what the last one had.
        stage.deleted(NAME).await?;
        let again = orders(ways::fresh_store())?.with("version", NEWER);
        stage.ready(&again.with("backend.instance.secretRef", "orders-instance")).await?;
        stage.has_all(NAME, &data).await?;
        ensure!(databases(stage).await?.0 == used);
        ensure!(digest(&beside, NAME)? == before, "the database that was left was opened");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_target_that_crashes_on_a_new_database_is_left_for_the_old_one() -> Result<()> {
    played("fresh-crashing", async |stage| {
        let mut asked = ways::fresh_store();
        asked["onFailure"] = json!("Rollback");
        asked["rolloutDeadlineSeconds"] = json!(15);
        let crashes = steering(&[("CRASH", NEWER)]);
        let beside = settled(stage, &orders(asked)?.with("backend.env", crashes)).await?;
        let data = stage.fill(NAME).await?;
        stage.patch(NAME, json!({ "version": NEWER })).await?;
        stage.stands(NAME, "Ready", "ReleaseRefused").await?;
        let_in(stage).await?;
        stage.has_all(NAME, &data).await?;
        let (used, left) = databases(stage).await?;
        ensure!(used == NAME && left.len() == 1, "{used} {left:?}");
        let made = "SELECT count(*) FROM pg_database WHERE datname LIKE 'orders\\_%'";
        ensure!(beside.postgres.sql("postgres", made)? == "1", "it is there for whoever drops it");
        Ok(())
    })
    .await
}

/// Nobody has the database open any more.
async fn gone(stage: &Stage) -> Result<()> {
    let over = || async {
        let pod = stage.all::<Pod>().get_opt(&format!("{NAME}-backend-0")).await?;
        Ok(pod.is_none().then_some(()))
    };
    stage.until("a backend that is gone", UPGRADE, over).await
}

/// Restored too late, or another server: it would be served as if there had never been any data.
#[tokio::test]
async fn an_empty_database_is_not_served_in_the_place_of_the_one_that_users_were_let_in_to()
-> Result<()> {
    played("emptied", async |stage| {
        let beside = settled(stage, &Instance::from_yaml(SAMPLE)?.without("networking")).await?;
        let data = stage.fill(NAME).await?;
        stage.patch(NAME, json!({ "suspend": true })).await?;
        stage.because(NAME, "Suspended").await?;
        gone(stage).await?;
        let kept = digest(&beside, NAME)?;
        beside.postgres.sql("postgres", "ALTER DATABASE orders RENAME TO kept")?;
        beside.postgres.sql("postgres", "CREATE DATABASE orders OWNER orders")?;
        stage.patch(NAME, json!({ "suspend": false })).await?;
        let state = stage.because(NAME, "DatabaseEmpty").await?;
        ensure!(state.message.contains("restore it from a backup"), "{state}");
        let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
        ensure!(beside.postgres.sql(NAME, tables)? == "0", "nothing was begun there");
        beside.postgres.sql("postgres", "DROP DATABASE orders WITH (FORCE)")?;
        beside.postgres.sql("postgres", "ALTER DATABASE kept RENAME TO orders")?;
        stage.because(NAME, "Serving").await?;
        stage.has_all(NAME, &data).await?;
        ensure!(digest(&beside, NAME)? == kept, "it is the same");
        Ok(())
    })
    .await
}

/// What the target has migrated is not opened by the old version: the export goes into a new database.
#[tokio::test]
async fn an_upgrade_in_place_that_fails_goes_back_to_its_export_in_a_new_database() -> Result<()> {
    played("re-imported", async |stage| {
        let asked = json!({"onFailure": "Rollback", "rolloutDeadlineSeconds": 15,
            "exportImport": {"waitForFunctions": false}});
        let crashes = steering(&[("CRASH", NEWER)]);
        let beside = settled(stage, &orders(asked)?.with("backend.env", crashes)).await?;
        let data = stage.fill(NAME).await?;
        stage.patch(NAME, json!({ "version": NEWER })).await?;
        stage.stands(NAME, "Ready", "ReleaseRefused").await?;
        let_in(stage).await?;
        let (used, left) = databases(stage).await?;
        ensure!(used.starts_with("orders_") && left == [NAME], "{used} {left:?}");
        stage.has_data(NAME, &data).await?;
        is_on_no_volume(stage, &beside).await?;
        stage.deploy(NAME).await?;
        stage.has_all(NAME, &data).await
    })
    .await
}

/// Nothing can be told of that before an attempt is made: it is told while users are held, and one edit goes back.
#[tokio::test]
async fn a_user_who_may_make_no_database_is_told_what_to_run_and_the_old_one_is_one_edit_away()
-> Result<()> {
    played("fresh-denied", async |stage| {
        let mut asked = ways::fresh_store();
        asked["exportImport"]["waitForFunctions"] = json!(false);
        let beside = settled(stage, &orders(asked)?).await?;
        beside.postgres.sql("postgres", "ALTER ROLE orders NOCREATEDB")?;
        let data = stage.fill(NAME).await?;
        stage.patch(NAME, json!({ "version": NEWER })).await?;
        let state = stage.because(NAME, "DatabaseMissing").await?;
        ensure!(state.message.contains("CREATE DATABASE \"orders_"), "{state}");
        beside.postgres.sql("postgres", "ALTER ROLE orders CREATEDB")?;
        stage.runs(NAME, NEWER).await?;
        stage.has_data(NAME, &data).await
    })
    .await
}
