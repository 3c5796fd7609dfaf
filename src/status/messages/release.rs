//! How the spec names a release.

use statemachine::pins::Release;

use crate::{api::ConvexInstance, observe::World};

/// What is to be set in the spec for this release to be wanted. A version alone names it only where nothing else says
/// which image that is.
pub(super) fn to_set(instance: &ConvexInstance, world: &World, release: &Release) -> String {
    let Release { version, image, .. } = release;
    if instance.spec.backend.image.is_none() && usual(&world.facts.wish.release, version) == *image
    {
        return format!("spec.version to {version}");
    }
    let named = format!("spec.backend.image to {image}");
    if instance.spec.version == *version {
        return named;
    }
    format!("spec.version to {version} and {named}")
}

/// The image of a version by what the spec gets for its own, which names none.
fn usual(wish: &Release, version: &str) -> String {
    let repository = wish.image.strip_suffix(&wish.version).unwrap_or_default();
    format!("{repository}{version}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{all_is_well, instance_with, world};

    /// What brings back `from`, where version `v2` is wanted, of this image if any.
    fn back(from: (&str, &str), image: Option<&str>) -> String {
        let instance = instance_with(|spec| {
            spec["version"] = "v2".into();
            spec["backend"]["image"] = image.into();
        });
        let mut seen = world(all_is_well());
        seen.facts.wish.release.version = "v2".to_owned();
        seen.facts.wish.release.image = image.unwrap_or("example.com/backend:v2").to_owned();
        let (version, image) = (from.0.to_owned(), from.1.to_owned());
        to_set(&instance, &seen, &Release { version, image, ..Release::default() })
    }

    #[test]
    fn a_version_is_named_alone_only_where_it_says_which_image_that_is() {
        let tagged = ("v1", "example.com/backend:v1");
        assert_eq!(back(tagged, None), "spec.version to v1");
        assert_eq!(
            back(("v1", "old.example.com/backend:v1"), None),
            "spec.version to v1 and spec.backend.image to old.example.com/backend:v1"
        );
        assert_eq!(
            back(tagged, Some("mine:next")),
            "spec.version to v1 and spec.backend.image to example.com/backend:v1"
        );
        assert_eq!(back(("v2", "mine:last"), Some("mine:next")), "spec.backend.image to mine:last");
    }
}
