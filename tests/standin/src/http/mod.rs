//! What answers on 3210 ([`api`]) and 3211 ([`site`]).

pub mod api;
mod check_admin_key;
mod problem;
pub mod site;

use std::path::PathBuf;

use crate::{keys::Secret, steering::Steering};

/// The deployment that answers.
pub struct Deployment {
    /// `INSTANCE_NAME`.
    pub name: String,
    /// What keys are checked with.
    pub secret: Secret,
    /// What `/version` says.
    pub version: String,
    /// `DISABLE_METRICS_ENDPOINT`.
    pub metrics_disabled: bool,
    /// What a test wants to go wrong.
    pub steering: Steering,
    /// `DATA_DIR`, where the marker lies.
    pub data: PathBuf,
}
