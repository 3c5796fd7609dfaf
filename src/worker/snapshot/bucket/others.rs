//! The snapshots below the prefixes beside one: those of this very instance, for its UID is in what they have in common.
//!
//! One is ours where its manifest names it as its prefix does. Every other object is somebody's, and is never touched.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use super::{MARK, Objects};
use crate::worker::snapshot::{
    Manifest, Neighbour,
    names::{self, ARCHIVE, MANIFEST},
};

/// What there is below each prefix beside this one, by the last part of its name.
async fn beside(objects: &Objects, prefix: &str) -> io::Result<BTreeMap<String, BTreeSet<String>>> {
    let (common, own) = split(prefix);
    let mut all = BTreeMap::<_, BTreeSet<_>>::new();
    for key in objects.keys(&common).await? {
        let name = key.strip_prefix(&common).and_then(|it| it.split_once('/'));
        if let Some((id, name)) = name.filter(|(id, _)| *id != own) {
            all.entry(id.to_owned()).or_default().insert(name.to_owned());
        }
    }
    Ok(all)
}

/// Every snapshot of ours beside this prefix, newest first.
pub(super) async fn all(objects: &Objects, prefix: &str) -> io::Result<Vec<Neighbour>> {
    let (common, _) = split(prefix);
    let mut all = Vec::new();
    for (id, names) in beside(objects, prefix).await? {
        if !names.contains(MANIFEST) {
            continue;
        }
        let manifest = objects.read(&format!("{common}{id}/{MANIFEST}")).await?;
        let manifest: Option<Manifest> = manifest.and_then(|it| serde_json::from_slice(&it).ok());
        let Some(manifest) = manifest.filter(|it| it.id == id) else { continue };
        all.push(Neighbour {
            id,
            instance: manifest.instance,
            bytes: manifest.content.bytes,
            time: manifest.time,
            whole: names.contains(ARCHIVE) && names.contains(MARK),
        });
    }
    all.sort_by(|one, other| (other.time, &other.id).cmp(&(one.time, &one.id)));
    Ok(all)
}

/// Takes away every object of a snapshot beside this one: what says that it is published first, its manifest last.
pub(super) async fn remove(objects: &Objects, prefix: &str, other: &Neighbour) -> io::Result<()> {
    let (common, _) = split(prefix);
    let at = format!("{common}{}/", other.id);
    let keys = objects.keys(&at).await?;
    let names: Vec<_> = keys.iter().filter_map(|it| it.strip_prefix(&at)).collect();
    if let Some(foreign) = names.iter().find(|it| !is_own(it)) {
        return Err(io::Error::other(format!("{at}{foreign} is not ours")));
    }
    objects.abort(&format!("{at}{ARCHIVE}")).await?;
    let first = names.iter().filter(|it| **it == MARK);
    let last = names.iter().filter(|it| **it == MANIFEST);
    let between = names.iter().filter(|it| **it != MARK && **it != MANIFEST);
    for name in first.chain(between).chain(last) {
        objects.remove(&format!("{at}{name}")).await?;
    }
    Ok(())
}

/// What all snapshots of an instance begin with, and the rest of this one.
fn split(prefix: &str) -> (String, &str) {
    match prefix.rsplit_once('/') {
        Some((common, own)) => (format!("{common}/"), own),
        None => (String::new(), prefix),
    }
}

/// Whether a worker of ours calls an object below its prefix so.
fn is_own(name: &str) -> bool {
    name == ARCHIVE || name == MARK || name.strip_suffix(".json").is_some_and(names::is_note)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_workers_write_is_ours() {
        for name in ["snapshot.zip", "published.json", "manifest.json", "import-9-1.json"] {
            assert!(is_own(name), "{name}");
        }
        for name in ["README", "old/snapshot.zip", "snapshot.zip.bak", "notes.json"] {
            assert!(!is_own(name), "{name}");
        }
    }

    #[test]
    fn what_is_beside_a_snapshot_has_all_of_its_prefix_but_the_last_part() {
        assert_eq!(split("a/b/7-1"), ("a/b/".to_owned(), "7-1"));
        assert_eq!(split("7-1"), (String::new(), "7-1"));
    }
}
