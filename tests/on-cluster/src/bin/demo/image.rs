//! The reference of an image, as the chart takes it.

use anyhow::{Result, ensure};

/// A repository with a tag, a digest, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    repository: String,
    tag: String,
    digest: String,
}

impl Image {
    /// Reads `repository:tag`, `repository@digest` or `repository:tag@digest`.
    ///
    /// # Errors
    /// It has neither tag nor digest.
    pub fn parse(reference: &str) -> Result<Self> {
        let (named, digest) = reference.split_once('@').unwrap_or((reference, ""));
        // A colon before the last slash belongs to the registry's port.
        let name = named.rfind('/').map_or(0, |slash| slash + 1);
        let colon = named[name..].find(':').map(|colon| name + colon);
        let (repository, tag) = colon.map_or((named, ""), |at| (&named[..at], &named[at + 1..]));
        ensure!(
            !(tag.is_empty() && digest.is_empty()),
            "--image {reference} has neither a tag nor a digest"
        );
        let [repository, tag, digest] = [repository, tag, digest].map(ToOwned::to_owned);
        Ok(Self { repository, tag, digest })
    }

    /// Values of the chart.
    #[must_use]
    pub fn values(&self) -> [String; 3] {
        let Self { repository, tag, digest } = self;
        [
            format!("image.repository={repository}"),
            format!("image.tag={tag}"),
            format!("image.digest={digest}"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(reference: &str) -> (String, String, String) {
        let Image { repository, tag, digest } = Image::parse(reference).unwrap();
        (repository, tag, digest)
    }

    #[test]
    fn a_tag_follows_the_last_slash() {
        let read = parts("localhost:5000/convex-operator:dev");
        assert_eq!(read, ("localhost:5000/convex-operator".into(), "dev".into(), String::new()));
    }

    #[test]
    fn a_digest_is_told_from_a_tag() {
        let read = parts("convex-operator@sha256:41be");
        assert_eq!(read, ("convex-operator".into(), String::new(), "sha256:41be".into()));
    }

    #[test]
    fn an_image_without_either_is_refused() {
        assert!(Image::parse("localhost:5000/convex-operator").is_err());
    }
}
