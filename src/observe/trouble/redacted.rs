//! Log lines without what nobody but the backend should read.

/// The fewest hexadecimal digits in a row that may be a secret; commit ids have 40.
const SECRET: usize = 48;

/// What the name of a value says that is nobody's to read, in small letters.
const TELLING: [&str; 6] = ["key", "secret", "token", "password", "passwd", "credential"];

/// Takes what stands between `://` and `@` out of a line, long runs of hexadecimal digits, such as an
/// instance secret or the sealed part of an admin key, and what follows `=` or `:` behind a telling name.
pub(super) fn redacted(line: &str) -> String {
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn word(word: &str) -> String {
    if let (Some(scheme), Some(at)) = (word.find("://"), word.rfind('@'))
        && scheme < at
    {
        return format!("{}://<redacted>{}", &word[..scheme], &word[at..]);
    }
    let Some(end) = word.find(['=', ':']) else { return without_secrets(word) };
    let name = word[..end].to_ascii_lowercase();
    if end + 1 < word.len() && TELLING.iter().any(|it| name.contains(it)) {
        return format!("{}<redacted>", &word[..=end]);
    }
    without_secrets(word)
}

fn without_secrets(word: &str) -> String {
    let mut rest = word;
    let mut kept = String::new();
    while let Some(start) = rest.find(|c: char| c.is_ascii_hexdigit()) {
        let (before, run) = rest.split_at(start);
        let end = run.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(run.len());
        kept.push_str(before);
        let secret = end >= SECRET && !kept.ends_with("sha256:");
        kept.push_str(if secret { "<redacted>" } else { &run[..end] });
        rest = &run[end..];
    }
    kept + rest
}
