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

/// A folder with the report and what was told before, and a port of nobody's.
struct Ground {
    options: Options,
    report: PathBuf,
    url: String,
    _folder: tempfile::TempDir,
}

impl Ground {
    fn new(told: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let note = folder.path().join("told");
        fs::write(&note, told).unwrap();
        let bound = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            options: Options { asked: true, told: Some(note) },
            report: folder.path().join("report"),
            url: format!("postgresql://canary:canary@{}", bound.local_addr().unwrap()),
            _folder: folder,
        }
    }

    async fn passes(&self, url: impl Fn() -> Option<String>) -> Result<(), Unmet> {
        let variable = |name: &str| match name {
            "INSTANCE_NAME" => Some("orders".to_owned()),
            "POSTGRES_URL" => url(),
            _ => None,
        };
        Box::pin(passed(&self.options, &self.report, variable)).await
    }

    fn reported(&self) -> Verdict {
        Verdict::read(&fs::read_to_string(&self.report).unwrap()).unwrap()
    }

    fn noted(&self) -> String {
        fs::read_to_string(self.options.told.as_ref().unwrap()).unwrap()
    }
}

const REFUSED: &str = "database: DatabaseUnreachable (Refused)";

#[tokio::test]
async fn the_first_verdict_is_told_within_seconds_and_noted() {
    let ground = Ground::new("");
    let unmet = ground.passes(|| Some(ground.url.clone())).await.unwrap_err();
    assert!(unmet.to_string().contains(REFUSED), "{unmet}");
    let reason = ground.reported().failures().next().map(|it| it.1.reason);
    assert_eq!(reason, Some(Reason::DatabaseUnreachable));
    assert_eq!(ground.noted(), REFUSED);
}

/// The kubelet would wait up to five minutes before it starts another one.
#[tokio::test]
async fn what_was_told_is_waited_with_until_it_is_well() {
    let ground = Ground::new(REFUSED);
    let asked = std::cell::Cell::new(0);
    let url = || {
        asked.set(asked.get() + 1);
        (asked.get() < 4).then(|| ground.url.clone())
    };
    ground.passes(url).await.unwrap();
    assert_eq!((asked.get(), ground.reported()), (4, Verdict::of(Vec::new())));
    assert!(!ground.options.told.as_ref().unwrap().exists());
}

#[tokio::test]
async fn another_cause_than_the_one_that_was_told_is_told_at_once() {
    let ground = Ground::new("database: DatabaseLoginFailed (28P01)");
    let asked = std::cell::Cell::new(0);
    let url = || {
        asked.set(asked.get() + 1);
        Some(ground.url.clone())
    };
    ground.passes(url).await.unwrap_err();
    assert_eq!((asked.get(), ground.noted()), (1, REFUSED.to_owned()));
}
