//! Where absolute paths lie: under `/` in a container, under `STANDIN_ROOT` when a test runs us as a process of the host.

use std::path::{Path, PathBuf};

/// Prefix of every absolute path.
#[derive(Clone, Debug)]
pub struct Root(PathBuf);

impl Root {
    /// A root at `prefix`, or `/` where there is none.
    #[must_use]
    pub fn new(prefix: Option<&str>) -> Self {
        Self(PathBuf::from(prefix.unwrap_or("/")))
    }

    /// The path to use for `path`; relative paths stay relative to the working directory.
    #[must_use]
    pub fn locate(&self, path: &str) -> PathBuf {
        let path = Path::new(path);
        path.strip_prefix("/").map_or_else(|_| path.to_owned(), |inner| self.0.join(inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_paths_move_under_the_root_and_relative_ones_stay() {
        let root = Root::new(Some("/tmp/pod"));
        assert_eq!(root.locate("/convex/data"), Path::new("/tmp/pod/convex/data"));
        assert_eq!(root.locate("data"), Path::new("data"));
        assert_eq!(Root::new(None).locate("/convex/data"), Path::new("/convex/data"));
    }
}
