//! Images: which names exist on this node, and which program each stands for.

mod reference;

use std::{path::PathBuf, str::FromStr};

pub use reference::Reference;
use sha2::{Digest, Sha256};

/// What an image's program is, as far as that changes how it is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Convex's backend: the entrypoint of its image, owned by root and executable for root only.
    Backend,
    /// Convex's dashboard: a user that has a name and no number.
    Dashboard,
    /// Any program, run with the container's arguments.
    Program,
}

/// One repository that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its name without tag or digest.
    pub repository: String,
    /// The program on this machine.
    pub program: PathBuf,
    /// What the program is.
    pub role: Role,
}

/// Why an `--image` is refused.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not REPOSITORY=PROGRAM[:backend|:dashboard|:program]")]
pub struct InvalidImage(String);

impl FromStr for Image {
    type Err = InvalidImage;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (repository, program) =
            text.split_once('=').ok_or_else(|| InvalidImage(text.to_owned()))?;
        let (program, role) = match program.rsplit_once(':') {
            Some((program, "backend")) => (program, Role::Backend),
            Some((program, "dashboard")) => (program, Role::Dashboard),
            Some((program, "program")) => (program, Role::Program),
            _ => (program, Role::Program),
        };
        Ok(Self { repository: repository.to_owned(), program: program.into(), role })
    }
}

/// All images of the node: every repository has every tag.
#[derive(Clone, Debug)]
pub struct Images {
    images: Vec<Image>,
    tags: Vec<String>,
}

/// An image that was pulled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// The program on this machine.
    pub program: PathBuf,
    /// What the program is.
    pub role: Role,
    /// The tag by which it is known here.
    pub tag: String,
    /// `repository@sha256:…`, made up from the name: the same name always has the same digest.
    pub image_id: String,
}

/// Why an image cannot be pulled, worded as a kubelet with containerd words it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PullError {
    /// Not an image name at all; trying again is of no use.
    #[error(
        "Failed to apply default image tag \"{0}\": couldn't parse image name \"{0}\": invalid reference format"
    )]
    Invalid(String),
    /// The registry knows no such repository.
    #[error(
        "failed to pull and unpack image \"{0}\": failed to resolve reference \"{0}\": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed"
    )]
    NoRepository(String),
    /// The repository has no such tag or digest.
    #[error(
        "failed to pull and unpack image \"{0}\": failed to resolve reference \"{0}\": {0}: not found"
    )]
    NotFound(String),
}

impl PullError {
    /// The reason of the waiting state while it is being tried.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "InvalidImageName",
            Self::NoRepository(_) | Self::NotFound(_) => "ErrImagePull",
        }
    }
}

impl Images {
    /// The node's images.
    #[must_use]
    pub const fn new(images: Vec<Image>, tags: Vec<String>) -> Self {
        Self { images, tags }
    }

    /// Finds what `name` stands for.
    ///
    /// # Errors
    /// Where a registry would have refused.
    pub fn pull(&self, name: &str) -> Result<Pulled, PullError> {
        let reference =
            Reference::parse(name).ok_or_else(|| PullError::Invalid(name.to_owned()))?;
        let image = self
            .images
            .iter()
            .find(|image| image.repository == reference.repository)
            .ok_or_else(|| PullError::NoRepository(reference.to_string()))?;
        let (tag, digest) =
            self.known(&reference).ok_or_else(|| PullError::NotFound(reference.to_string()))?;
        Ok(Pulled {
            program: image.program.clone(),
            role: image.role,
            tag: tag.to_owned(),
            image_id: format!("{}@{digest}", image.repository),
        })
    }

    fn known(&self, reference: &Reference) -> Option<(&str, String)> {
        self.tags.iter().map(|tag| (tag.as_str(), digest(&reference.repository, tag))).find(
            |(tag, digest)| match &reference.digest {
                Some(asked) => asked == digest,
                None => *tag == reference.tag.as_deref().unwrap_or("latest"),
            },
        )
    }
}

fn digest(repository: &str, tag: &str) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(format!("{repository}:{tag}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images() -> Images {
        let image = "stand-in.test/convex-backend=/bin/standin:backend".parse().unwrap();
        Images::new(vec![image], vec!["v1".to_owned(), "v2".to_owned()])
    }

    #[test]
    fn a_known_tag_is_found_and_has_a_digest_of_its_own() {
        let one = images().pull("stand-in.test/convex-backend:v1").unwrap();
        let two = images().pull("stand-in.test/convex-backend:v2").unwrap();
        assert_eq!((one.program.to_str(), one.role), (Some("/bin/standin"), Role::Backend));
        assert!(one.image_id.starts_with("stand-in.test/convex-backend@sha256:"), "{one:?}");
        assert_ne!(one.image_id, two.image_id);
        assert_eq!((one.tag.as_str(), two.tag.as_str()), ("v1", "v2"));
    }

    #[test]
    fn an_image_can_be_asked_for_by_the_digest_that_it_was_reported_with() {
        let by_tag = images().pull("stand-in.test/convex-backend:v1").unwrap();
        assert_eq!(images().pull(&by_tag.image_id).unwrap(), by_tag);
        let other = format!("stand-in.test/convex-backend@sha256:{}", "0".repeat(64));
        assert!(matches!(images().pull(&other), Err(PullError::NotFound(_))));
    }

    #[test]
    fn unknown_names_are_refused_like_a_registry_does() {
        for (name, reason, words) in [
            ("stand-in.test/convex-backend:v9", "ErrImagePull", "convex-backend:v9: not found"),
            ("stand-in.test/convex-backend", "ErrImagePull", ":latest: not found"),
            ("elsewhere.test/app:v1", "ErrImagePull", "repository does not exist"),
            ("Bad Name", "InvalidImageName", "invalid reference format"),
        ] {
            let error = images().pull(name).unwrap_err();
            assert_eq!(error.reason(), reason);
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn a_flag_names_repository_program_and_role() {
        let image: Image = "a/b=/x/y".parse().unwrap();
        assert_eq!((image.repository.as_str(), image.role), ("a/b", Role::Program));
        assert!("a/b".parse::<Image>().is_err());
    }
}
