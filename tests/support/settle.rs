//! What the rest of a cluster does: defaults, and the controllers of Kubernetes once they are through.

use serde_json::{Map, Value, json};

use super::api_server::ApiServer;

/// Writes values as the API server hands them back: defaults filled in, quantities in their shortest
/// form, and no empty strings where the field is left out when it is empty.
pub fn canonical(object: &mut Value) {
    match object["kind"].as_str() {
        Some("StatefulSet" | "Deployment") => {
            default(&mut object["spec"], &[("progressDeadlineSeconds", json!(600))]);
            pod(&mut object["spec"]["template"]["spec"]);
        }
        Some("Service") => default(
            &mut object["spec"],
            &[("sessionAffinity", json!("None")), ("clusterIP", json!("10.0.0.7"))],
        ),
        Some("PersistentVolumeClaim") => default(
            &mut object["spec"],
            &[("storageClassName", json!("standard")), ("volumeMode", json!("Filesystem"))],
        ),
        _ => {}
    }
}

/// The older of the two names is another word for the newer one, which counts where they differ.
fn account(spec: &mut Value) {
    let (newer, older) = (spec["serviceAccountName"].clone(), spec["serviceAccount"].clone());
    let account = if newer.is_null() { older } else { newer };
    if !account.is_null() {
        spec["serviceAccountName"] = account.clone();
        spec["serviceAccount"] = account;
    }
}

fn pod(spec: &mut Value) {
    account(spec);
    default(spec, &[("restartPolicy", json!("Always")), ("dnsPolicy", json!("ClusterFirst"))]);
    for list in ["containers", "initContainers"] {
        for container in spec[list].as_array_mut().into_iter().flatten() {
            default(container, &[("terminationMessagePath", json!("/dev/termination-log"))]);
            for variable in container["env"].as_array_mut().into_iter().flatten() {
                if variable["value"] == "" {
                    variable.as_object_mut().unwrap().remove("value");
                }
            }
            for of in ["requests", "limits"] {
                let amounts = container["resources"][of].as_object_mut();
                amounts.into_iter().flatten().for_each(|(_, it)| shortest(it));
            }
            if container["resources"].as_object().is_some_and(Map::is_empty) {
                container.as_object_mut().unwrap().remove("resources");
            }
        }
    }
}

fn shortest(quantity: &mut Value) {
    if *quantity == "1024Mi" {
        *quantity = json!("1Gi");
    }
}

fn default(object: &mut Value, defaults: &[(&str, Value)]) {
    for (field, value) in defaults {
        if object[*field].is_null() {
            object[*field] = value.clone();
        }
    }
}

/// What a worker reports that came to its end.
fn report(errand: &str, id: &str) -> Value {
    match errand {
        "copy" => {
            json!({"result": "copied", "id": id, "entries": 3, "bytes": 90, "sha256": "c0ffee00"})
        }
        "export" => json!({"result": "exported", "id": id, "bytes": 90, "sha256": "c0ffee00",
            "tables": 2, "documents": 5, "files": 1, "version": "v1", "time": "2026-01-02T03:04:05Z",
            "kept": [id]}),
        _ => {
            json!({"result": "imported", "id": id, "snapshot": id, "documents": 5, "variables": 0})
        }
    }
}

/// What a node calls an image: here each tag is an image of its own, whose digest begins like the tag.
fn image_id(image: &Value) -> String {
    let image = image.as_str().unwrap();
    let (repository, tag) = image.rsplit_once(':').unwrap();
    format!("{repository}@sha256:{tag}00")
}

/// Lets a Job come to its end: well and with a report, where it is not told otherwise.
fn job_of(server: &ApiServer, mut job: Value) {
    let marks = &job["metadata"]["annotations"];
    let errand = marks["convex.icod.de/errand"].as_str().unwrap().to_owned();
    let words = report(&errand, marks["convex.icod.de/attempt"].as_str().unwrap()).to_string();
    let container = if errand == "copy" { "permitted" } else { &errand };
    let image = image_id(&job["spec"]["template"]["spec"]["containers"][0]["image"]);
    let mut metadata = job["spec"]["template"]["metadata"].clone();
    metadata["name"] = json!(format!("{}-x7", job["metadata"]["name"].as_str().unwrap()));
    metadata["namespace"] = job["metadata"]["namespace"].clone();
    metadata["ownerReferences"] = json!([{"apiVersion": "batch/v1", "kind": "Job", "controller": true,
        "name": job["metadata"]["name"], "uid": job["metadata"]["uid"]}]);
    server.put(
        "pods",
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata,
        "spec": job["spec"]["template"]["spec"],
        "status": {"phase": "Succeeded", "containerStatuses": [{"name": container, "ready": false,
            "image": "", "imageID": image, "restartCount": 0,
            "state": {"terminated": {"exitCode": 0, "message": words}}}]}}),
    );
    job["status"] = json!({"conditions": [{"type": "Complete", "status": "True"}]});
    server.put("jobs", job);
}

/// Lets the controllers of Kubernetes come to their end. Backend pods get this address.
pub fn settle(server: &ApiServer, address: &str) {
    for mut claim in server.all("persistentvolumeclaims") {
        if claim["status"]["phase"].is_null() {
            claim["status"] = json!({"phase": "Bound"});
            server.put("persistentvolumeclaims", claim);
        }
    }
    for job in server.all("jobs") {
        if job["status"]["conditions"].is_null() {
            job_of(server, job);
        }
    }
    for mut set in server.all("deployments") {
        let replicas = set["spec"]["replicas"].clone();
        let status = json!({"observedGeneration": set["metadata"]["generation"],
            "updatedReplicas": replicas, "availableReplicas": replicas});
        if set["status"] != status {
            set["status"] = status;
            server.put("deployments", set);
        }
    }
    let sets = server.all("statefulsets");
    let backends = |it: &Value| it["metadata"]["name"].as_str().unwrap().ends_with("-0");
    for pod in server.all("pods").into_iter().filter(backends) {
        let of = pod["metadata"]["name"].as_str().unwrap().trim_end_matches("-0").to_owned();
        if !sets.iter().any(|it| it["metadata"]["name"] == *of && it["spec"]["replicas"] == 1) {
            server.remove("pods", &format!("{of}-0"));
        }
    }
    for mut set in sets {
        let seen = &set["metadata"]["generation"];
        if set["status"]["observedGeneration"] != *seen {
            set["status"] = json!({"observedGeneration": seen, "replicas": 1});
            server.put("statefulsets", set.clone());
        }
        if set["spec"]["replicas"] == 1 {
            pod_of(server, &set, address);
        }
    }
}

fn pod_of(server: &ApiServer, set: &Value, address: &str) {
    let template = &set["spec"]["template"];
    let name = format!("{}-0", set["metadata"]["name"].as_str().unwrap());
    let there = server.get("pods", &name);
    let said = &template["metadata"]["annotations"];
    if there
        .is_some_and(|it| it["spec"] == template["spec"] && it["metadata"]["annotations"] == *said)
    {
        return;
    }
    server.remove("pods", &name);
    let mut metadata = template["metadata"].clone();
    metadata["name"] = json!(name);
    metadata["namespace"] = set["metadata"]["namespace"].clone();
    let image = &template["spec"]["containers"][0]["image"];
    let run = set["metadata"]["generation"].to_string();
    server.put(
        "pods",
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"],
            "status": {
                "podIP": address,
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{"name": "backend", "ready": true, "image": image,
                    "restartCount": 0, "imageID": image_id(image), "containerID": format!("run://{run}"),
                    "state": {"running": {}}}],
            }}),
    );
}
