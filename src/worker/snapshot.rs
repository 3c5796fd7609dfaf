//! An export of a backend as a file: fetched, judged by its content, and described beside it.

mod beside;
mod content;
mod error;
mod folder;
mod location;
mod manifest;
mod sink;

use std::{io, path::Path};

use self::folder::Folder;
pub use self::{
    beside::{Keep, Neighbour, prune},
    content::Content,
    error::Error,
    location::{Archive, Draft, Location, Note},
    manifest::{Manifest, Variables, variables_digest},
    sink::{Sink, Sum},
};

/// The location that a Job was told. Which kinds there are is known here alone: today folders of a volume.
///
/// # Errors
/// It cannot be made.
pub fn at(folder: &Path) -> io::Result<impl Location> {
    Folder::open(folder)
}
