//! A snapshot of many small files, made here: a backend would take them one by one.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

use chrono::Utc;
use convex_operator::worker::snapshot::{Content, Manifest};
use sha2::{Digest, Sha256};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// How many files of how many bytes there are.
const FILES: (u64, u64) = (100_000, 10_600);

/// Writes it into the folder as one that was judged before, and says how many bytes it has.
pub fn written(folder: &Path) -> u64 {
    let path = folder.join("snapshot.zip");
    archived(&path);
    let mut sum = Sha256::new();
    let bytes = io::copy(&mut File::open(path).unwrap(), &mut sum).unwrap();
    let sha256 = hex::encode(sum.finalize());
    let content = Content { bytes, sha256, documents: BTreeMap::new(), files: FILES.0 };
    let (id, instance) = ("7-1".to_owned(), Some(super::INSTANCE.to_owned()));
    let manifest = Manifest {
        id,
        instance,
        version: "v1".to_owned(),
        time: Utc::now(),
        content,
        variables: 0,
        variables_sha256: None,
    };
    let manifest = serde_json::to_vec(&manifest).unwrap();
    fs::write(folder.join("manifest.json"), manifest).unwrap();
    bytes
}

fn archived(path: &Path) {
    let mut zip = ZipWriter::new(BufWriter::new(File::create(path).unwrap()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut entry = |name: &str, content: &[u8]| {
        zip.start_file(name, options).unwrap();
        zip.write_all(content).unwrap();
    };
    // As long as upstream's.
    let id = |number: u64| format!("kg2{number:029}");
    let line = |number| format!("{{\"_id\":\"{}\"}}\n", id(number));
    let list: String = (0..FILES.0).map(line).collect();
    entry("_tables/documents.jsonl", b"");
    entry("_storage/documents.jsonl", list.as_bytes());
    for number in 0..FILES.0 {
        entry(&format!("_storage/{}.png", id(number)), &super::noise(number + 1, FILES.1));
    }
    zip.finish().unwrap().into_inner().unwrap().sync_all().unwrap();
}
