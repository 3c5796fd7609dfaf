//! `marker.json`: whether the data is still the data of the first start.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};

use super::journal;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Marker {
    /// Id of the start that found the data directory empty.
    pub first_start: String,
    /// How many starts have claimed it since, the first included.
    pub starts: u64,
    /// How many second writers were seen.
    pub second_writers: usize,
}

/// The marker, with the second writers as the journal counts them now.
#[must_use]
pub fn read(data: &Path) -> Option<Marker> {
    let marker: Marker = serde_json::from_slice(&fs::read(data.join("marker.json")).ok()?).ok()?;
    Some(Marker { second_writers: journal::second_writers(data), ..marker })
}

/// Counts one more start.
///
/// # Errors
/// Where the file cannot be written.
pub fn count_start(data: &Path, start_id: &str) -> io::Result<()> {
    let found = read(data);
    let marker = Marker {
        starts: found.as_ref().map_or(0, |marker| marker.starts) + 1,
        first_start: found.map_or_else(|| start_id.to_owned(), |marker| marker.first_start),
        second_writers: journal::second_writers(data),
    };
    write(data, start_id, &marker)
}

/// Brings the count of second writers up to date.
///
/// # Errors
/// Where the file cannot be written.
pub fn refresh(data: &Path, start_id: &str) -> io::Result<()> {
    read(data).map_or(Ok(()), |marker| write(data, start_id, &marker))
}

fn write(data: &Path, start_id: &str, marker: &Marker) -> io::Result<()> {
    let draft = data.join(format!("marker.json.{start_id}"));
    fs::write(&draft, serde_json::to_vec(marker)?)?;
    fs::rename(&draft, data.join("marker.json"))
}
