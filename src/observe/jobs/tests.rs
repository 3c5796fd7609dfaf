mod claims;

use std::sync::Arc;

use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{PersistentVolumeClaim, Pod},
};
use kube::Resource;
use serde_json::{Value, json};

use super::*;
use crate::{
    fixtures::{ClaimWords, claim, instance},
    plan::labels,
    worker::report::Report,
};

const DONE: &str = r#"{"result":"exported","id":"71-1","bytes":9,"sha256":"aa","tables":1,"documents":2,"files":0,"version":"v1","time":"2026-01-02T03:04:05Z","kept":["71-1"]}"#;

fn job(errand: &str, condition: Option<&str>) -> Job {
    let conditions: Vec<_> =
        condition.map(|it| json!({"type": it, "status": "True"})).into_iter().collect();
    serde_json::from_value(json!({
        "metadata": {"name": format!("dev-{errand}-71-1"), "uid": "job", "annotations": {
            (labels::ERRAND): errand, (labels::ATTEMPT): "71-1", (labels::ADDRESS): "10.0.0.7:3210"}},
        "status": {"conditions": conditions},
    }))
    .unwrap()
}

/// A pod of that Job, whose container has ended with this code and these last words.
fn pod(errand: &str, phase: &str, code: i32, message: &str) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": "worker", "annotations": {
            (labels::ERRAND): errand, (labels::ATTEMPT): "71-1"},
            "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "job",
                "controller": true}]},
        "status": {"phase": phase, "containerStatuses": [{"name": errand, "image": "", "imageID": "",
            "ready": false, "restartCount": 0,
            "state": {"terminated": {"exitCode": code, "message": message}}}]},
    }))
    .unwrap()
}

fn children(jobs: Vec<Job>, pods: Vec<Pod>) -> Children {
    Children {
        jobs: jobs.into_iter().map(Arc::new).collect(),
        workers: pods.into_iter().map(Arc::new).collect(),
        ..Children::default()
    }
}

fn one(jobs: Vec<Job>, pods: Vec<Pod>) -> Seen {
    let backend = Some("10.0.0.7:3210".parse().unwrap());
    let mut seen = Jobs::of(&children(jobs, pods), backend).0;
    assert_eq!(seen.len(), 1);
    seen.remove(0)
}

#[test]
fn a_job_that_is_complete_and_reports_its_own_attempt_has_succeeded() {
    let done =
        one(vec![job("export", Some("Complete"))], vec![pod("export", "Succeeded", 0, DONE)]);
    assert_eq!((done.outcome, done.stale), (Outcome::Succeeded, false));
    assert!(matches!(done.report, Some(Report::Exported { documents: 2, .. })));
}

#[test]
fn a_worker_that_ended_in_vain_is_told_of_by_its_errand_while_another_one_is_started() {
    let words = r#"{"result":"failed","reason":"NoRoom","message":"12 bytes are free"}"#;
    let again = one(vec![job("export", None)], vec![pod("export", "Failed", 1, words)]);
    let told = again.obstacle.unwrap();
    assert_eq!((again.outcome, told.reason), (Outcome::Running, "ExportFailed"));
    assert_eq!(told.message, "the export is begun again after: NoRoom: 12 bytes are free");
}

/// The same object as another worker of its attempt, under the name that it then has.
fn as_worker<K: Resource>(mut object: K, number: u32) -> K {
    let meta = object.meta_mut();
    meta.name = Some(format!("{}-{number}", meta.name.as_deref().unwrap()));
    meta.uid = Some(format!("job-{number}"));
    let marks = meta.annotations.get_or_insert_default();
    marks.insert(labels::TRY.to_owned(), number.to_string());
    if let Some([owner]) = meta.owner_references.as_deref_mut() {
        owner.uid = format!("job-{number}");
    }
    object
}

#[test]
fn an_attempt_is_what_its_last_worker_made_of_it() {
    let words = r#"{"result":"failed","reason":"NoRoom","message":"12 bytes are free"}"#;
    let after = |second: Option<&str>, pods: Vec<Pod>| {
        let jobs = vec![job("export", Some("Failed")), as_worker(job("export", second), 2)];
        let before = pod("export", "Failed", 1, words);
        let all = Jobs::of(&children(jobs, [vec![before], pods].concat()), None);
        let facts = all.with_imports(None, None);
        assert_eq!(facts.len(), 1, "the machine hears of the last one only");
        let last = all.find(Errand::Export, &snapshot("71-1").unwrap()).unwrap().clone();
        assert_eq!((last.number, last.outcome), (2, facts[0].outcome));
        let told: Vec<_> = all.0.into_iter().filter_map(|it| it.obstacle).collect();
        (last.outcome, told.into_iter().map(|it| it.message).collect::<Vec<_>>())
    };
    let again = "the export is begun again after: NoRoom: 12 bytes are free".to_owned();
    assert_eq!(after(None, Vec::new()), (Outcome::Running, vec![again]));
    let done = as_worker(pod("export", "Succeeded", 0, DONE), 2);
    assert_eq!(after(Some("Complete"), vec![done]), (Outcome::Succeeded, Vec::new()));
    let killed = as_worker(pod("export", "Failed", 137, ""), 2);
    let (outcome, told) = after(Some("Failed"), vec![killed]);
    assert_eq!((outcome, told.len()), (Outcome::Failed, 1));
    assert!(told[0].contains("exit code 137"), "{told:?}");
}

/// Whoever it was that started a second one beside it.
#[test]
fn a_worker_that_still_runs_keeps_its_attempt_from_being_over() {
    let jobs = vec![job("copy", None), as_worker(job("copy", Some("Failed")), 2)];
    let all = Jobs::of(&children(jobs, vec![pod("copy", "Running", 0, "")]), None);
    let found = all.find(Errand::Copy, &snapshot("71-1").unwrap()).unwrap();
    assert_eq!((found.number, found.outcome), (1, Outcome::Running));
}

#[test]
fn what_keeps_a_worker_from_running_is_told_before_what_ended_the_one_before_it() {
    let mut waits = as_worker(pod("export", "Pending", 0, ""), 2);
    waits.status.get_or_insert_default().container_statuses = serde_json::from_value(json!([{
        "name": "export", "image": "", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}]))
    .unwrap();
    let jobs = vec![job("export", Some("Failed")), as_worker(job("export", None), 2)];
    let all = Jobs::of(&children(jobs, vec![pod("export", "Failed", 1, "before"), waits]), None);
    let found = all.find(Errand::Export, &snapshot("71-1").unwrap()).unwrap();
    assert_eq!(found.obstacle.as_ref().unwrap().reason, "ImagePullFailed");
}

/// A stranger may have made it, the pod may be gone, and its words may be anything.
#[test]
fn a_job_that_is_complete_and_reports_nothing_of_ours_has_failed() {
    let another = DONE.replace("71-1", "70-1");
    let copied = r#"{"result":"copied","id":"71-1","entries":1,"bytes":1,"sha256":"aa"}"#;
    for words in ["", "{", "done", &another, copied] {
        let pods = vec![pod("export", "Succeeded", 0, words)];
        let seen = one(vec![job("export", Some("Complete"))], pods);
        assert_eq!(seen.outcome, Outcome::Failed, "{words}");
        assert_eq!(seen.obstacle.unwrap().reason, "ReportMissing");
    }
    let seen = one(vec![job("export", Some("Complete"))], Vec::new());
    assert_eq!(seen.outcome, Outcome::Failed);
}

/// Two watches bring two kinds: an import that is done is not begun again because the one was quicker.
#[test]
fn a_job_that_is_complete_runs_on_until_its_pod_is_known_or_a_while_is_over() {
    let complete = |seconds| {
        let mut job = job("export", Some("Complete"));
        let ended = k8s_openapi::jiff::Timestamp::now()
            - k8s_openapi::jiff::SignedDuration::from_secs(seconds);
        job.status.get_or_insert_default().completion_time =
            Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(ended));
        job
    };
    let tried = || pod("export", "Failed", 1, "before");
    assert_eq!(one(vec![complete(1)], vec![tried()]).outcome, Outcome::Running);
    assert_eq!(one(vec![complete(60)], vec![tried()]).outcome, Outcome::Failed);
    let silent = pod("export", "Succeeded", 0, "");
    assert_eq!(one(vec![complete(1)], vec![tried(), silent]).outcome, Outcome::Failed);
}

#[test]
fn a_failure_is_told_in_the_words_of_its_pod() {
    let words = r#"{"result":"failed","reason":"NoRoom","message":"12 bytes are free"}"#;
    let failed = vec![job("export", Some("Failed"))];
    let seen = one(failed.clone(), vec![pod("export", "Failed", 1, words)]);
    let told = seen.obstacle.unwrap();
    assert_eq!((seen.outcome, told.reason), (Outcome::Failed, "ExportFailed"));
    assert!(told.message.contains("NoRoom: 12 bytes are free"), "{}", told.message);
    let killed = one(failed, vec![pod("export", "Failed", 137, "")]);
    assert!(killed.obstacle.unwrap().message.contains("exit code 137"));
}

#[test]
fn what_still_has_a_pod_still_runs_whatever_its_job_says() {
    let running = pod("import", "Running", 0, "");
    for condition in [None, Some("Failed"), Some("Complete")] {
        let seen = one(vec![job("import", condition)], vec![running.clone()]);
        assert_eq!(seen.outcome, Outcome::Running, "{condition:?}");
    }
    let orphan = one(Vec::new(), vec![running]);
    assert_eq!((orphan.outcome, orphan.name.as_str()), (Outcome::Running, ""));
    let mut going = job("import", Some("Failed"));
    going.metadata.deletion_timestamp = serde_json::from_value(json!("2026-01-01T00:00:00Z")).ok();
    assert_eq!(one(vec![going], Vec::new()).outcome, Outcome::Running);
}

#[test]
fn a_job_that_failed_because_its_backend_went_is_as_if_it_had_never_been() {
    let of = children(vec![job("export", Some("Failed"))], Vec::new());
    let facts = |address: &str| {
        Jobs::of(&of, Some(address.parse().unwrap())).with_imports(None, None).len()
    };
    assert_eq!((facts("10.0.0.7:3210"), facts("10.0.0.8:3210")), (1, 0));
}

/// Whoever asked for it: the data is about to change.
#[test]
fn an_import_that_the_backend_performs_runs_without_its_job_too() {
    let hold = Hold { imports: vec!["7".to_owned()], ..Hold::default() };
    let attempt = snapshot("71-1");
    let facts = |jobs: Vec<Job>| {
        let jobs = Jobs::of(&children(jobs, Vec::new()), None);
        let facts = jobs.with_imports(attempt.as_ref(), Some(&hold));
        facts.into_iter().map(|it| it.of.attempt).collect::<Vec<_>>()
    };
    assert_eq!(facts(Vec::new()), [0]);
    assert_eq!(facts(vec![job("import", None)]), [1]);
    assert_eq!(facts(vec![job("import", Some("Failed"))]), [1, 0]);
    let silent = Hold { untold: Some("it fails".to_owned()), ..Hold::default() };
    let may = Jobs::default().with_imports(attempt.as_ref(), Some(&silent));
    assert_eq!(may.len(), 1, "who does not say what he does may do anything");
}

#[test]
fn an_attempt_is_read_back_from_its_name() {
    let of = Snapshot { of: Revision("71".to_owned()), attempt: 12 };
    assert_eq!(snapshot(&attempt(&of)), Some(of));
    for odd in ["", "71", "-1", "71-", "71-x", "71-01"] {
        assert_eq!(snapshot(odd), None, "{odd}");
    }
}
