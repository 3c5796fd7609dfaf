//! An export of a backend as a file: fetched, judged by its content, and described beside it.

mod beside;
mod content;
mod error;
mod folder;
mod manifest;
mod sink;

pub use self::{
    beside::{Keep, Neighbour, prune},
    content::Content,
    error::Error,
    folder::Folder,
    manifest::Manifest,
    sink::{Sink, Sum},
};
