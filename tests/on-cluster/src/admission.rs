//! What the API server takes and what it refuses, as a table.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{Ground, Instance, definition::Rule};

/// How many cases are asked at a time.
const AT_A_TIME: usize = 8;

/// A rule with objects that keep it and objects that break it.
#[derive(Clone, Debug)]
pub struct Case {
    field: String,
    message: String,
    before: Option<Instance>,
    kept: Vec<Instance>,
    broken: Vec<Instance>,
}

/// The rule at a field of the manifest (`[]` for any place in a list) whose message contains this part.
#[must_use]
pub fn rule(field: &str, message: &str) -> Case {
    let (field, message) = (field.to_owned(), message.to_owned());
    Case { field, message, before: None, kept: Vec::new(), broken: Vec::new() }
}

impl Case {
    /// What exists already; the others are what it is to become.
    #[must_use]
    pub fn after(mut self, instance: Instance) -> Self {
        self.before = Some(instance);
        self
    }

    /// An object that keeps the rule.
    #[must_use]
    pub fn accepts(mut self, instance: Instance) -> Self {
        self.kept.push(instance);
        self
    }

    /// An object that breaks it.
    #[must_use]
    pub fn refuses(mut self, instance: Instance) -> Self {
        self.broken.push(instance);
        self
    }

    /// Whether it is about this rule of the definition.
    #[must_use]
    pub fn is_about(&self, rule: &Rule) -> bool {
        self.field == rule.field && rule.message.contains(&self.message)
    }

    /// Whether it says both what is taken and what is not.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !self.kept.is_empty() && !self.broken.is_empty()
    }

    async fn judged(&self, ground: &Ground) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        for kept in &self.kept {
            if let Some(refusal) = self.verdict(ground, kept).await? {
                wrong.push(format!("{self}: refused what keeps it:\n{refusal}"));
            }
        }
        for broken in &self.broken {
            match self.verdict(ground, broken).await? {
                None => wrong.push(format!("{self}: took what breaks it: {}", broken.manifest())),
                Some(refusal) if refusal.says(&self.field, &self.message) => {}
                Some(refusal) => {
                    wrong.push(format!("{self}: refused for another reason:\n{refusal}"));
                }
            }
        }
        Ok(wrong)
    }

    async fn verdict(
        &self,
        ground: &Ground,
        candidate: &Instance,
    ) -> Result<Option<crate::Refusal>> {
        match &self.before {
            None => ground.refusal(candidate).await,
            Some(before) => ground.refusal_to_become(&candidate.clone().named(before.name())).await,
        }
    }
}

impl std::fmt::Display for Case {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "[{}] {}", self.field, self.message)
    }
}

/// Asks the API server about every case.
///
/// # Errors
/// A case is not judged as it says; all of them are named.
pub async fn holds(ground: &Ground, cases: &[Case]) -> Result<()> {
    let mut made = BTreeSet::new();
    for before in cases.iter().filter_map(|case| case.before.as_ref()) {
        if made.insert(before.name()) {
            let refusal = ground.create(before).await?;
            ensure!(
                refusal.is_none(),
                "{} was refused:\n{}",
                before.name(),
                refusal.unwrap_or_default()
            );
        }
    }
    let judged = stream::iter(cases).map(|case| case.judged(ground)).buffer_unordered(AT_A_TIME);
    let wrong: Vec<_> = judged.try_concat().await?;
    ensure!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}
