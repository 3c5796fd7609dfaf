//! Reading what came back, strictly: anything but what Convex says is an error that says in what.

use serde::Deserialize;

use super::Error;
use crate::convex::instance::InstanceName;

/// Longest version in bytes; an image tag has at most 128.
const LONGEST_VERSION: usize = 256;
/// Longest error code that is taken over, in bytes.
const LONGEST_CODE: usize = 40;

/// One complete HTTP answer.
#[derive(Clone, Debug)]
pub(in crate::convex) struct Answer {
    pub(in crate::convex) status: u16,
    /// The content type in lower case, empty where none was given.
    pub(super) kind: String,
    pub(in crate::convex) body: Vec<u8>,
}

/// The version that answers: one line of printable characters.
pub(super) fn version(answer: &Answer) -> Result<String, Error> {
    let text = one_line(answer, "version")?;
    if text.len() > LONGEST_VERSION {
        return Err(not_convex("its version is longer than any version"));
    }
    Ok(text.to_owned())
}

/// The name of the instance that answers.
pub(super) fn instance_name(answer: &Answer) -> Result<InstanceName, Error> {
    let text = one_line(answer, "instance name")?;
    InstanceName::parse(text).map_err(|why| not_convex(format!("its instance name {why}")))
}

/// Whether the key was taken.
pub(super) fn key_accepted(answer: &Answer) -> Result<(), Error> {
    if matches!(answer.status, 401 | 403) {
        return Err(Error::KeyRejected { code: code(answer) });
    }
    expect_success(answer)?;
    let verdict: Verdict = serde_json::from_slice(&answer.body)
        .map_err(|_| not_convex("its answer to the key check is not the JSON of one"))?;
    if !verdict.success {
        return Err(Error::KeyRejected { code: "NoSuccess".to_owned() });
    }
    if verdict.is_read_only {
        return Err(Error::KeyRejected { code: "ReadOnly".to_owned() });
    }
    Ok(())
}

/// The answer to a key check. Backends before April 2026 send `success` alone.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    success: bool,
    #[serde(default)]
    is_read_only: bool,
}

/// An error as Convex writes it.
#[derive(Deserialize)]
struct Refusal {
    code: String,
}

/// Convex's code where there is a believable one. Letters only and few: what is not a code, above
/// all an echo of the key, does not get into an error that people will see.
pub(in crate::convex) fn code(answer: &Answer) -> String {
    serde_json::from_slice::<Refusal>(&answer.body)
        .ok()
        .map(|refusal| refusal.code)
        .filter(|code| (1..=LONGEST_CODE).contains(&code.len()))
        .filter(|code| code.bytes().all(|byte| byte.is_ascii_alphabetic()))
        .unwrap_or_else(|| format!("HTTP {}", answer.status))
}

fn one_line<'a>(answer: &'a Answer, what: &str) -> Result<&'a str, Error> {
    expect_success(answer)?;
    if answer.kind.starts_with("text/html") || answer.body.starts_with(b"<") {
        return Err(not_convex(format!("it sends a web page as its {what}")));
    }
    let line = answer.body.strip_suffix(b"\n").unwrap_or(&answer.body);
    if line.is_empty() {
        return Err(not_convex(format!("it sends an empty {what}")));
    }
    if !line.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(not_convex(format!("its {what} is not one line of printable text")));
    }
    std::str::from_utf8(line).map_err(|_| not_convex(format!("its {what} is not text")))
}

pub(in crate::convex) fn expect_success(answer: &Answer) -> Result<(), Error> {
    match answer.status {
        200 => Ok(()),
        300..=399 => Err(not_convex(format!("it redirects (HTTP {})", answer.status))),
        status @ (429 | 500..=599) => Err(Error::Unready { status }),
        status => Err(not_convex(format!("it answers with HTTP {status}"))),
    }
}

pub(in crate::convex) fn not_convex(what: impl Into<String>) -> Error {
    Error::NotConvex(what.into())
}
