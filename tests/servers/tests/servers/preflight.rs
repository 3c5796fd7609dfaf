//! The operator's preflight against real servers: each cause has its own reason, and no value is ever told.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod mariadb;
mod postgres;
mod s3;

use convex_operator::worker::preflight::{
    look,
    reason::{Reason, Why},
    verdict::{Finding, Verdict},
};

/// The password of everybody: it is never told.
const PASSWORD: &str = "canary-canary";

/// The environment of a backend.
#[derive(Clone, Default)]
struct Variables(Vec<(String, String)>);

impl Variables {
    /// Of the instance `or-ders`, whose database is `or_ders`.
    fn of(variables: &[(&str, &str)]) -> Self {
        Self::default().with("INSTANCE_NAME", "or-ders").and(variables)
    }

    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.retain(|it| it.0 != name);
        self.0.push((name.to_owned(), value.into()));
        self
    }

    fn and(self, variables: &[(&str, &str)]) -> Self {
        variables.iter().fold(self, |all, (name, value)| all.with(name, *value))
    }

    fn get(&self, name: &str) -> Option<String> {
        self.0.iter().find(|it| it.0 == name).map(|it| it.1.clone())
    }

    async fn look(&self) -> Verdict {
        let verdict = Box::pin(look(|name| self.get(name))).await;
        let told = format!("{verdict:?}");
        assert!(!told.contains("canary"), "{told}");
        verdict
    }

    /// What is found of the one server.
    async fn found(&self) -> Finding {
        let mut all = self.look().await.dependencies;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// Why it cannot be used.
    async fn amiss(&self) -> (Reason, Option<Why>) {
        let found = self.found().await;
        let failure = found.failure.unwrap_or_else(|| panic!("nothing is amiss"));
        (failure.reason, failure.why)
    }

    /// It can be used.
    async fn well(&self) -> Finding {
        let found = self.found().await;
        assert_eq!(found.failure, None);
        assert!(found.latency_ms.is_some());
        found
    }
}
