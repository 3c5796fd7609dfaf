//! One line of the log: lenient about its form, strict about its words.
//!
//! A line may have colours, a time, a level and a module before what is said, fields behind it, or be JSON
//! (`LOG_FORMAT=json`). What is said must be one of the worker's own sentences, whole: an address that was asked
//! for or a word of an application stands in the same log.

use serde_json::Value;

use super::TOO_OLD;

/// The longest quotation that is kept.
const LONGEST: usize = 2000;

/// What a line says about migrations.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// An attempt begins.
    Attempting,
    /// A step begins, of so many where that is said.
    Migrating(u32, Option<u32>),
    /// A step has succeeded.
    Migrated(u32),
    /// The data is in this format, which is the newest.
    UpToDate(u32),
    /// The attempt has succeeded.
    Complete(Option<u32>),
    /// The attempt has failed.
    Failed(String),
    /// The data is in a newer format.
    Ahead(String),
}

/// What this line says; none where it is about something else.
pub(super) fn said(line: &str) -> Option<Said> {
    let line = line.trim();
    if line.starts_with('{') {
        let json: Value = serde_json::from_str(line).ok()?;
        return sentence(&message(&json)?);
    }
    sentence(&colourless(line))
}

/// Where subscribers for JSON put the message, with the error beside it.
fn message(json: &Value) -> Option<String> {
    let fields = json.get("fields").unwrap_or(json);
    let text = |name: &str| fields.get(name).or_else(|| json.get(name))?.as_str();
    let said = text("message").or_else(|| text("msg"))?;
    Some(text("error").map_or_else(|| said.to_owned(), |error| format!("{said}: {error}")))
}

fn sentence(line: &str) -> Option<Said> {
    too_old(line)
        .or_else(|| spoken(line, "Attempting migration", |rest| ends(rest, Said::Attempting)))
        .or_else(|| {
            spoken(line, "Migrating to ", |rest| numbered(rest, |it| Said::Migrating(it, None)))
        })
        .or_else(|| spoken(line, "Executing Migration ", executing))
        .or_else(|| spoken(line, "Migrated ", |rest| numbered(rest, Said::Migrated)))
        .or_else(|| {
            spoken(line, "db metadata version up to date at ", |rest| {
                numbered(rest, Said::UpToDate)
            })
        })
        .or_else(|| spoken(line, "Migration complete", |rest| ends(rest, Said::Complete(None))))
        .or_else(|| {
            spoken(line, "MigrationComplete(", |rest| Some(Said::Complete(Some(number(rest)?.0))))
        })
        .or_else(|| quoted(line, "Migration worker failed").map(Said::Failed))
        .or_else(|| quoted(line, "persisted db metadata version is ahead").map(Said::Ahead))
}

/// A panic tells where it happened on the same line or on the one before.
fn too_old(line: &str) -> Option<Said> {
    let at = line.find(TOO_OLD)?;
    let own = is_header(&line[..at]) || line.contains("panicked at");
    own.then(|| Said::Failed(quotation(&line[at..])))
}

fn executing(rest: &str) -> Option<Said> {
    let (step, rest) = number(rest)?;
    let (of, rest) = number(rest.strip_prefix('/')?)?;
    (rest.is_empty() || rest.starts_with('.')).then_some(Said::Migrating(step, Some(of)))
}

fn numbered(rest: &str, said: impl FnOnce(u32) -> Said) -> Option<Said> {
    let (number, rest) = number(rest)?;
    ends(rest, said(number))
}

fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// Nothing follows, or nothing but fields of the log.
fn ends(rest: &str, said: Said) -> Option<Said> {
    let rest = rest.trim_start_matches(['.', ',']);
    let field = rest.strip_prefix(' ').and_then(|it| it.split_whitespace().next());
    let fields = field.is_some_and(|it| it.contains('=') || it.ends_with(':'));
    (rest.trim().is_empty() || fields).then_some(said)
}

/// What is made of the rest of a line that says these words.
fn spoken(line: &str, words: &str, of: impl FnOnce(&str) -> Option<Said>) -> Option<Said> {
    let (at, _) = line.match_indices(words).find(|(at, _)| is_header(&line[..*at]))?;
    of(&line[at + words.len()..])
}

/// A line that begins with these words goes on as it likes.
fn quoted(line: &str, words: &str) -> Option<String> {
    let (at, _) = line.match_indices(words).find(|(at, _)| is_header(&line[..*at]))?;
    let goes_on = line[at + words.len()..].chars().next();
    goes_on.is_none_or(|it| !it.is_alphanumeric()).then(|| quotation(&line[at..]))
}

fn quotation(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(LONGEST).collect()
}

/// Whether a log could have put that before what is said: nothing, or a time, a level, a module, a span.
fn is_header(head: &str) -> bool {
    let Some(last) = head.split_whitespace().last() else { return true };
    let apart = head.ends_with(char::is_whitespace);
    let level = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"].contains(&last);
    let time = last.starts_with(|it: char| it.is_ascii_digit()) && last.contains(':');
    apart && (level || time || last.ends_with([':', ']', '>', '}', '|']))
}

/// Without the sequences that colour a terminal.
fn colourless(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line.chars();
    while let Some(next) = rest.next() {
        if next == '\u{1b}' {
            // "ESC [ numbers letter"
            let _coloured = rest.by_ref().skip(1).find(char::is_ascii_alphabetic);
        } else {
            plain.push(next);
        }
    }
    plain
}
