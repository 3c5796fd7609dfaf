//! An export of a backend as a file: fetched, judged by its content, and described beside it.

mod beside;
mod bucket;
mod content;
mod error;
mod folder;
mod location;
mod manifest;
mod names;
mod place;
mod sink;

pub use self::{
    beside::{Keep, Neighbour, prune},
    bucket::Bucket,
    content::Content,
    error::Error,
    folder::Folder,
    location::{Archive, Draft, Location, Note},
    manifest::{Manifest, Variables, variables_digest},
    place::{BUCKET, Kept, Place},
    sink::{Sink, Sum},
};
