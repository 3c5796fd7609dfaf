//! The files that a list of an export names: of each a digest of its id, which is shorter than the id.

use sha2::{Digest, Sha256};

/// As much of a digest as no two ids have in common.
const KEPT: usize = 16;

/// The files of one folder: whether the content of each was found.
#[derive(Default)]
pub(super) struct Files(Vec<([u8; KEPT], bool)>);

impl Files {
    pub(super) fn list(&mut self, id: &str) {
        self.0.push((kept(id), false));
    }

    /// All are listed; only now they are found.
    pub(super) fn sort(&mut self) {
        self.0.sort_unstable();
    }

    /// There is an entry of this name in the folder. A file is called by its id, and maybe an extension: nothing says which
    /// of several dots ends the id.
    pub(super) fn find(&mut self, name: &str) {
        let dots = name.match_indices('.').map(|(at, _)| at);
        for end in dots.chain([name.len()]) {
            let id = kept(&name[..end]);
            let first = self.0.partition_point(|(it, _)| *it < id);
            let same = self.0[first..].iter_mut().take_while(|(it, _)| *it == id);
            same.for_each(|(_, there)| *there = true);
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    pub(super) fn missing(&self) -> u64 {
        self.0.iter().filter(|(_, there)| !there).count() as u64
    }
}

fn kept(id: &str) -> [u8; KEPT] {
    let sum = Sha256::digest(id);
    std::array::from_fn(|at| sum[at])
}
