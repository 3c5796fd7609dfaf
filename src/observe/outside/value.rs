//! One value of a Secret or a `ConfigMap` that somebody wrote by hand. What is wrong is said by the key, never by the value.

use std::{collections::BTreeMap, fmt::Display};

use zeroize::Zeroizing;

use crate::observe::Obstacle;

/// The longest that a URL, a name or a key may be.
const LONGEST: usize = 4096;

/// A Secret or a `ConfigMap`, as far as it was found.
pub(super) struct Holder {
    kind: &'static str,
    name: String,
    namespace: String,
    data: Option<BTreeMap<String, Zeroizing<Vec<u8>>>>,
}

impl Holder {
    /// One of this kind and name; none of its data where it is not there.
    pub(super) fn new(
        kind: &'static str,
        name: &str,
        namespace: &str,
        data: Option<BTreeMap<String, Vec<u8>>>,
    ) -> Self {
        let hidden = |it: BTreeMap<String, Vec<u8>>| {
            it.into_iter().map(|(key, value)| (key, Zeroizing::new(value))).collect()
        };
        let (name, namespace) = (name.to_owned(), namespace.to_owned());
        Self { kind, name, namespace, data: data.map(hidden) }
    }

    /// Whether it has a key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.data.as_ref().is_some_and(|it| it.contains_key(key))
    }

    /// The bytes of a key.
    pub(super) fn bytes(&self, key: &str) -> Result<&[u8], Obstacle> {
        let data = self.data.as_ref().ok_or_else(|| self.missing(key))?;
        let value = data.get(key).ok_or_else(|| self.key_missing(data.keys(), key))?;
        if value.is_empty() {
            return Err(self.invalid(key, "is empty"));
        }
        Ok(value)
    }

    /// The text of a key, without the line break at its end that editors add.
    pub(super) fn text(&self, key: &str) -> Result<&str, Obstacle> {
        let bytes = self.bytes(key)?;
        let length = bytes.len();
        if length > LONGEST {
            let why = format!("has {length} bytes, and at most {LONGEST} are taken");
            return Err(self.invalid(key, why));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| self.invalid(key, "is not text"))?;
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(self.invalid(key, "is empty but for a line break"));
        }
        if text.chars().any(|it| it.is_control() || it.is_whitespace()) {
            return Err(self.invalid(key, "has a space, a line break or a control character in it"));
        }
        Ok(text)
    }

    /// That the value of a key is of no use, and why.
    pub(super) fn invalid(&self, key: &str, why: impl Display) -> Obstacle {
        let Self { kind, name, .. } = self;
        Obstacle::new(
            "SecretInvalid",
            format!("{kind} \"{name}\", key \"{key}\" {why}. Mend it; looking again within 30 s."),
        )
    }

    fn missing(&self, key: &str) -> Obstacle {
        let Self { kind, name, namespace, .. } = self;
        Obstacle::new(
            "SecretMissing",
            format!(
                "{kind} \"{name}\" is not in namespace \"{namespace}\"; create it with key \"{key}\". Looking again within 30 s."
            ),
        )
    }

    /// Names the keys that are there, for a typo shows at once beside them.
    fn key_missing<'a>(&self, keys: impl Iterator<Item = &'a String>, key: &str) -> Obstacle {
        let keys: Vec<_> = keys.map(String::as_str).collect();
        let has = if keys.is_empty() { "no key at all".to_owned() } else { keys.join(", ") };
        Obstacle::new(
            "SecretKeyMissing",
            format!(
                "{} \"{}\" has no key \"{key}\" (it has: {has}). Add the key; looking again within 30 s.",
                self.kind, self.name
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(value: impl Into<Vec<u8>>) -> Holder {
        let data = BTreeMap::from([("url".to_owned(), value.into())]);
        Holder::new("Secret", "pg", "shop", Some(data))
    }

    #[test]
    fn a_line_break_at_the_end_is_no_part_of_a_value() {
        for text in ["canary", "canary\n", "canary\r\n"] {
            assert_eq!(holder(text).text("url").unwrap(), "canary");
        }
    }

    #[test]
    fn what_is_wrong_names_the_key_and_never_the_value() {
        let huge = vec![b'c'; 1 << 20];
        let table: [(Vec<u8>, &str); 6] = [
            (Vec::new(), "is empty"),
            (b"\n".to_vec(), "but for a line break"),
            (b"can\xffary".to_vec(), "is not text"),
            (b"canary\ncanary".to_vec(), "has a space"),
            (b"canary \n".to_vec(), "has a space"),
            (huge, "has 1048576 bytes"),
        ];
        for (value, words) in table {
            let why = holder(value).text("url").unwrap_err();
            assert_eq!(why.reason, "SecretInvalid");
            assert!(why.message.starts_with("Secret \"pg\", key \"url\" "), "{}", why.message);
            assert!(why.message.contains(words), "{}", why.message);
            assert!(!why.message.contains("canary") && !why.message.contains("cc"));
        }
    }

    #[test]
    fn what_is_not_there_is_told_with_what_to_make() {
        let why = Holder::new("Secret", "pg", "shop", None).text("url").unwrap_err();
        assert_eq!(why.reason, "SecretMissing");
        assert!(why.message.contains("\"pg\"") && why.message.contains("\"url\""));
        let why = holder("canary").text("uri").unwrap_err();
        assert_eq!(why.reason, "SecretKeyMissing");
        assert!(why.message.contains("(it has: url)"), "{}", why.message);
    }
}
