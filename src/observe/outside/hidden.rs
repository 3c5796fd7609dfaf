//! What Secrets of users say of servers, taken out of what is quoted: who logs in, where, and into which bucket.

use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::Outside;
use crate::plan::outside::{Server, Values};

/// What stands for what was taken out.
const GONE: &str = "<redacted>";
/// A word of less says nothing, and would be found everywhere.
const SHORTEST: usize = 3;
/// What may be told: where clouds have their regions everybody knows.
const TOLD: [&str; 1] = ["AWS_REGION"];

/// Words that nobody is told.
#[derive(Clone, Default)]
pub(in crate::observe) struct Hidden(Vec<Zeroizing<String>>);

impl Hidden {
    /// What the backend was given, and what it is to be.
    pub(in crate::observe) fn of(outside: &Outside) -> Self {
        let given = Server::ALL.into_iter().filter_map(|it| outside.given(it));
        let wanted = outside.settings.iter().flat_map(|it| it.values().cloned());
        let mut words: Vec<_> = given.chain(wanted).flat_map(|it| words(&it)).collect();
        words.retain(|it| it.len() >= SHORTEST && **it != "true");
        // What another one is within goes last, or the rest of that one would stay.
        words.sort_by_key(|it| std::cmp::Reverse(it.len()));
        words.dedup();
        Self(words)
    }

    /// The line without them.
    pub(in crate::observe) fn taken_out(&self, line: &str) -> String {
        self.0.iter().fold(line.to_owned(), |line, word| without(&line, word))
    }
}

fn words(values: &Values) -> Vec<Zeroizing<String>> {
    let mut all = Vec::new();
    for (name, value) in values.iter().filter(|(name, _)| !TOLD.contains(name)) {
        let Ok(text) = std::str::from_utf8(value) else { continue };
        all.push(text.to_owned());
        let Ok(url) = Url::parse(text) else { continue };
        let written = [url.username(), url.password().unwrap_or_default()];
        all.extend(written.map(decoded));
        all.extend(written.map(str::to_owned));
        all.extend(url.host_str().filter(|_| name.ends_with("_URL")).map(str::to_owned));
    }
    all.into_iter().map(Zeroizing::new).collect()
}

fn decoded(text: &str) -> String {
    let plus = text.replace('+', "%2B");
    form_urlencoded::parse(plus.as_bytes()).next().map(|it| it.0.into_owned()).unwrap_or_default()
}

/// Where it stands by itself: a user called `app` is not in `application`.
fn without(line: &str, word: &str) -> String {
    let is_part = |it: Option<char>| it.is_some_and(|it| it.is_alphanumeric() || it == '_');
    let (mut left, mut rest, mut before) = (String::new(), line, None);
    while let Some(at) = rest.find(word) {
        let (head, tail) = (&rest[..at], &rest[at + word.len()..]);
        let stands = !is_part(head.chars().next_back().or(before)) && !is_part(tail.chars().next());
        left.push_str(head);
        left.push_str(if stands { GONE } else { word });
        before = word.chars().next_back();
        rest = tail;
    }
    left.push_str(rest);
    left
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn hidden() -> Hidden {
        let database = Values::default()
            .with("POSTGRES_URL", "postgresql://app:p%40ss+word@pg-rw.shop.svc:5432")
            .with("DO_NOT_REQUIRE_SSL", "true");
        let storage = Values::default()
            .with("AWS_REGION", "eu-central-1")
            .with("AWS_ACCESS_KEY_ID", "AKIA7")
            .with("S3_ENDPOINT_URL", "https://s3.internal:9000")
            .with("S3_STORAGE_FILES_BUCKET", "b");
        let all = [(Server::Database, database), (Server::Storage, storage)];
        Hidden::of(&Outside::reading(BTreeMap::from(all)))
    }

    #[test]
    fn who_logs_in_and_where_is_in_no_line() {
        for (line, expected) in [
            ("cannot reach pg-rw.shop.svc:5432", "cannot reach <redacted>:5432"),
            (
                "FATAL: no role \"app\", password p@ss+word",
                "FATAL: no role \"<redacted>\", password <redacted>",
            ),
            ("as p%40ss+word", "as <redacted>"),
            ("PUT https://s3.internal:9000/x by AKIA7", "PUT <redacted>/x by <redacted>"),
            ("open postgresql://app:p%40ss+word@pg-rw.shop.svc:5432", "open <redacted>"),
        ] {
            assert_eq!(hidden().taken_out(line), expected);
        }
    }

    #[test]
    fn what_only_looks_like_it_stays() {
        for line in ["application app_2 of mapp", "it is true in eu-central-1, b", ""] {
            assert_eq!(hidden().taken_out(line), line);
        }
        assert_eq!(Hidden::default().taken_out("app"), "app");
    }
}
