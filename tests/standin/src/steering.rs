//! How a test asks a version to misbehave: by environment, which users of the operator can pass through the resource.
//!
//! | variable | effect |
//! |---|---|
//! | `STANDIN_START_DELAY_MS` | milliseconds between taking the data and listening |
//! | `STANDIN_CRASH_VERSIONS` | these versions end at start with code 1 |
//! | `STANDIN_CRASH_MESSAGE` | the line that they end with |
//! | `STANDIN_UNREADY_VERSIONS` | these answer `/version`, but `/instance_name` with 503 |
//! | `STANDIN_SILENT_VERSIONS` | these take the data and never listen |
//! | `STANDIN_REJECT_KEY_VERSIONS` | these call every admin key bad |
//!
//! Lists are separated by commas and compared with `CONVEX_RELEASE_VERSION_DEV`.

use std::time::Duration;

use crate::environment::Environment;

const DEFAULT_CRASH_MESSAGE: &str = "cluster url already contains db name: orders";

/// What the version that runs here was asked to do wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steering {
    /// Time spent starting.
    pub start_delay: Duration,
    /// The line to end with at start.
    pub crash: Option<String>,
    /// `/instance_name` answers 503.
    pub unready: bool,
    /// The ports stay closed.
    pub silent: bool,
    /// Every admin key is bad.
    pub rejects_keys: bool,
}

impl Steering {
    /// Reads the wishes that concern the version in `env`.
    #[must_use]
    pub fn of(env: &Environment) -> Self {
        let version = version(env);
        let concerns = |list: &str| env.lists(list, &version);
        let delay = env.get("STANDIN_START_DELAY_MS").and_then(|text| text.trim().parse().ok());
        Self {
            start_delay: Duration::from_millis(delay.unwrap_or_default()),
            crash: concerns("STANDIN_CRASH_VERSIONS")
                .then(|| env.or("STANDIN_CRASH_MESSAGE", DEFAULT_CRASH_MESSAGE)),
            unready: concerns("STANDIN_UNREADY_VERSIONS"),
            silent: concerns("STANDIN_SILENT_VERSIONS"),
            rejects_keys: concerns("STANDIN_REJECT_KEY_VERSIONS"),
        }
    }
}

/// What `/version` says: `CONVEX_RELEASE_VERSION_DEV` unless that is empty or `dev`, else `unknown` as official images do.
#[must_use]
pub fn version(env: &Environment) -> String {
    env.non_empty("CONVEX_RELEASE_VERSION_DEV")
        .filter(|version| *version != "dev")
        .unwrap_or("unknown")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_unknown_unless_the_environment_names_one() {
        for (value, version_seen) in [("", "unknown"), ("dev", "unknown"), ("v2", "v2")] {
            let env = Environment::from([("CONVEX_RELEASE_VERSION_DEV", value)]);
            assert_eq!(version(&env), version_seen);
        }
        assert_eq!(version(&Environment::default()), "unknown");
    }

    #[test]
    fn a_wish_concerns_only_the_versions_that_it_lists() {
        let wishes = [("STANDIN_CRASH_VERSIONS", "v2,v3"), ("STANDIN_START_DELAY_MS", "250")];
        let of = |version| {
            let mut env = wishes.to_vec();
            env.push(("CONVEX_RELEASE_VERSION_DEV", version));
            Steering::of(&env.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect())
        };
        assert_eq!(of("v1").crash, None);
        assert_eq!(of("v2").crash.as_deref(), Some(DEFAULT_CRASH_MESSAGE));
        assert_eq!(of("v1").start_delay, Duration::from_millis(250));
    }
}
