mod bucket;

use std::sync::Arc;

use serde_json::{Value, json};
use statemachine::pins::Revision;

use super::*;
use crate::{
    api::ConvexInstance,
    fixtures::{instance, instance_with, keys},
    observe::Sources,
    plan::exports::{Exports, Place},
};

fn of() -> Snapshot {
    Snapshot { of: Revision("71".to_owned()), attempt: 2 }
}

fn built_for(instance: &ConvexInstance, build: impl Fn(&Inputs<'_>) -> Job) -> Value {
    let keys = keys();
    let mut copy = crate::fixtures::claim("dev-copy-71-2");
    copy.metadata.uid = Some("uid-of-copy".to_owned());
    let claims = [(Store::Copied(of()), Arc::new(copy))];
    let inputs = Inputs {
        instance,
        names: crate::plan::names::Names::of("dev"),
        keys: &keys,
        outside: &crate::plan::outside::Settings::new(),
        store: Store::Original,
        release: Release { version: "v1".to_owned(), ..Release::default() },
        dashboard_repository: "example.com/dashboard",
        worker_image: "example.com/operator:v0",
        operator_namespace: "convex-system",
        sources: &Sources::default(),
        fence: "5",
        claims: &claims,
        schemes: crate::plan::host::Schemes::default(),
        restarted: None,
    };
    serde_json::to_value(build(&inputs)).unwrap()
}

fn carried() -> Carried<'static> {
    static OF: std::sync::LazyLock<Snapshot> = std::sync::LazyLock::new(of);
    Carried { attempt: &OF, number: 3, backend: "10.0.0.7:3210".parse().unwrap(), seconds: 3600 }
}

fn every_job() -> [Value; 4] {
    jobs_of(&instance())
}

fn jobs_of(instance: &ConvexInstance) -> [Value; 4] {
    let target = Release { image: "example.com/backend:v2".to_owned(), ..Release::default() };
    let copied = Store::Copied(of());
    let mut claim = crate::fixtures::claim("dev-snapshots");
    claim.metadata.uid = Some("uid-7".to_owned());
    let onto = Exports::on(Some(Arc::new(claim)));
    [
        built_for(instance, |inputs| proof(inputs, &of(), 1, (&target, Some(&Place::Claim)))),
        built_for(instance, |inputs| copy(inputs, &of(), 1, (&Store::Original, &copied))),
        built_for(instance, |inputs| {
            export(inputs, carried(), "v1", true, &["70-1".to_owned()], (&onto, &Place::Claim))
        }),
        built_for(instance, |inputs| import(inputs, carried(), (&of(), &Place::Claim), true)),
    ]
}

fn pod(job: &Value) -> &Value {
    &job["spec"]["template"]["spec"]
}

#[test]
fn a_job_is_named_by_its_attempt_and_says_so() {
    let names = ["dev-proof-71-2", "dev-copy-71-2", "dev-export-71-2-3", "dev-import-71-2-3"];
    for ((job, name), number) in every_job().iter().zip(names).zip(["1", "1", "3", "3"]) {
        assert_eq!(job["metadata"]["name"], name);
        assert_eq!(job["metadata"]["annotations"][labels::ATTEMPT], "71-2");
        assert_eq!(job["spec"]["template"]["metadata"]["annotations"][labels::ATTEMPT], "71-2");
        assert_eq!(job["metadata"]["annotations"][labels::TRY], number);
        assert_eq!(job["spec"]["template"]["metadata"]["annotations"][labels::TRY], number);
    }
}

/// A stage lasts a week at most, and who deploys code on a fresh store may take longer.
#[test]
fn a_job_stays_longer_than_what_waits_for_its_outcome() {
    let days =
        every_job().map(|job| job["spec"]["ttlSecondsAfterFinished"].as_i64().unwrap() / 86_400);
    assert_eq!(days, [8, 8, 8, 90]);
}

/// A restricted Pod Security Standard, no token, and no second pod beside one that may still write.
#[test]
fn no_job_has_a_token_a_shell_of_ours_or_more_rights_than_the_backend() {
    for job in every_job() {
        let pod = pod(&job);
        assert_eq!(pod["automountServiceAccountToken"], false);
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["restartPolicy"], "Never");
        assert_eq!(job["spec"]["podReplacementPolicy"], "Failed");
        assert_eq!(job["spec"]["backoffLimit"], 0, "the operator starts the next one");
        let inits = pod["initContainers"].as_array().cloned().unwrap_or_default();
        for container in inits.iter().chain(pod["containers"].as_array().unwrap()) {
            assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false);
            assert!(container["name"] == "proof" || container["command"].is_null(), "{container}");
        }
    }
}

#[test]
fn the_admin_key_comes_from_its_secret_and_is_in_no_argument() {
    let [_, _, export, import] = every_job();
    for job in [export, import] {
        let env = pod(&job)["containers"][0]["env"].as_array().unwrap().clone();
        let key = env.iter().find(|it| it["name"] == "CONVEX_SELF_HOSTED_ADMIN_KEY").unwrap();
        assert_eq!(key["valueFrom"]["secretKeyRef"]["name"], "dev-admin");
        assert!(!job.to_string().contains(keys().admin.expose()));
    }
}

#[test]
fn a_copy_reads_one_claim_writes_the_other_and_asks_for_its_permit_once_more_at_the_end() {
    let [_, copy, ..] = every_job();
    let pod = pod(&copy);
    assert_eq!(pod["initContainers"][0]["volumeMounts"][0]["readOnly"], true);
    assert_eq!(pod["containers"][0]["args"][0], "permitted");
    let claims = [&pod["volumes"][0], &pod["volumes"][1]];
    let claims = claims.map(|it| it["persistentVolumeClaim"]["claimName"].clone());
    assert_eq!(claims, [json!("dev-data"), json!("dev-copy-71-2")]);
}

#[test]
fn a_job_that_fills_a_claim_says_which_one() {
    let told = every_job().map(|job| job["metadata"]["annotations"][labels::CLAIM_UID].clone());
    assert_eq!(told, [Value::Null, json!("uid-of-copy"), json!("uid-7"), Value::Null]);
}

#[test]
fn an_export_says_what_stays_beside_it() {
    let [_, _, export, _] = every_job();
    let args = pod(&export)["containers"][0]["args"].to_string();
    for word in ["\"--held\"", "\"--retain\",\"3\"", "\"--keep\",\"70-1\"", "\"snapshots/71-2\""] {
        assert!(args.contains(word), "{args}");
    }
}

/// What it pulls, mounts and proves is where the backend may run; and nothing of what only the backend is for.
#[test]
fn every_job_runs_where_the_backend_may_and_proves_the_image_as_its_account() {
    let nodes = json!({"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms":
        [{"matchExpressions": [{"key": "disk", "operator": "Exists"}]}]}});
    let avoided = json!([{"topologyKey": "kubernetes.io/hostname",
        "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "convex"}}}]);
    let settled = instance_with(|spec| {
        spec["backend"]["pod"] = json!({
            "imagePullSecrets": [{"name": "mirror"}], "nodeSelector": {"pool": "data"},
            "tolerations": [{"key": "dedicated", "operator": "Exists"}],
            "affinity": {"nodeAffinity": nodes, "podAntiAffinity":
                {"requiredDuringSchedulingIgnoredDuringExecution": avoided}},
            "priorityClassName": "important", "serviceAccount": {"name": "puller"},
            "volumes": [{"name": "extra", "emptyDir": {}}],
            "volumeMounts": [{"name": "extra", "mountPath": "/extra"}],
        });
    });
    let jobs = jobs_of(&settled);
    for job in &jobs {
        let pod = pod(job);
        assert_eq!(pod["imagePullSecrets"], json!([{"name": "mirror"}]));
        assert_eq!(pod["nodeSelector"], json!({"pool": "data"}));
        assert_eq!(pod["tolerations"], json!([{"key": "dedicated", "operator": "Exists"}]));
        assert_eq!(pod["priorityClassName"], "important");
        assert_eq!(pod["affinity"]["nodeAffinity"], nodes);
        assert_eq!(pod["affinity"]["podAntiAffinity"], Value::Null);
        assert_eq!(pod["automountServiceAccountToken"], false);
        assert!(!pod.to_string().contains("/extra"), "{pod}");
    }
    let [proof, workers @ ..] = &jobs;
    assert_eq!(pod(proof)["serviceAccountName"], "puller");
    assert!(pod(proof)["affinity"]["podAffinity"].is_object());
    assert!(workers.iter().all(|it| pod(it)["serviceAccountName"].is_null()));
}
