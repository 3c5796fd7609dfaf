//! What answers on 3210 ([`api`]) and 3211 ([`site`]).

mod admin;
pub mod api;
mod check_admin_key;
mod exports;
mod functions;
mod imports;
mod own;
mod pause;
mod problem;
mod queries;
pub mod site;
mod streams;
mod sync;
mod variables;

use std::{path::PathBuf, sync::Arc};

use crate::{keys::Secret, steering::Steering, store::Store};

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
    /// The format of the data that this version brings.
    pub metadata_version: u32,
    /// What is kept.
    pub store: Arc<Store>,
}
