//! An export of a backend as a file: fetched, judged by its content, and described beside it.

mod content;
mod error;
mod folder;
mod manifest;

pub use self::{content::Content, error::Error, folder::Folder, manifest::Manifest};
