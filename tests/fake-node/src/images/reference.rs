//! Names of images: `repository[:tag][@digest]`.

use std::fmt;

/// A name in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Registry and path.
    pub repository: String,
    /// What follows the last colon, where that is no port.
    pub tag: Option<String>,
    /// `sha256:…`; wins over the tag.
    pub digest: Option<String>,
}

impl Reference {
    /// Reads a name; `None` where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let path = name.rfind('/').map_or(0, |slash| slash + 1);
        let (repository, tag) = match name[path..].find(':') {
            Some(colon) => (&name[..path + colon], Some(&name[path + colon + 1..])),
            None => (name, None),
        };
        let good =
            is_repository(repository) && tag.is_none_or(is_tag) && digest.is_none_or(is_digest);
        good.then(|| Self {
            repository: repository.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }
}

fn is_repository(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._/:".contains(c);
    !text.is_empty() && text.chars().all(allowed) && !text.contains("//") && !text.ends_with('/')
}

fn is_tag(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    (1..=128).contains(&text.len()) && text.chars().all(allowed) && !text.starts_with(['.', '-'])
}

fn is_digest(text: &str) -> bool {
    let is_hex = |hex: &str| hex.len() == 64 && hex.chars().all(|c| c.is_ascii_hexdigit());
    text.strip_prefix("sha256:").is_some_and(is_hex)
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repository)?;
        match (&self.tag, &self.digest) {
            (_, Some(digest)) => write!(f, "@{digest}"),
            (Some(tag), None) => write!(f, ":{tag}"),
            (None, None) => f.write_str(":latest"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_before_the_last_slash_is_a_port() {
        let reference = Reference::parse("localhost:5000/app:v1").unwrap();
        assert_eq!(
            (reference.repository.as_str(), reference.tag.as_deref()),
            ("localhost:5000/app", Some("v1"))
        );
        assert_eq!(Reference::parse("localhost:5000/app").unwrap().tag, None);
    }

    #[test]
    fn a_name_is_shown_with_what_decides() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let both = Reference::parse(&format!("app:v1@{digest}")).unwrap();
        assert_eq!(both.to_string(), format!("app@{digest}"));
        assert_eq!(Reference::parse("app").unwrap().to_string(), "app:latest");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", "App", "a//b", "app:", "app:-x", "app@sha256:short", "app:v1; rm"] {
            assert_eq!(Reference::parse(text), None, "{text}");
        }
    }
}
