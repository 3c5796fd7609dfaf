//! What is written down before an export is asked for, and stays beside the snapshot that is made of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::convex::deployment::Export;

/// What there was in the backend before our export was asked for, by its ids.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Asked {
    /// The export that was the latest one.
    pub before: Option<String>,
    /// The one that was found to be ours since.
    #[serde(default)]
    pub ours: Option<String>,
    /// The imports that had been performed; none in a note of an earlier operator, which took a refusal for none. They were looked at before the latest
    /// export was: what is performed later is in none of ours.
    #[serde(default)]
    pub imports: Option<BTreeSet<String>>,
    /// Nobody may write from then on.
    #[serde(default)]
    pub held: bool,
}

impl Asked {
    /// Whether this one was asked for after the note was written. Nobody could write from then on, so one that
    /// somebody else has asked for is as good as ours, as long as files are in it.
    #[must_use]
    pub fn is_before(&self, export: &Export) -> bool {
        self.before.as_ref() != Some(&export.id) && export.files != Some(false)
    }

    /// Whether it is ours to cancel. One that was never seen may be.
    #[must_use]
    pub fn is_of(&self, export: &Export) -> bool {
        self.ours.as_ref().map_or_else(|| self.is_before(export), |it| *it == export.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convex::deployment::ExportState;

    fn export(id: &str, files: Option<bool>) -> Export {
        let state = ExportState::Completed;
        Export { id: id.to_owned(), state, size: None, progress: None, files }
    }

    #[test]
    fn one_that_somebody_has_asked_for_since_is_as_good_as_ours_where_files_are_in_it() {
        let asked = Asked { before: Some("old".to_owned()), held: true, ..Asked::default() };
        assert!(asked.is_before(&export("new", Some(true))));
        assert!(!asked.is_before(&export("new", Some(false))));
        assert!(!asked.is_before(&export("old", Some(true))));
    }
}
