use axum::http::Request;

use super::*;

fn parts(method: &str, path: &str) -> Parts {
    Request::builder().method(method).uri(path).body(()).unwrap().into_parts().0
}

#[test]
fn writes_about_the_instance_are_counted_and_the_right_one_is_cut() {
    let watchman = Watchman::default();
    let nobody = Pid::from_raw(i32::MAX).unwrap();
    let cut = Cut { number: 2, mode: Mode::Before, pid: nobody };
    watchman.watch("run7", Some(cut));
    let jobs = "/apis/batch/v1/namespaces/a/jobs";
    let lease = "/apis/coordination.k8s.io/v1/namespaces/a/leases/convex-operator";
    let body = br#"{"metadata":{"name":"run7-copy-1"}}"#;
    assert!(watchman.meet(&parts("GET", jobs), b"").is_none());
    assert!(watchman.meet(&parts("PATCH", lease), b"run7").is_none());
    assert!(watchman.meet(&parts("DELETE", &format!("{jobs}/run6-copy-1")), b"").is_none());
    let first = watchman.meet(&parts("POST", jobs), body).unwrap();
    assert!(first.cut.is_none());
    let met = watchman.meet(&parts("DELETE", &format!("{jobs}/run7-copy-1")), b"");
    assert_eq!(met.unwrap().cut.unwrap().number, 2);
    watchman.signal(Signal::KILL);
    assert!(!watchman.has_cut(), "nobody was there to be killed");
    let seen: Vec<_> = watchman.writes().iter().map(ToString::to_string).collect();
    assert_eq!(seen, ["POST jobs/run7-copy-1", "DELETE jobs/run7-copy-1"]);
}

#[test]
fn an_answer_is_kept_with_the_write_that_it_is_for_and_with_none_of_a_later_instance() {
    let watchman = Watchman::default();
    let named = |name: &str| watchman.meet(&parts("DELETE", &path(name)), b"").unwrap();
    watchman.watch("run7", None);
    let (first, second) = (named("run7-a"), named("run7-b"));
    watchman.answered(&second, StatusCode::CONFLICT);
    watchman.answered(&first, StatusCode::OK);
    assert_eq!(done(&watchman), [true, false]);
    watchman.watch("run8", None);
    named("run8-a");
    watchman.answered(&first, StatusCode::OK);
    assert_eq!(done(&watchman), [false]);
}

#[test]
fn a_status_that_tells_of_another_edge_enters_where_that_leads() {
    let watchman = Watchman::default();
    watchman.watch("run7", None);
    let status = |edges: &[&str]| {
        let history: Vec<_> = edges.iter().map(|to| serde_json::json!({ "to": to })).collect();
        let body = serde_json::json!({"status": {"history": history}}).to_string();
        watchman.meet(&parts("PUT", &path("run7")), body.as_bytes());
    };
    status(&["Ready", "Rolling"]);
    status(&["Ready", "Rolling"]);
    status(&["Ready", "Rolling", "Rolling"]);
    let entered: Vec<_> = watchman.writes().into_iter().map(|it| it.enters).collect();
    assert_eq!(entered, [Some("Rolling".to_owned()), None, Some("Rolling".to_owned())]);
}

fn path(name: &str) -> String {
    format!("/api/v1/namespaces/a/jobs/{name}")
}

fn done(watchman: &Watchman) -> Vec<bool> {
    watchman.writes().iter().map(Write::is_done).collect()
}
