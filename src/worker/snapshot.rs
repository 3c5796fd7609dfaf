//! An export of a backend as a file: fetched, judged by its content, and described beside it.

mod content;
mod error;

pub use self::{content::Content, error::Error};
