//! How phases and pins are spelled in `status`, and what becomes of words that nobody knows.
#![allow(clippy::expect_used)] // helpers of tests are tests

mod fixtures;

use fixtures::{SAME_COPIED, at_home};
use statemachine::{
    Direction, Phase, Pins, Reason, Revision, Snapshot, Stage, Store, Strategy, Vital, Waiting,
    step,
    worlds::{born, release, upgrade},
};

fn read<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).expect(json)
}

#[test]
fn a_phase_says_phase_and_stage_and_forgets_nothing() {
    for phase in Phase::ALL {
        let wire = serde_json::to_value(phase).expect("json");
        assert_eq!(serde_json::from_value::<Phase>(wire).expect("a phase"), phase);
    }
    let suspended = serde_json::json!({"phase": "Ready", "stage": "Suspended"});
    assert_eq!(serde_json::to_value(Phase::Suspended).expect("json"), suspended);
    for strange in [
        r#"{"phase":"Hibernating"}"#,
        r#"{"phase":"Upgrading","stage":"Sharding"}"#,
        r#"{"phase":"Upgrading"}"#,
        r#"{"phase":"Ready","stage":"Sleeping"}"#,
    ] {
        assert_eq!(read::<Phase>(strange), Phase::Unknown);
    }
    assert_eq!(read::<Phase>("{}"), Phase::Pending);
}

#[test]
fn stores_and_strategies_are_words() {
    let id = Revision("7".into());
    for (store, word) in [
        (Store::Original, "Original"),
        (Store::Made(id.clone()), "Made/7"),
        (Store::Copied(Snapshot { of: id, attempt: 2 }), "Copied/7/2"),
    ] {
        assert_eq!(String::from(store.clone()), word);
        assert_eq!(Store::try_from(word.to_owned()), Ok(store));
    }
    for strategy in Strategy::ALL {
        assert_eq!(Strategy::try_from(String::from(strategy)), Ok(strategy));
    }
    for strange in ["", "Made", "Made/", "Copied/7", "Copied/7/x", "Sharded/7"] {
        assert!(Store::try_from(strange.to_owned()).is_err(), "{strange}");
    }
}

#[test]
fn pins_come_back_as_they_were_written() {
    let pins = Pins {
        upgrade: Some(upgrade(SAME_COPIED, Stage::Rolling, Direction::Forward)),
        home: Some(born()),
        fence: Revision("9".into()),
        ..Pins::default()
    };
    let json = serde_json::to_string(&pins).expect("json");
    assert_eq!(read::<Pins>(&json), pins);
    assert_eq!(read::<Pins>("{}"), Pins::default());
}

#[test]
fn pins_of_a_newer_operator_are_kept_word_for_word_and_nothing_is_touched() {
    for strange in [
        r#"{"home":{"release":{"version":"1"},"store":"Sharded/7"},"served":true}"#,
        r#"{"served":"yes","upgrade":[1,null,{"a":true}]}"#,
        r#"{"upgrade":{"id":"7"}}"#,
    ] {
        let seen = at_home(|seen| seen.pins = read(strange));
        for phase in Phase::ALL {
            let step = step(phase, &seen);
            assert_eq!((step.phase, step.taken, &step.pins), (phase, None, &None));
            assert_eq!(step.waiting, Some(Waiting::UnknownPins));
            assert!(step.obligations.is_empty());
        }
        let written: serde_json::Value = read(strange);
        assert_eq!(serde_json::to_value(&seen.pins).expect("json"), written);
    }
}

#[test]
fn every_string_and_number_of_the_schema_is_bounded() {
    let schema = serde_json::to_value(schemars::schema_for!(Pins)).expect("json");
    let mut open = Vec::new();
    unbounded("pins", &schema, &mut open);
    assert_eq!(open, Vec::<String>::new());
}

fn unbounded(at: &str, schema: &serde_json::Value, open: &mut Vec<String>) {
    let serde_json::Value::Object(fields) = schema else { return };
    let bounded = match fields.get("type").and_then(|it| it.as_str()) {
        Some("string") => ["maxLength", "const", "enum"].iter().any(|it| fields.contains_key(*it)),
        Some("integer") => fields.contains_key("maximum"),
        _ => true,
    };
    if !bounded {
        open.push(at.to_owned());
    }
    for (name, inner) in fields {
        unbounded(&format!("{at}/{name}"), inner, open);
        for inner in inner.as_array().into_iter().flatten() {
            unbounded(&format!("{at}/{name}"), inner, open);
        }
    }
}

#[test]
fn what_people_are_told_is_one_word_and_one_plain_clause() {
    let hash = "6efab6f2da47c0c8a3d7b8e2f4a1c5d6e7f80912";
    let mut home = born();
    home.release.version = hash.into();
    let waiting = Waiting::ForBackend(home);
    assert_eq!(waiting.to_string(), "the backend of version 6efab6f does not serve yet");
    assert_eq!((waiting.reason(), waiting.guard()), ("BackendNotServing", "BackendServing"));
    let camel = |word: &str| {
        word.starts_with(char::is_uppercase) && word.chars().all(|it| it.is_ascii_alphanumeric())
    };
    for waiting in [
        Waiting::Lost(Vital::Store),
        Waiting::NoWayBack(release(1)),
        Waiting::ForHelp(Some(Stage::Rolling)),
        Waiting::ForWindow,
    ] {
        assert!(camel(waiting.reason()) && camel(waiting.guard()));
        assert!(!waiting.to_string().ends_with('.'));
    }
    let words: std::collections::BTreeSet<_> = Reason::ALL.map(Reason::name).into();
    assert_eq!(words.len(), Reason::ALL.len());
    assert!(words.into_iter().all(camel));
}
