//! What somebody adds to a child to have other data opened, another program run or traffic led elsewhere does not last.

use anyhow::{Result, ensure};
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{ConfigMap, Pod, Service},
};
use kube::ResourceExt;
use on_cluster::{
    Instance, Stage, played,
    stage::{Object, PATIENCE, small},
};
use serde_json::{Value, json};

/// The stand-in, as the image, opens another store where there is another URL.
#[tokio::test]
async fn a_variable_that_is_added_to_the_config_map_does_not_reach_the_backend() -> Result<()> {
    played("variable", async |stage| {
        stage.ready(&small("dev")).await?;
        let added = json!({"data": {"POSTGRES_URL": "postgres://u:p@elsewhere:5432"}});
        stage.merge::<ConfigMap>("dev-backend", added).await?;
        let before = stage.pod("dev").await?.uid();
        stage.remove::<Pod>("dev-backend-0").await?;
        stage.pod_when("dev", |pod| pod.uid() != before).await?;
        stage.settled("dev").await?;
        ensure!(stage.marker("dev").await?.starts == 2, "the data is not the same");
        Ok(())
    })
    .await
}

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

/// Nothing can be changed in it any more, and no setting would ever reach the backend again.
#[tokio::test]
async fn a_sealed_config_map_is_made_anew_once_a_setting_changes() -> Result<()> {
    played("sealed", async |stage| {
        stage.ready(&small("dev")).await?;
        let before = stage.get::<ConfigMap>("dev-backend").await?.uid();
        stage.merge::<ConfigMap>("dev-backend", json!({"immutable": true})).await?;
        stage.patch("dev", json!({"backend": {"logging": {"redactLogsToClient": true}}})).await?;
        stage
            .until("new ConfigMap", PATIENCE, || async {
                let now = stage.all::<ConfigMap>().get_opt("dev-backend").await?;
                Ok(now.filter(|it| it.uid() != before && it.immutable != Some(true)))
            })
            .await?;
        stage.settled("dev").await?;
        let now = stage.get::<ConfigMap>("dev-backend").await?;
        ensure!(now.data.unwrap_or_default().contains_key("REDACT_LOGS_TO_CLIENT"));
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
