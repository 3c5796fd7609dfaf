//! What the parts of a snapshot are called, wherever it is kept.

use super::Note;

/// The archive.
pub(super) const ARCHIVE: &str = "snapshot.zip";
/// The manifest, by which a snapshot is found.
pub(super) const MANIFEST: &str = "manifest.json";

/// What a note is called.
pub(super) fn of(note: Note<'_>) -> String {
    match note {
        Note::Manifest => MANIFEST.to_owned(),
        Note::Variables => "variables.json".to_owned(),
        Note::Export => "export.json".to_owned(),
        Note::Imports => "imports.json".to_owned(),
        Note::Import(of) => format!("import-{of}.json"),
    }
}

/// Whether a note of ours may be called so, without what follows the dot.
pub(super) fn is_note(name: &str) -> bool {
    matches!(name, "manifest" | "variables" | "export" | "imports") || name.starts_with("import-")
}
