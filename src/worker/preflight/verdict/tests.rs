use super::*;
use crate::worker::preflight::subject::Purpose;

fn passed(name: Subject) -> Finding {
    Finding::of(name, Ok(Passed { latency: Duration::from_millis(12), note: None }))
}

fn failed(name: Subject, failure: Failure) -> Finding {
    Finding::of(name, Err(failure))
}

fn written(verdict: &Verdict) -> String {
    serde_json::to_string(verdict).unwrap()
}

#[test]
fn a_verdict_is_read_as_it_was_written() {
    let denied = Failure::of(Reason::BucketAccessDenied).why(Why::Put).code("AccessDenied");
    let files = Subject::Bucket(vec![Purpose::Files]);
    let verdict = Verdict::of(vec![passed(Subject::Database), failed(files, denied)]);
    let text = written(&verdict);
    assert_eq!(
        text,
        r#"{"preflight":"v1","dependencies":[{"name":"database","latencyMs":12},{"name":"objectStorage/files","failure":{"reason":"BucketAccessDenied","why":"put","code":"AccessDenied"}}]}"#
    );
    assert_eq!(Verdict::read(&format!("{text}\n")), Some(verdict));
}

/// As it ends up where Kubernetes cuts it, or where another program wrote it.
#[test]
fn what_is_no_verdict_is_none() {
    let whole = written(&Verdict::of(vec![passed(Subject::Database)]));
    let once_more =
        r#"{"preflight":"v1","dependencies":[{"name":"database"},{"name":"database"}]}"#;
    for text in [
        "",
        "there is no record of which version may open the data",
        "{}",
        "[]",
        "null",
        &whole[..whole.len() - 1],
        &whole.replace("v1", "v2"),
        &whole.replace("database", "<script>"),
        &whole.replace("12", "-12"),
        &whole.replace("12", "1e99"),
        once_more,
        &format!("{whole}{}", " ".repeat(5000)),
        &format!("{}{}", "[".repeat(2000), "]".repeat(2000)),
        r#"{"result":"failed","reason":"NoRoom","message":"12 bytes are free"}"#,
    ] {
        assert_eq!(Verdict::read(text), None, "{text}");
    }
}

#[test]
fn the_words_of_another_version_leave_a_verdict_readable() {
    let text = r#"{"preflight":"v1","more":1,"dependencies":[{"name":"database","failure":{"reason":"DatabaseOnFire","why":"heat","code":"X1"}}]}"#;
    let verdict = Verdict::read(text).unwrap();
    let (subject, failure) = verdict.failures().next().unwrap();
    assert_eq!((subject, failure.reason), (&Subject::Database, Reason::PreflightFailed));
}

#[test]
fn a_servers_sentence_is_no_code() {
    let failure = Failure::of(Reason::DatabaseLoginFailed).code("password of user canary is wrong");
    assert_eq!(failure.code, None);
    let text = r#"{"preflight":"v1","dependencies":[{"name":"database","failure":{"reason":"DatabaseLoginFailed","code":"user canary"}}]}"#;
    assert_eq!(Verdict::read(text), None);
}

#[test]
fn the_longest_verdict_fits_a_termination_message() {
    let word = "W".repeat(48);
    let failure = || Failure::of(Reason::ObjectStorageCertificateInvalid).code(&word);
    let failure = || failure().why(Why::Authorities);
    let mut all = vec![failed(Subject::Database, failure())];
    all.extend(Purpose::ALL.map(|it| failed(Subject::Bucket(vec![it]), failure())));
    let text = written(&Verdict::of(all));
    assert!(text.len() < LARGEST, "{}", text.len());
    assert!(Verdict::read(&text).is_some());
}
