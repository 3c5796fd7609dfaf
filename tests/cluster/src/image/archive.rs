//! The archive that carries an image: manifest, configuration, layer, in the form that `docker save` gave it.

use std::{
    fs::{self, File},
    io::{BufWriter, Read, Write},
    path::Path,
};

use anyhow::{Context, Result};
use ring::digest::{Context as Hasher, SHA256, digest};
use serde_json::json;
use tar::{Builder, Header};

use super::Image;

impl Image {
    /// Writes the archive.
    ///
    /// # Errors
    /// A file of the image cannot be read, or the archive not be written.
    pub fn write(&self, archive: &Path) -> Result<()> {
        let layer = archive.with_extension("layer");
        let mut hashed = Hashed::new(BufWriter::new(File::create(&layer)?));
        self.rootfs.write(&mut hashed)?;
        let layer_digest = hashed.finish()?;
        let config = serde_json::to_vec(&self.config.document(&layer_digest))?;
        let config_name = format!("{}.json", hex::encode(digest(&SHA256, &config)));
        let manifest = json!([{
            "Config": config_name,
            "RepoTags": self.tags,
            "Layers": ["layer.tar"],
        }]);

        let mut outer = Builder::new(BufWriter::new(File::create(archive)?));
        append(&mut outer, &config_name, config.len() as u64, &config[..])?;
        append(&mut outer, "layer.tar", fs::metadata(&layer)?.len(), File::open(&layer)?)?;
        let manifest = serde_json::to_vec(&manifest)?;
        append(&mut outer, "manifest.json", manifest.len() as u64, &manifest[..])?;
        outer.into_inner()?.flush()?;
        fs::remove_file(&layer).with_context(|| format!("removing {}", layer.display()))
    }
}

fn append(
    archive: &mut Builder<impl Write>,
    name: &str,
    size: u64,
    content: impl Read,
) -> Result<()> {
    let mut header = Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(size);
    header.set_mtime(0);
    archive.append_data(&mut header, name, content).with_context(|| format!("packing {name}"))
}

/// Writes through and hashes on the way: layers are too large to be held in memory.
struct Hashed<W> {
    inner: W,
    hasher: Hasher,
}

impl<W: Write> Hashed<W> {
    fn new(inner: W) -> Self {
        Self { inner, hasher: Hasher::new(&SHA256) }
    }

    fn finish(mut self) -> Result<String> {
        self.inner.flush()?;
        Ok(hex::encode(self.hasher.finish()))
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Config, Rootfs};

    fn image() -> Image {
        let mut rootfs = Rootfs::default();
        rootfs.file("convex/run_backend.sh", b"#!/bin/sh\n".to_vec(), 0o744);
        let config = Config { entrypoint: vec!["./run_backend.sh".into()], ..Config::default() };
        let tags = vec!["stand-in.test/a:v1".into(), "stand-in.test/a:v2".into()];
        Image { name: "a".into(), tags, rootfs, config }
    }

    fn parts_of(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
        let mut archive = tar::Archive::new(archive);
        let read = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (entry.path().unwrap().display().to_string(), content)
        });
        read.collect()
    }

    #[test]
    fn the_same_image_makes_the_same_archive() {
        let folder = tempfile::tempdir().unwrap();
        let written = ["one.tar", "two.tar"].map(|name| {
            let path = folder.path().join(name);
            image().write(&path).unwrap();
            fs::read(path).unwrap()
        });
        assert_eq!(written[0], written[1]);
    }

    #[test]
    fn the_manifest_names_what_is_in_the_archive_and_every_tag() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tar");
        image().write(&path).unwrap();
        let parts = parts_of(&fs::read(path).unwrap());
        let manifest: serde_json::Value = serde_json::from_slice(&parts[2].1).unwrap();
        assert_eq!(manifest[0]["Config"], parts[0].0);
        assert_eq!(manifest[0]["RepoTags"][1], "stand-in.test/a:v2");
        let config: serde_json::Value = serde_json::from_slice(&parts[0].1).unwrap();
        let layer = format!("sha256:{}", hex::encode(digest(&SHA256, &parts[1].1)));
        assert_eq!(config["rootfs"]["diff_ids"][0], layer);
    }
}
