//! What is to be seen of an instance in the end, in lines that are the same for every run of a flow.

use anyhow::{Context, Result, ensure};
use convex_operator::{
    api::{ConditionStatus, ConvexInstance, ConvexInstanceStatus},
    plan::labels::{INSTANCE, STORE},
};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube::{
    Api, ResourceExt,
    api::{DynamicObject, ListParams},
};
use on_cluster::Stage;
use serde_json::{Value, json};

use crate::{births::Births, content, kinds, lane::Prepared};

/// Revisions, times and addresses have at least two digits; attempts and versions have one.
const LONG: usize = 2;

/// What is to be seen, in lines.
pub type Account = Vec<String>;

/// Looks at everything that a run may not change.
pub async fn taken(stage: &Stage, births: &Births, run: &Prepared) -> Result<Account> {
    let instance = &run.name;
    let found: ConvexInstance = stage.instance(instance).await?;
    let found = found.status.context("a status")?;
    let mut lines = status(&found);
    lines.extend(content::lines("status", &told(&found), stage.namespace()));
    lines.extend(objects(stage, instance).await?);
    lines.extend(births.of(instance));
    lines.extend(data(stage, run).await?);
    let here = stage.namespace();
    Ok(lines.iter().map(|line| general(&line.replace(here, "NAMESPACE"), instance)).collect())
}

/// A status without how long each stage took.
fn told(status: &ConvexInstanceStatus) -> Value {
    let mut told = json!(status);
    for edge in told["history"].as_array_mut().into_iter().flatten() {
        edge["seconds"].take();
    }
    told
}

/// What has to be seen in the end of every flow.
const SOUND: [&str; 6] = [
    "phase Ready/",
    "data: yes",
    "one writer at a time: yes",
    "never opened by an older version: yes",
    "paused: false",
    "second writers: 0",
];

/// What every run is held against has to be good itself: of nothing else would being the same say anything.
///
/// # Errors
/// What is not as it has to be.
pub fn is_sound(account: &Account) -> Result<()> {
    for line in SOUND {
        ensure!(account.iter().any(|it| it == line), "not {line}:\n{}", account.join("\n"));
    }
    let stores = account.iter().filter(|it| it.starts_with("journal "));
    ensure!(stores.count() > 0, "no store was looked at:\n{}", account.join("\n"));
    let kinds = kinds::made().map(|it| format!("{} ", it.kind));
    for line in account.iter().filter(|it| kinds.iter().any(|kind| it.starts_with(kind))) {
        let counted = |it: &String| it.starts_with("made ") && it.ends_with(&format!(" x {line}"));
        ensure!(account.iter().any(counted), "it was not seen when it was made: {line}");
    }
    Ok(())
}

/// A line as it would be of any other instance and upgrade.
pub fn general(line: &str, instance: &str) -> String {
    let line = line.replace(instance, "NAME");
    let mut general = String::new();
    let mut digits = String::new();
    for letter in line.chars().chain(['\n']) {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        general.push_str(if digits.len() < LONG { &digits } else { "#" });
        digits.clear();
        general.push(letter);
    }
    general.trim_end().to_owned()
}

/// What one has and the other has not, or has more often.
pub fn difference(expected: &Account, found: &Account) -> Vec<String> {
    let lacks = beyond(expected, found).into_iter().map(|it| format!("lacks {it}"));
    let has = beyond(found, expected).into_iter().map(|it| format!("has {it}"));
    lacks.chain(has).collect()
}

/// The lines of one for which the other has none of its own.
fn beyond<'a>(one: &'a Account, other: &Account) -> Vec<&'a String> {
    let mut left: Vec<_> = other.iter().collect();
    let mut unmatched = Vec::new();
    for line in one {
        match left.iter().position(|it| *it == line) {
            Some(at) => drop(left.swap_remove(at)),
            None => unmatched.push(line),
        }
    }
    unmatched
}

fn status(status: &ConvexInstanceStatus) -> Vec<String> {
    let word = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut lines = vec![
        format!("phase {}/{}", word(&status.phase), word(&status.stage)),
        format!("running {}", word(&status.running_version)),
        format!("traffic {}", word(&status.traffic)),
        format!("lifecycle {}", json!(status.lifecycle)),
    ];
    let so = |it: &ConditionStatus| json!(it).as_str().unwrap_or_default().to_owned();
    let conditions = status.conditions.iter();
    lines.extend(
        conditions.map(|it| format!("condition {}={} {}", it.type_, so(&it.status), it.reason)),
    );
    let edges = (1..).zip(&status.history);
    lines.extend(edges.map(|(at, it)| format!("edge {at} {} -> {} {}", it.from, it.to, it.reason)));
    lines.extend(status.stores.iter().map(|it| format!("store {} {:?}", it.claim, it.version)));
    lines.extend(status.snapshots.iter().map(|it| {
        // Apart, its digits are no revision.
        let documents: String = it.documents.to_string().chars().flat_map(|it| [it, ' ']).collect();
        format!("snapshot {} {} {documents}verified={}", it.id, it.version, it.verified)
    }));
    lines.extend(status.blocked_by.iter().map(|it| format!("blocked {} {}", it.guard, it.reason)));
    lines
}

async fn objects(stage: &Stage, instance: &str) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for kind in kinds::made() {
        let all: Api<DynamicObject> =
            Api::namespaced_with(stage.client(), stage.namespace(), &kind);
        let of = ListParams::default().labels(&format!("{INSTANCE}={instance}"));
        let listed = all.list(&of).await?;
        lines.extend(listed.iter().map(|it| format!("{} {}", kind.kind, it.name_any())));
        let here = stage.namespace();
        lines.extend(listed.iter().flat_map(|it| content::of(&kind.kind, it, here)));
    }
    let pods: Api<Pod> = stage.all();
    let backend = format!("{INSTANCE}={instance},app.kubernetes.io/component=backend");
    let listed = pods.list(&ListParams::default().labels(&backend)).await?;
    lines.extend(listed.iter().map(|it| format!("Pod {}", it.name_any())));
    lines.sort();
    Ok(lines)
}

/// Documents, files, variables and functions, who opened the data, and whether users are let in.
async fn data(stage: &Stage, run: &Prepared) -> Result<Vec<String>> {
    let door = stage.door(&run.name).await?;
    let mut lines = vec![
        format!("data: {}", said(stage.has_all(&run.name, &run.data).await)),
        format!("one writer at a time: {}", said(stage.never_two_writers().await)),
        format!("never opened by an older version: {}", said(stage.never_backwards().await)),
        format!("paused: {}", door.is_paused().await?),
        format!("answers {}", door.version().await?),
        format!("second writers: {}", door.marker().await?.second_writers),
    ];
    let of = ListParams::default().labels(&format!("{INSTANCE}={}", run.name));
    let claims = stage.all::<PersistentVolumeClaim>().list(&of).await?;
    // A claim of exports is no store, and is never opened by a backend.
    for claim in claims.iter().filter(|it| it.annotations().contains_key(STORE)) {
        let claim = claim.name_any();
        let (journal, openers) = (stage.journal(&claim).await?, stage.openers(&claim).await?);
        lines.push(format!("journal {claim}: {} by {}", journal.join(" "), openers.join(" ")));
    }
    lines.sort();
    Ok(lines)
}

fn said(it: Result<()>) -> String {
    it.map_or_else(|error| format!("{error:#}"), |()| "yes".to_owned())
}

/// Nothing that is compared may hold a value that is another in every run.
#[test]
fn names_revisions_and_times_are_the_same_for_every_run() {
    let line = "store run7-copy-4711-1 Some(\"v1\") 2026-01-02T03:04:05Z";
    let same = "store NAME-copy-#-1 Some(\"v1\") #-#-#T#:#:#Z";
    assert_eq!(general(line, "run7"), same);
}

#[test]
fn a_line_that_is_there_once_more_or_once_less_is_a_difference() {
    let account = |lines: &str| -> Account { lines.split(' ').map(ToOwned::to_owned).collect() };
    let told = |one, other| difference(&account(one), &account(other)).join(", ");
    assert_eq!(told("a b", "b a"), "");
    assert_eq!(told("a c", "b c"), "lacks a, has b");
    assert_eq!(told("a b", "a b b"), "has b");
    assert_eq!(told("a b b", "a b"), "lacks b");
}

#[test]
fn an_end_that_lacks_anything_that_has_to_be_seen_is_held_against_nothing() {
    let more = ["journal NAME-data: start by v2", "made 1 x Service NAME-a", "Service NAME-a"];
    let sound: Account = SOUND.into_iter().chain(more).map(ToOwned::to_owned).collect();
    assert!(is_sound(&sound).is_ok());
    for at in 0..sound.len() - 1 {
        let mut lacking = sound.clone();
        let line = lacking.remove(at);
        assert!(is_sound(&lacking).is_err(), "{line}");
    }
}
