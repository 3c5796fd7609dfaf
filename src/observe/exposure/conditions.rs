//! Conditions of the Gateway API, read as it asks for: one counts where it is about the generation that there is
//! (Gateway API, geps/gep-1364).

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{super::Obstacle, remedies};

/// What a condition is about.
#[derive(Clone, Debug)]
pub(super) struct About {
    /// In words.
    pub(super) what: String,
    /// The generation that there is.
    pub(super) generation: Option<i64>,
}

/// Why a condition that should hold does not.
pub(super) fn unmet(about: &About, type_: &str, all: &[Condition]) -> Option<Obstacle> {
    match current(about, type_, all) {
        Some(it) if it.status == "True" => None,
        Some(it) if it.status == "False" => Some(remedies::refused(&about.what, type_, it)),
        _ => Some(Obstacle::passing(
            "ControllerPending",
            format!(
                "{type_} of {} is not told yet; where that lasts, see whether the controller of its class runs.",
                about.what
            ),
        )),
    }
}

/// A condition that should not hold, and does.
pub(super) fn unwanted(about: &About, type_: &str, all: &[Condition]) -> Option<Obstacle> {
    let found = current(about, type_, all).filter(|it| it.status == "True")?;
    Some(remedies::refused(&about.what, type_, found))
}

fn current<'a>(about: &About, type_: &str, all: &'a [Condition]) -> Option<&'a Condition> {
    let of_now =
        |it: &Condition| it.observed_generation.is_none_or(|seen| Some(seen) >= about.generation);
    all.iter().find(|it| it.type_ == type_ && of_now(it))
}
