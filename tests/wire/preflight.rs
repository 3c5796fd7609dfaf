//! What the gate of a backend's pod finds of its servers reaches the status, and costs no write at rest.

use serde_json::{Value, json};

use super::servers::{ready, served};
use crate::support::rig::Rig;

/// The gate of the pod ended with this verdict; the backend serves where it found nothing amiss.
fn gate_says(rig: &Rig, verdict: &str, well: bool) {
    rig.server.edit("pods", "dev-backend-0", |pod| {
        let ended = json!({"terminated": {"exitCode": i32::from(!well), "message": verdict,
            "finishedAt": "2026-01-02T03:04:05Z"}});
        let gate = json!({"name": "gate", "image": "", "imageID": "", "ready": well,
            "restartCount": 1, "state": ended});
        let status = &mut pod["status"];
        status["initContainerStatuses"] = json!([gate]);
        status["containerStatuses"][0]["ready"] = json!(well);
        let word = if well { "True" } else { "False" };
        status["conditions"] = json!([{"type": "Ready", "status": word}]);
    });
}

fn of(dependencies: &Value) -> String {
    json!({"preflight": "v1", "dependencies": dependencies}).to_string()
}

fn dependency(rig: &Rig) -> Value {
    rig.status("dev")["dependencies"][0].clone()
}

#[tokio::test]
async fn a_cause_is_told_with_what_to_do_and_goes_once_it_is_gone() {
    let rig = ready(served("dev")).await;
    let failure = json!({"reason": "DatabaseLoginFailed", "code": "28P01"});
    gate_says(&rig, &of(&json!([{"name": "database", "failure": failure}])), false);
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "DatabaseConnected"), "False/DatabaseLoginFailed");
    assert_eq!(rig.condition("dev", "BackendReady"), "False/DatabaseLoginFailed");
    assert_eq!(rig.condition("dev", "Ready"), "False/DatabaseLoginFailed");
    let told = dependency(&rig);
    assert_eq!((&told["name"], &told["connected"]), (&json!("database"), &json!(false)));
    let message = told["message"].as_str().unwrap();
    assert!(message.contains("Secret \"pg-app\", key \"uri\" (28P01)"), "{message}");
    assert!(!rig.status("dev").to_string().contains("canary"));

    gate_says(&rig, &of(&json!([{"name": "database", "latencyMs": 7}])), true);
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "DatabaseConnected"), "True/Connected");
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    let told = dependency(&rig);
    assert_eq!((&told["connected"], &told["latencyMs"]), (&json!(true), &json!(7)));
    assert_eq!(told["lastConnectedTime"], "2026-01-02T03:04:05Z");
}

#[tokio::test]
async fn another_latency_writes_nothing() {
    let rig = ready(served("dev")).await;
    let failure = json!({"reason": "DatabaseMissing"});
    gate_says(&rig, &of(&json!([{"name": "database", "failure": failure}])), false);
    rig.run("dev", 2).await;
    gate_says(&rig, &of(&json!([{"name": "database", "latencyMs": 7}])), true);
    rig.run("dev", 3).await;
    assert_eq!(dependency(&rig)["latencyMs"], 7);
    rig.server.writes();
    gate_says(&rig, &of(&json!([{"name": "database", "latencyMs": 8}])), true);
    rig.run("dev", 3).await;
    assert_eq!(rig.server.writes(), [""; 0]);
    assert_eq!(dependency(&rig)["latencyMs"], 7);
}

#[tokio::test]
async fn what_is_no_verdict_is_told_as_the_crash_that_it_is() {
    let rig = ready(served("dev")).await;
    let whole = of(&json!([{"name": "database", "failure": {"reason": "DatabaseMissing"}}]));
    gate_says(&rig, &whole[..whole.len() - 2], false);
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/BackendCrashing");
    assert_eq!(dependency(&rig), Value::Null);
}

/// Its own words are the best there are, but for who logs in and where: that is in a Secret.
#[tokio::test]
async fn the_last_line_of_a_backend_that_crashes_is_told_without_what_a_secret_says() {
    let rig = ready(served("dev")).await;
    let line = "Error: connection to pg-rw:5432 as app failed: no pg_hba.conf entry";
    rig.server.edit("pods", "dev-backend-0", |pod| {
        let backend = &mut pod["status"]["containerStatuses"][0];
        backend["ready"] = json!(false);
        backend["lastState"] = json!({"terminated": {"exitCode": 1, "message": line}});
        backend["state"] = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        pod["status"]["conditions"] = json!([{"type": "Ready", "status": "False"}]);
    });
    rig.pass("dev").await.unwrap();
    let told = rig.status("dev")["conditions"].to_string();
    let words = "connection to <redacted>:5432 as <redacted> failed: no pg_hba.conf entry";
    assert!(told.contains(words), "{told}");
    assert!(!rig.status("dev").to_string().contains("pg-rw"), "{}", rig.status("dev"));
}
