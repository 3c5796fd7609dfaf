//! Reads a copy back and holds it against its manifest, entry by entry.

use std::path::{Path, PathBuf};

use super::{
    Error, content,
    entry::{Kind, entries, size},
    manifest::{self, Line, ReadBack, Sum},
};
use crate::worker::progress::Progress;

/// Every line has its entry, and every entry its line.
pub(super) fn all(root: &Path, own: &Path, id: &str) -> Result<ReadBack, Error> {
    let known = manifest::state(own)?.filter(|it| it.id == id);
    let mut lines = manifest::lines(own)?;
    let mut sum = Sum::default();
    let mut read_back = ReadBack::default();
    let mut progress = Progress::of("the copy is read back", Some(size(root)?));
    for entry in entries(root) {
        let entry = entry?;
        if matches!(entry.kind, Kind::Socket | Kind::Device) {
            return Err(differs(&entry.path, "it was not copied"));
        }
        let Some((text, line)) = lines.next().transpose()? else {
            return Err(differs(&entry.path, "the manifest does not name it"));
        };
        let digest = match entry.kind {
            Kind::File => Some(content::digest(&entry.absolute, &mut progress)?),
            _ => None,
        };
        let now = Line::of(&entry, digest.as_deref());
        same(&entry.path, &line, now.as_ref())?;
        sum.add(&text);
        read_back.entries += 1;
        read_back.bytes += line.size;
    }
    if let Some((_, line)) = lines.next().transpose()? {
        return Err(differs(Path::new(&line.path), "it is missing"));
    }
    read_back.sha256 = sum.end();
    match known.and_then(|it| it.sha256) {
        Some(sealed) if sealed != read_back.sha256 => Err(differs(own, "it was sealed otherwise")),
        _ => Ok(read_back),
    }
}

fn same(path: &Path, then: &Line, now: Option<&Line>) -> Result<(), Error> {
    let Some(now) = now else { return Err(differs(path, "it is of another kind")) };
    let mut rows = [
        ("path", then.path == now.path),
        ("kind", then.kind == now.kind),
        ("size", then.size == now.size),
        ("digest", then.sha256 == now.sha256),
        ("link", then.to == now.to),
        ("mode", then.mode == now.mode),
        ("owner", (then.uid, then.gid) == (now.uid, now.gid)),
        ("time", then.mtime == now.mtime),
    ]
    .into_iter();
    match rows.find(|(_, same)| !same) {
        None => Ok(()),
        Some((what, _)) => Err(differs(path, what)),
    }
}

fn differs(path: &Path, what: &'static str) -> Error {
    Error::Differs { path: PathBuf::from(path), what }
}
