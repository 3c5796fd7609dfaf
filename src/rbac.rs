//! What the operator may do in a cluster: one table, each row with its reason.
//!
//! The roles in the chart, the page `docs/rbac.md` and `convex-operator print role` are rendered from
//! [`RULES`], and tests compare the committed files with it. So a permission is added here, with the
//! sentence that justifies it, or not at all. Verbs are an enum, so that a wildcard cannot be written.

use std::fmt;

mod render;
mod table;

pub use render::{cluster_role, lease_role, markdown, rules};
pub use table::RULES;

/// Where a rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In every namespace that the operator watches.
    Watched,
    /// For objects that have no namespace.
    Cluster,
    /// In the namespace that the operator itself runs in.
    Own,
}

/// One permission and its reason.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Where it holds.
    pub scope: Scope,
    /// The API group, empty for the core group.
    pub group: &'static str,
    /// Resources and subresources, in the plural as RBAC wants them.
    pub resources: &'static [&'static str],
    /// The only objects that it is for; empty means any name.
    pub names: &'static [&'static str],
    /// What may be done.
    pub verbs: &'static [Verb],
    /// Why, as one or more whole sentences.
    pub reason: &'static str,
}

/// What may be done to an object. There is no wildcard, and no `deletecollection`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Read one object by name.
    Get,
    /// Read all objects of a kind.
    List,
    /// Be told of changes.
    Watch,
    /// Make a new object.
    Create,
    /// Replace an object.
    Update,
    /// Change a part of an object; server-side apply is a patch.
    Patch,
    /// Remove one object by name.
    Delete,
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
        })
    }
}

#[cfg(test)]
mod tests;
