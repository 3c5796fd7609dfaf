//! The files of an image.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use tar::{Builder, EntryType, Header};

use crate::process::output;

/// Files, folders and links by path; the order of paths is that of the layer.
#[derive(Debug, Default)]
pub struct Rootfs {
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
enum Entry {
    Folder { mode: u32 },
    File { content: Vec<u8>, mode: u32 },
    Copy { source: PathBuf },
    Link { target: String },
}

impl Rootfs {
    /// Adds a folder.
    pub fn folder(&mut self, path: &str, mode: u32) {
        self.add(path, Entry::Folder { mode });
    }

    /// Adds a file.
    pub fn file(&mut self, path: &str, content: Vec<u8>, mode: u32) {
        self.add(path, Entry::File { content, mode });
    }

    /// Adds a symbolic link.
    pub fn link(&mut self, path: &str, target: &str) {
        self.add(path, Entry::Link { target: target.to_owned() });
    }

    /// Adds a program of this machine with the libraries that it is linked to and their loader.
    ///
    /// # Errors
    /// It is missing, or one of its libraries is.
    pub fn program(&mut self, path: &str, source: &Path) -> Result<()> {
        for library in libraries(source)? {
            let inside = library.to_string_lossy().trim_start_matches('/').to_owned();
            self.add(&inside, Entry::Copy { source: library });
        }
        self.add(path, Entry::Copy { source: source.to_owned() });
        Ok(())
    }

    fn add(&mut self, path: &str, entry: Entry) {
        let mut parent = path;
        while let Some((above, _)) = parent.rsplit_once('/') {
            self.entries.entry(above.to_owned()).or_insert(Entry::Folder { mode: 0o755 });
            parent = above;
        }
        self.entries.insert(path.to_owned(), entry);
    }

    /// Writes the layer. Owner, time and order are fixed, so the same files make the same bytes.
    ///
    /// # Errors
    /// A file cannot be read, or the layer not be written.
    pub fn write(&self, to: impl Write) -> Result<()> {
        let mut layer = Builder::new(to);
        for (path, entry) in &self.entries {
            append(&mut layer, path, entry).with_context(|| format!("packing {path}"))?;
        }
        layer.finish().context("finishing a layer")
    }
}

fn append(layer: &mut Builder<impl Write>, path: &str, entry: &Entry) -> Result<()> {
    match entry {
        Entry::Folder { mode } => {
            let mut header = header(EntryType::Directory, *mode, 0);
            layer.append_data(&mut header, format!("{path}/"), io::empty())?;
        }
        Entry::File { content, mode } => {
            let size = u64::try_from(content.len())?;
            layer.append_data(&mut header(EntryType::Regular, *mode, size), path, &content[..])?;
        }
        Entry::Copy { source } => {
            let file = fs::File::open(source)?;
            let mut header = header(EntryType::Regular, 0o755, file.metadata()?.len());
            layer.append_data(&mut header, path, file)?;
        }
        Entry::Link { target } => {
            layer.append_link(&mut header(EntryType::Symlink, 0o777, 0), path, target)?;
        }
    }
    Ok(())
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

/// Asks the loader, which follows what libraries need in turn.
fn libraries(program: &Path) -> Result<Vec<PathBuf>> {
    match output("ldd", [program]) {
        Ok(text) => parse_ldd(&text).with_context(|| format!("libraries of {}", program.display())),
        Err(error) if error.to_string().contains("not a dynamic executable") => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn parse_ldd(text: &str) -> Result<Vec<PathBuf>> {
    if let Some(line) = text.lines().find(|line| line.contains("not found")) {
        anyhow::bail!("missing on this host: {}", line.trim());
    }
    let paths = text.lines().filter_map(|line| {
        let place = line.split("=>").last()?.split_whitespace().next()?;
        place.starts_with('/').then(|| PathBuf::from(place))
    });
    Ok(paths.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer_of(rootfs: &Rootfs) -> Vec<u8> {
        let mut bytes = Vec::new();
        rootfs.write(&mut bytes).unwrap();
        bytes
    }

    fn paths_in(layer: &[u8]) -> Vec<String> {
        let mut archive = tar::Archive::new(layer);
        let entries = archive.entries().unwrap();
        entries.map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect()
    }

    #[test]
    fn the_order_of_adding_does_not_matter() {
        let mut one = Rootfs::default();
        one.file("convex/a", b"a".to_vec(), 0o744);
        one.link("bin/sh", "busybox");
        let mut other = Rootfs::default();
        other.link("bin/sh", "busybox");
        other.file("convex/a", b"a".to_vec(), 0o744);
        assert_eq!(layer_of(&one), layer_of(&other));
    }

    #[test]
    fn folders_come_before_what_is_in_them() {
        let mut rootfs = Rootfs::default();
        rootfs.file("usr/lib/stand-in/name", vec![], 0o755);
        let layer = layer_of(&rootfs);
        let expected = ["usr/", "usr/lib/", "usr/lib/stand-in/", "usr/lib/stand-in/name"];
        assert_eq!(paths_in(&layer), expected);
    }

    #[test]
    fn a_folder_keeps_its_mode_when_files_follow() {
        let mut rootfs = Rootfs::default();
        rootfs.folder("tmp", 0o1777);
        rootfs.file("tmp/a", vec![], 0o600);
        let layer = layer_of(&rootfs);
        let mut archive = tar::Archive::new(&layer[..]);
        let first = archive.entries().unwrap().next().unwrap().unwrap();
        assert_eq!(first.header().mode().unwrap(), 0o1777);
    }

    #[test]
    fn libraries_and_the_loader_are_read_from_ldd() {
        let text = "\tlinux-vdso.so.1 (0x00007ffd)\n\
                    \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n";
        let expected = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"];
        assert_eq!(parse_ldd(text).unwrap(), expected.map(PathBuf::from));
    }

    #[test]
    fn a_library_that_is_missing_is_an_error() {
        assert!(parse_ldd("\tlibfoo.so.1 => not found\n").is_err());
    }
}
