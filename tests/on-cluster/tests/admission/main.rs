//! What the API server refuses, and what it says then. Nothing here needs the operator.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod backend;
mod bad_input;
mod bounds;
mod confinement;
mod maintenance;
mod networking;
mod pods;
mod root;
mod samples;
mod storage;

use anyhow::Result;
use on_cluster::{Case, Ground, Instance, admission, definition, rule};

fn cases() -> Vec<Case> {
    let all = [
        root::cases(),
        backend::cases(),
        confinement::cases(),
        storage::cases(),
        maintenance::cases(),
        networking::cases(),
        pods::cases(),
    ];
    all.into_iter().flatten().collect()
}

/// Every field set, so that one field at a time can be spoiled.
fn complete() -> Instance {
    Instance::complete().unwrap()
}

/// The same rule at several places of a complete instance: one value that keeps it, one that breaks it.
fn everywhere(fields: &[&str], message: &str, kept: &str, broken: &str) -> Vec<Case> {
    let case = |field: &&str| {
        let path = field.replace("[]", ".0");
        rule(&format!("spec.{field}"), message)
            .accepts(complete().with(&path, kept))
            .refuses(complete().with(&path, broken))
    };
    fields.iter().map(case).collect()
}

#[tokio::test]
async fn every_rule_accepts_one_object_and_refuses_another() -> Result<()> {
    let ground = Ground::fresh("rules").await?;
    admission::holds(&ground, &cases()).await
}

/// The rule on `status` has tests of its own.
#[test]
fn no_rule_of_the_definition_is_without_an_object_that_it_refuses() {
    let cases = cases();
    let rules = definition::rules(&definition::schema().unwrap());
    let untried: Vec<_> = rules
        .into_iter()
        .filter(|rule| !rule.field.starts_with("status"))
        .filter(|rule| !cases.iter().any(|case| case.is_about(rule) && case.is_whole()))
        .collect();
    assert!(untried.is_empty(), "{} rules: {untried:#?}", untried.len());
}

#[test]
fn no_case_is_about_two_rules_or_none() {
    let rules = definition::rules(&definition::schema().unwrap());
    for case in cases() {
        assert_eq!(rules.iter().filter(|rule| case.is_about(rule)).count(), 1, "{case}");
    }
}
