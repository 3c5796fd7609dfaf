//! Log lines without what nobody but the backend should read.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What stands for what was taken out.
const GONE: &str = "<redacted>";

/// User and password of a URL.
const URL: &str = r"://\S*@";
/// A value behind a name that says what it is: as in a shell, a query or JSON.
const NAMED: &str = r#"(?i)((?:password|passwd|secret|token|credentials?|access_?key|access_?key_?id|api_?key|admin_?key|private_?key|secret_?key)(?:["']\s*:\s*|\s*=\s*|:)["']?)[^\s"',;&}<]+"#;
/// The same, as people write it.
const SPOKEN: &str = r#"(?i)((?:password|passwd)\s*:\s+["']?)[^\s"',;&}<]+"#;
/// An instance secret or the sealed part of an admin key: more digits than the 40 of a commit id; and the digest
/// of an image, which is none.
const DIGITS: &str = r"(sha256:[0-9a-fA-F]{64})|[0-9a-fA-F]{48,}";

static PATTERNS: LazyLock<Result<[Regex; 4], regex::Error>> = LazyLock::new(|| {
    Ok([Regex::new(URL)?, Regex::new(NAMED)?, Regex::new(SPOKEN)?, Regex::new(DIGITS)?])
});

/// A line without credentials. Where that could not be told, nothing of it would be left.
pub(in crate::observe) fn redacted(line: &str) -> String {
    let Ok([url, named, spoken, digits]) = &*PATTERNS else { return GONE.to_owned() };
    let line = url.replace_all(line, format!("://{GONE}@"));
    let behind = |found: &Captures<'_>| format!("{}{GONE}", &found[1]);
    let line = named.replace_all(&line, behind);
    let line = spoken.replace_all(&line, behind);
    let unless_digest = |found: &Captures<'_>| {
        found.get(1).map_or_else(|| GONE.to_owned(), |digest| digest.as_str().to_owned())
    };
    digits.replace_all(&line, unless_digest).into_owned()
}
