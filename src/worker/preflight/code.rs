//! A server's own word for what went wrong.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest that is taken: `AuthorizationHeaderMalformed` has 28 characters.
const LONGEST: usize = 48;

/// A server's own word for what went wrong, such as an SQLSTATE. Nothing with other characters than letters, digits and `-` is
/// one: sentences of servers repeat what they were asked with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Code(String);

impl Code {
    /// The word, where it is one.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        let plain = word.chars().all(|it| it.is_ascii_alphanumeric() || it == '-');
        (plain && (1..=LONGEST).contains(&word.len())).then(|| Self(word.to_owned()))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.0
    }
}

impl TryFrom<String> for Code {
    type Error = &'static str;

    fn try_from(word: String) -> Result<Self, Self::Error> {
        Self::of(&word).ok_or("not a word")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_no_word() {
        assert_eq!(Code::of("28P01").unwrap().to_string(), "28P01");
        assert_eq!(Code::of("eu-west-1").unwrap().to_string(), "eu-west-1");
        for sentence in ["", "user app", "p@ss", "postgres://", &"a".repeat(49)] {
            assert_eq!(Code::of(sentence), None, "{sentence}");
        }
    }
}
