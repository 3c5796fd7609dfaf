//! What a person approves: one plan, and no other and no later one.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use statemachine::pins::{Release, Strategy};

use crate::{api::Approval, plan::labels::APPROVE};

/// What a plan is approved by. The fence moves with every edge of the lifecycle, so that what was approved for one
/// upgrade says nothing about the next one, not even where that leads to the same version.
pub(super) fn id(
    instance: &str,
    fence: &str,
    (home, wished): (&Release, &Release),
    strategy: Strategy,
) -> String {
    let mut parts = vec![instance, fence, strategy.name()];
    for Release { version, image, engine } in [home, wished] {
        parts.extend([version.as_str(), image, engine]);
    }
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    hex::encode(&digest.finalize()[..5])
}

/// Whether this plan is approved, or need not be.
pub(super) fn is_given(
    asked: Approval,
    plan: &str,
    annotations: &BTreeMap<String, String>,
) -> bool {
    match asked {
        Approval::Auto => true,
        Approval::Manual => annotations.get(APPROVE).is_some_and(|it| it.trim() == plan),
    }
}

#[cfg(test)]
mod tests {
    use statemachine::pins::WayBack;

    use super::*;

    fn release(version: &str, image: &str) -> Release {
        Release { version: version.into(), image: image.into(), engine: "sqlite".into() }
    }

    #[test]
    fn an_id_is_short_and_the_same_in_every_run() {
        let releases = (&release("v1", "b:v1"), &release("v2", "b:v2"));
        let plan = id("uid", "7", releases, Strategy::InPlace(WayBack::None));
        assert_eq!(plan, "79bb232afd");
    }

    #[test]
    fn whatever_a_plan_is_about_makes_it_another_plan() {
        let (one, two, moved) =
            (release("v1", "b:v1"), release("v2", "b:v2"), release("v2", "c:v2"));
        let none = Strategy::InPlace(WayBack::None);
        let copy = Strategy::InPlace(WayBack::Copy);
        let plans = [
            id("uid", "7", (&one, &two), none),
            id("other", "7", (&one, &two), none),
            id("uid", "8", (&one, &two), none),
            id("uid", "7", (&two, &one), none),
            id("uid", "7", (&one, &moved), none),
            id("uid", "7", (&one, &two), copy),
            id("uid7", "", (&one, &two), none),
        ];
        let different: std::collections::BTreeSet<_> = plans.iter().collect();
        assert_eq!(different.len(), plans.len(), "{plans:?}");
    }

    #[test]
    fn only_the_id_of_this_plan_releases_it() {
        let says = |value: &str| [(APPROVE.to_owned(), value.to_owned())].into();
        assert!(is_given(Approval::Manual, "0123456789", &says(" 0123456789\n")));
        for wrong in ["", "true", "012345678", "01234567890", "0123456788"] {
            assert!(!is_given(Approval::Manual, "0123456789", &says(wrong)), "{wrong:?}");
        }
        assert!(!is_given(Approval::Manual, "0123456789", &BTreeMap::new()));
        assert!(is_given(Approval::Auto, "0123456789", &BTreeMap::new()));
    }
}
