//! An archive in a bucket, read in windows: whoever reads it reads on, and never needs all of it in memory.

use std::{
    fmt, io,
    sync::{Mutex, PoisonError},
};

use hyper::body::Bytes;
use tokio::{runtime::Handle, sync::oneshot};

use super::objects::{Objects, Range};
use crate::worker::snapshot::Archive;

/// How much is read at once.
const WINDOW: u64 = 8 * 1024 * 1024;
/// How many windows are kept: an archive is read at two places at once, for its digest and for its content.
const WINDOWS: usize = 2;

/// An object as it was when it was opened.
pub struct Object {
    objects: Objects,
    key: String,
    etag: String,
    bytes: u64,
    handle: Handle,
    /// What was read last, the latest at the end, each with the place of its first byte.
    windows: Mutex<Vec<(u64, Bytes)>>,
}

impl Object {
    /// It is opened on the runtime that its bytes are fetched by.
    pub(super) fn of(objects: Objects, key: String, etag: String, bytes: u64) -> Self {
        let handle = Handle::current();
        Self { objects, key, etag, bytes, handle, windows: Mutex::default() }
    }

    /// The window that begins here. Whoever waits for it is no thread of the runtime.
    fn window(&self, begins: u64) -> io::Result<Bytes> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let known = windows.iter().position(|(at, _)| *at == begins);
        let window = match known {
            Some(at) => windows.remove(at),
            None => (begins, self.fetched(begins)?),
        };
        windows.truncate(WINDOWS - 1);
        windows.insert(0, window.clone());
        Ok(window.1)
    }

    /// Fetched by a task of the runtime: where that ends first, so does this.
    fn fetched(&self, from: u64) -> io::Result<Bytes> {
        let (done, awaited) = oneshot::channel();
        let (objects, key, etag) = (self.objects.clone(), self.key.clone(), self.etag.clone());
        let to = self.bytes.min(from + WINDOW);
        self.handle.spawn(async move {
            let range = Range { etag: &etag, from, to };
            let _nobody_waits = done.send(Box::pin(objects.read_range(&key, range)).await);
        });
        awaited.blocking_recv().map_err(io::Error::other)?
    }
}

impl Archive for Object {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.bytes)
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        if at >= self.bytes || into.is_empty() {
            return Ok(0);
        }
        let begins = at - at % WINDOW;
        let window = self.window(begins)?;
        let rest = usize::try_from(at - begins).ok().and_then(|it| window.get(it..));
        let rest = rest.unwrap_or_default();
        let read = rest.len().min(into.len());
        into[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Object {}", self.key)
    }
}
