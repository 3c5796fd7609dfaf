//! The environment of the process as a value, so that its rules can be tried without a process.

use std::collections::BTreeMap;

/// Environment variables by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The environment of this process; variables that are not UTF-8 are left out.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value of `name`, which may be empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of `name` where it is set and not empty, as a shell's `${NAME:-}` sees it.
    #[must_use]
    pub fn non_empty(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// The value of `name`, or `default` where it is unset or empty.
    #[must_use]
    pub fn or(&self, name: &str, default: &str) -> String {
        self.non_empty(name).unwrap_or(default).to_owned()
    }

    /// Whether `name` is literally `true`: every other spelling of truth counts as false (the rule of Convex's knobs).
    #[must_use]
    pub fn is_literally_true(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// Whether the comma-separated list in `name` holds `item`.
    #[must_use]
    pub fn lists(&self, name: &str, item: &str) -> bool {
        self.get(name).is_some_and(|list| list.split(',').any(|entry| entry.trim() == item))
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(pairs: T) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(pairs: [(&str, &str); N]) -> Self {
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_value_is_set_but_counts_as_missing() {
        let env = Environment::from([("DATA_DIR", "")]);
        assert_eq!(env.get("DATA_DIR"), Some(""));
        assert_eq!(env.or("DATA_DIR", "/convex/data"), "/convex/data");
    }

    #[test]
    fn only_the_literal_true_is_true() {
        for (value, truth) in [("true", true), ("True", false), ("1", false), ("", false)] {
            let env = Environment::from([("KNOB", value)]);
            assert_eq!(env.is_literally_true("KNOB"), truth, "{value}");
        }
    }

    #[test]
    fn a_list_holds_whole_items_only() {
        let env = Environment::from([("VERSIONS", "v1, v22")]);
        assert!(env.lists("VERSIONS", "v22"));
        assert!(!env.lists("VERSIONS", "v2"));
    }
}
