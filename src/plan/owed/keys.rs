//! The Secrets of an instance: its keys, and what its backend reads of servers outside.

use super::super::{Child, Inputs, Step, outside, secrets};
use crate::observe::{AdminFound, KeysFound};

/// What is not there yet is made, and what an earlier instance has left is taken over.
pub(super) fn steps(inputs: &Inputs<'_>) -> Vec<Step> {
    let instance = match inputs.keys.found {
        KeysFound::Nowhere => Some(Step::Create(secrets::instance(inputs).into())),
        KeysFound::Retained => Some(Step::TakeOver(inputs.names.instance_secret())),
        KeysFound::Ours | KeysFound::Named => None,
    };
    let secret = || secrets::admin(inputs).into();
    let admin = match inputs.keys.admin_found {
        AdminFound::Nowhere => Some(Step::Create(secret())),
        AdminFound::InPart => Some(Step::Complete(secret())),
        AdminFound::Renamed => Some(Step::Rename(secret())),
        AdminFound::Whole => None,
    };
    let outside = outside::secrets(inputs).into_iter();
    let outside = outside.map(|it| Step::Ensure(Child::Secret(it)));
    instance.into_iter().chain(admin).chain(outside).collect()
}
