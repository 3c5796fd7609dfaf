//! Where snapshots are kept, as the workers see it: what they do does not depend on whether that is a volume or a bucket.

use std::{
    fs::File,
    future::Future,
    io::{self, ErrorKind},
    os::unix::fs::FileExt,
};

use serde::{Serialize, de::DeserializeOwned};

use super::{Neighbour, Sum};

/// Where one snapshot is kept: its archive, what is noted about it, and the others beside it.
///
/// A worker may be cut off at every call, and the next one begins with what is there then.
pub trait Location: Send + Sync {
    /// What an archive is read as.
    type Archive: Archive;
    /// What an archive is written as.
    type Draft: Draft;

    /// What was noted; none where it never was.
    ///
    /// # Errors
    /// It cannot be read, or is something else.
    fn noted<T: DeserializeOwned>(
        &self,
        what: Note<'_>,
    ) -> impl Future<Output = io::Result<Option<T>>>;

    /// Notes it, in place of what was noted before: as a whole or not at all, and for nobody else to read.
    ///
    /// # Errors
    /// It cannot be written.
    fn note(&self, what: Note<'_>, value: &impl Serialize) -> impl Future<Output = io::Result<()>>;

    /// Takes a note away, where there is one.
    ///
    /// # Errors
    /// It cannot be taken away.
    fn forget(&self, what: Note<'_>) -> impl Future<Output = io::Result<()>>;

    /// How many bytes may still be written; none where nobody can say.
    ///
    /// # Errors
    /// It cannot be found out.
    fn room(&self) -> impl Future<Output = io::Result<Option<u64>>>;

    /// Begins an archive of about so many bytes, where that was told, in place of one that was begun before.
    ///
    /// # Errors
    /// It cannot be begun.
    fn draft(&self, bytes: Option<u64>) -> impl Future<Output = io::Result<Self::Draft>>;

    /// The archive that was written and is not published yet.
    ///
    /// # Errors
    /// It cannot be opened.
    fn drafted(&self) -> impl Future<Output = io::Result<Self::Archive>>;

    /// What was written becomes the archive.
    ///
    /// # Errors
    /// It cannot.
    fn publish(&self) -> impl Future<Output = io::Result<()>>;

    /// Takes away what was written and not published, where there is something.
    ///
    /// # Errors
    /// It cannot be taken away.
    fn discard(&self) -> impl Future<Output = io::Result<()>>;

    /// Takes away the archive that was published, where there is one.
    ///
    /// # Errors
    /// It cannot be taken away.
    fn withdraw(&self) -> impl Future<Output = io::Result<()>>;

    /// The archive that was published.
    ///
    /// # Errors
    /// It cannot be opened.
    fn archive(&self) -> impl Future<Output = io::Result<Self::Archive>>;

    /// Every other snapshot of ours that is kept beside this one, newest first.
    ///
    /// # Errors
    /// They cannot be listed.
    fn others(&self) -> impl Future<Output = io::Result<Vec<Neighbour>>>;

    /// Takes another snapshot away. Its manifest goes last, so that one that was cut off here is found and ended by the next
    /// worker.
    ///
    /// # Errors
    /// It cannot be taken away, or somebody has put something into it: then nothing of it is touched.
    fn remove(&self, other: &Neighbour) -> impl Future<Output = io::Result<()>>;
}

/// What is noted about a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note<'a> {
    /// What is said about the archive; there once everything else is.
    Manifest,
    /// The environment variables of the deployment.
    Variables,
    /// Which export there was before the one that this snapshot is made of.
    Export,
    /// What the backend calls the import of this attempt.
    Import(&'a str),
    /// What it calls all imports of ours that were made of this snapshot.
    Imports,
}

/// The bytes of an archive. It is read by threads that may wait.
pub trait Archive: Send + Sync + 'static {
    /// How many there are.
    ///
    /// # Errors
    /// It cannot be found out.
    fn bytes(&self) -> io::Result<u64>;

    /// Reads some of them from this byte on; zero at the end alone.
    ///
    /// # Errors
    /// They cannot be read.
    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize>;

    /// Reads as many as fit from this byte on.
    ///
    /// # Errors
    /// They cannot be read, or there are fewer.
    fn read_all_at(&self, mut into: &mut [u8], mut at: u64) -> io::Result<()> {
        while !into.is_empty() {
            match self.read_at(into, at) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => {
                    at += read as u64;
                    into = &mut into[read..];
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Archive for File {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        FileExt::read_at(self, into, at)
    }
}

/// An archive that is being written.
pub trait Draft {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// They cannot be written.
    fn take(&mut self, bytes: &[u8]) -> impl Future<Output = io::Result<()>>;

    /// That was all, and it lasts from here on: its size and its digest.
    ///
    /// # Errors
    /// It cannot be written.
    fn end(self) -> impl Future<Output = io::Result<Sum>>;
}
