//! What somebody adds to a child to have other data opened, another program run or traffic led elsewhere does not last.

use anyhow::{Result, ensure};
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{ConfigMap, Service},
};
use kube::ResourceExt;
use on_cluster::{
    Instance, Stage, State, played,
    stage::{Object, PATIENCE, small},
};
use serde_json::{Value, json};

/// Of two variables of one name the last one counts; of two mounts the deeper one.
#[tokio::test]
async fn what_is_added_to_the_backends_containers_is_taken_away() -> Result<()> {
    played("container", async |stage| {
        stage.ready(&small("dev")).await?;
        let pod = "/spec/template/spec";
        let (container, gate) = (format!("{pod}/containers/0"), format!("{pod}/initContainers/0"));
        let variable = |name: &str, value: &str| json!({"name": name, "value": value});
        for (path, value) in [
            (format!("{container}/args"), json!(["--help"])),
            (format!("{container}/envFrom"), json!([{"configMapRef": {"name": "theirs"}}])),
            (format!("{container}/env/0"), variable("POSTGRES_URL", "postgres://u:p@nowhere:5432")),
            (format!("{container}/env/-"), variable("DATA_DIR", "/tmp/elsewhere")),
            (format!("{container}/volumeMounts/0/subPath"), json!("elsewhere")),
            (format!("{container}/volumeMounts/0/readOnly"), json!(true)),
            (
                format!("{container}/volumeMounts/-"),
                json!({"name": "tmp", "mountPath": "/convex/data/storage"}),
            ),
            (format!("{gate}/env/-"), variable("POD_NAME", "dev-backend-0")),
            (format!("{gate}/restartPolicy"), json!("Always")),
            ("/spec/ordinals".to_owned(), json!({"start": 1})),
            ("/spec/minReadySeconds".to_owned(), json!(600)),
        ] {
            let before = spec(stage).await?;
            let add = json!([{"op": "add", "path": path, "value": value}]);
            stage.edit::<StatefulSet>("dev-backend", add).await?;
            stage
                .until(&format!("end of {path}"), PATIENCE, || async {
                    Ok((spec(stage).await? == before).then_some(()))
                })
                .await?;
        }
        let manual =
            json!({"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}}});
        stage.merge::<StatefulSet>("dev-backend", manual).await?;
        let path = "/spec/updateStrategy/type";
        returns::<StatefulSet>(stage, "dev-backend", path, &json!("RollingUpdate")).await?;
        stage.settled("dev").await?;
        stage.marker("dev").await?;
        Ok(())
    })
    .await
}

async fn spec(stage: &Stage) -> Result<Value> {
    value_of::<StatefulSet>(stage, "dev-backend", "/spec").await
}

#[tokio::test]
async fn a_service_that_is_led_to_another_name_leads_to_the_backend_again() -> Result<()> {
    played("detour", async |stage| {
        stage.ready(&Instance::dev("dev")).await?;
        for name in ["dev-backend", "dev-dashboard"] {
            let detour = json!({"spec": {"type": "ExternalName", "externalName": "example.org",
                "clusterIP": null, "clusterIPs": null}});
            stage.merge::<Service>(name, detour).await?;
            returns::<Service>(stage, name, "/spec/type", &json!("ClusterIP")).await?;
            let spec = value_of::<Service>(stage, name, "/spec").await?;
            ensure!(spec["externalName"].is_null(), "{spec}");
            ensure!(spec["clusterIP"].is_string(), "{spec}");
        }
        Ok(())
    })
    .await
}

/// Nothing can be changed in it any more, and no version would ever be let at the store again.
#[tokio::test]
async fn a_sealed_record_is_made_anew_once_another_version_is_wanted() -> Result<()> {
    played("sealed", async |stage| {
        stage.ready(&small("dev")).await?;
        let before = stage.get::<ConfigMap>("dev-gate").await?.uid();
        stage.merge::<ConfigMap>("dev-gate", json!({"immutable": true})).await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        stage
            .until("a new record", PATIENCE, || async {
                let now = stage.all::<ConfigMap>().get_opt("dev-gate").await?;
                Ok(now.filter(|it| it.uid() != before && it.immutable != Some(true)))
            })
            .await?;
        let upgraded = |state: &State| state.running == "v2" && state.is_settled();
        stage.follow("dev").await?.until("v2", PATIENCE, upgraded).await?;
        ensure!(stage.marker("dev").await?.starts == 2);
        Ok(())
    })
    .await
}

async fn value_of<K: Object>(stage: &Stage, name: &str, path: &str) -> Result<Value> {
    let object = serde_json::to_value(stage.get::<K>(name).await?)?;
    Ok(object.pointer(path).cloned().unwrap_or_default())
}

async fn returns<K: Object>(stage: &Stage, name: &str, path: &str, wanted: &Value) -> Result<()> {
    stage
        .until(&format!("{name} with its own {path}"), PATIENCE, || async {
            Ok((value_of::<K>(stage, name, path).await? == *wanted).then_some(()))
        })
        .await
}
