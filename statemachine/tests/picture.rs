//! The picture and the rule in the documentation are those of the machine.
//!
//! After a change of the machine: `UPDATE_GOLDENS=1 cargo test -p statemachine --test picture`,
//! then look at the difference before committing it.
#![allow(clippy::expect_used)] // helpers of tests are tests

use std::{fs, path::PathBuf};

use statemachine::{
    Reason,
    edges::{cel, mermaid},
};

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/statemachine.md")
}

/// The page with what stands between the markers of this name replaced.
fn with(page: &str, name: &str, content: &str) -> String {
    let begin = format!("<!-- generated: {name} -->\n");
    let end = format!("<!-- end: {name} -->");
    let (head, rest) = page.split_once(&begin).expect("a beginning marker");
    let (_, tail) = rest.split_once(&end).expect("an end marker");
    format!("{head}{begin}{content}{end}{tail}")
}

#[test]
fn the_documented_picture_and_rule_are_derived_from_the_machine() {
    let written = fs::read_to_string(page()).expect("docs/statemachine.md");
    let picture = format!("```mermaid\n{}```\n", mermaid());
    let rule = format!("```cel\n{}\n```\n", cel());
    let derived = with(&with(&written, "picture", &picture), "rule", &rule);
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        fs::write(page(), &derived).expect("docs/statemachine.md");
    } else {
        assert!(written == derived, "the machine changed: run this test with UPDATE_GOLDENS=1");
    }
}

#[test]
fn every_event_reason_is_documented() {
    let page = fs::read_to_string(page()).expect("docs/statemachine.md");
    for reason in Reason::ALL {
        assert!(page.contains(&format!("| `{}` |", reason.name())), "{}", reason.name());
    }
}

#[test]
fn the_rule_names_every_phase_and_lets_the_unknown_pass() {
    let rule = cel();
    assert!(rule.contains("'Deleting': ['Deleting']"));
    assert!(rule.contains("'Ready/Suspended'") && rule.contains("'Upgrading/Importing'"));
    assert!(rule.starts_with("!(") && !rule.contains("Unknown"));
    assert!(rule.len() < 4_096, "{} bytes", rule.len());
}
