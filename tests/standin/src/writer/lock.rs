//! `writer.lock`: one small file, replaced as a whole, so that a reader never sees half of it.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};

use super::Writer;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Beat {
    /// Who writes.
    #[serde(flatten)]
    pub writer: Writer,
    /// Rises with every beat.
    pub sequence: u64,
}

/// The lock as it stands; `None` where there is none, or none that can be read.
pub fn read(data: &Path) -> Option<Beat> {
    serde_json::from_slice(&fs::read(data.join("writer.lock")).ok()?).ok()
}

/// Puts `beat` in the place of whatever stands there.
pub fn write(data: &Path, beat: &Beat) -> io::Result<()> {
    let draft = data.join(format!("writer.lock.{}", beat.writer.start_id));
    fs::write(&draft, serde_json::to_vec(beat)?)?;
    fs::rename(&draft, data.join("writer.lock"))
}

/// Removes the lock where it is still `start_id`'s, and what a killed writer left half written.
pub fn release(data: &Path, start_id: &str) -> io::Result<()> {
    if read(data).is_some_and(|beat| beat.writer.start_id == start_id) {
        fs::remove_file(data.join("writer.lock"))?;
    }
    Ok(())
}
