use std::collections::BTreeMap;

use super::*;

/// Looks with nothing but these variables.
async fn looked(variables: &[(&str, &str)]) -> Verdict {
    let all: BTreeMap<_, _> = variables.iter().copied().collect();
    look(|name| all.get(name).map(|it| (*it).to_owned())).await
}

#[tokio::test]
async fn without_servers_there_is_nothing_to_look_at() {
    assert_eq!(looked(&[("INSTANCE_NAME", "orders")]).await, Verdict::of(Vec::new()));
}

#[tokio::test]
async fn what_is_not_there_is_told_without_a_word_of_who_logs_in() {
    let verdict = looked(&[
        ("INSTANCE_NAME", "orders"),
        ("POSTGRES_URL", "postgresql://canary:canary@canary.invalid:5432"),
        ("S3_STORAGE_FILES_BUCKET", "canary"),
        ("S3_ENDPOINT_URL", "https://canary.invalid"),
        ("AWS_S3_FORCE_PATH_STYLE", "true"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "canary"),
        ("AWS_SECRET_ACCESS_KEY", "canary"),
    ])
    .await;
    let told = serde_json::to_string(&verdict).unwrap();
    assert!(!told.contains("canary"), "{told}");
    let reasons: Vec<_> = verdict.failures().map(|(_, it)| it.reason).collect();
    assert_eq!(reasons[0], Reason::DatabaseUnresolvable, "{told}");
    assert_eq!(reasons.len(), 2, "{told}");
    assert!(!summary(&verdict).contains("canary"));
}

#[tokio::test]
async fn a_verdict_is_told_once_and_then_waited_with() {
    let folder = tempfile::tempdir().unwrap();
    let (report, told) = (folder.path().join("report"), folder.path().join("told"));
    let options = Options { asked: true, told: Some(told.clone()) };
    // The environment of this process names no servers.
    passed(&options, &report).await.unwrap();
    let verdict = Verdict::read(&fs::read_to_string(&report).unwrap()).unwrap();
    assert_eq!(verdict, Verdict::of(Vec::new()));
    assert!(!told.exists());
}
