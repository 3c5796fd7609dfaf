use std::io::{Cursor, Write};

use sha2::{Digest, Sha256};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::*;

/// An export of one table with two documents, one component with one, and one file.
const EXPORT: [(&str, &str); 8] = [
    ("README.md", "# Welcome"),
    (
        "_tables/documents.jsonl",
        "{\"name\":\"messages\",\"id\":10001}\n{\"name\":\"_secret\",\"id\":2}\n",
    ),
    ("messages/documents.jsonl", "{\"_id\":\"a\",\"text\":\"hi\"}\n{\"_id\":\"b\",\"name\":5}\n"),
    ("messages/generated_schema.jsonl", "\"uniform\"\n"),
    ("_storage/documents.jsonl", "{\"_id\":\"kg2\",\"sha256\":\"x\"}\n"),
    ("_storage/kg2.png", "bytes"),
    ("_components/list/_tables/documents.jsonl", "{\"name\":\"entries\",\"id\":1}\n"),
    ("_components/list/entries/documents.jsonl", "{\"_id\":\"c\"}\n"),
];

fn packed(entries: &[(&str, &str)], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, text) in entries {
        writer.start_file(*name, options).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn judged(bytes: &[u8]) -> Result<Content, Error> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Content::read(&file)
}

/// An export with so many files, of as many bytes each.
pub(super) fn with_files(count: usize, bytes: usize) -> Vec<u8> {
    let list = |number| format!("{{\"_id\":\"kg{number}\"}}\n");
    let list: String = (0..count).map(list).collect();
    let names: Vec<_> = (0..count).map(|number| format!("_storage/kg{number}.png")).collect();
    let content = "x".repeat(bytes);
    let mut entries = vec![("_tables/documents.jsonl", ""), ("_storage/documents.jsonl", &list)];
    entries.extend(names.iter().map(|name| (name.as_str(), content.as_str())));
    packed(&entries, CompressionMethod::Stored)
}

fn without(name: &str) -> Vec<u8> {
    let left: Vec<_> = EXPORT.into_iter().filter(|(it, _)| *it != name).collect();
    packed(&left, CompressionMethod::Deflated)
}

fn with(name: &str, text: &str) -> Vec<u8> {
    let changed = EXPORT.map(|(it, old)| if it == name { (it, text) } else { (it, old) });
    packed(&changed, CompressionMethod::Deflated)
}

fn reason(bytes: &[u8]) -> &'static str {
    judged(bytes).unwrap_err().reason()
}

#[test]
fn a_whole_export_is_counted_table_by_table_and_file_by_file() {
    for method in [CompressionMethod::Deflated, CompressionMethod::Stored] {
        let bytes = packed(&EXPORT, method);
        let content = judged(&bytes).unwrap();
        let documents = [("_components/list/entries", 1), ("messages", 2)];
        let documents = documents.map(|(table, count)| (table.to_owned(), count));
        assert_eq!(content.documents, BTreeMap::from(documents));
        assert_eq!((content.files, content.all_documents()), (1, 3));
        assert_eq!(content.bytes, bytes.len() as u64);
        assert_eq!(content.sha256, hex::encode(Sha256::digest(&bytes)));
    }
}

#[test]
fn an_empty_export_is_one() {
    let lists = [("_tables/documents.jsonl", ""), ("_storage/documents.jsonl", "")];
    let content = judged(&packed(&lists, CompressionMethod::Stored));
    assert_eq!(content.unwrap().all_documents(), 0);
}

/// With files there is a list of them, be it empty (`crates/exports/src/export_storage.rs` upstream).
#[test]
fn an_export_that_was_made_without_files_is_none() {
    for left in ["_storage/documents.jsonl", "_storage/"] {
        let entries: Vec<_> = EXPORT.into_iter().filter(|(it, _)| !it.starts_with(left)).collect();
        let told = judged(&packed(&entries, CompressionMethod::Deflated)).unwrap_err();
        assert!(matches!(told, Error::NoFiles), "{told}");
        assert_eq!(told.reason(), "SnapshotIncomplete");
    }
}

#[test]
fn an_export_that_was_cut_off_anywhere_is_none() {
    let bytes = packed(&EXPORT, CompressionMethod::Deflated);
    for length in (0..bytes.len()).step_by(7) {
        assert!(judged(&bytes[..length]).is_err(), "{length} of {} bytes", bytes.len());
    }
    assert_eq!(reason(&bytes[..bytes.len() / 2]), "SnapshotTruncated");
}

/// A bit of a document that turns is seen by its checksum, whatever it turns into.
#[test]
fn a_single_bit_of_the_content_that_turned_is_seen() {
    let bytes = packed(&EXPORT, CompressionMethod::Stored);
    let at = bytes.windows(2).position(|it| it == b"hi").unwrap();
    let mut turned = bytes.clone();
    turned[at] ^= 1;
    let Err(Error::Damaged { entry, why }) = judged(&turned) else { panic!("it is not seen") };
    assert_eq!(entry, "messages/documents.jsonl");
    assert!(why.to_lowercase().contains("checksum"), "{why}");
    let at = bytes.windows(5).position(|it| it == b"bytes").unwrap();
    let mut turned = bytes;
    turned[at] ^= 1;
    assert_eq!(reason(&turned), "SnapshotCorrupt");
}

#[test]
fn documents_that_are_no_json_are_told_by_table_and_number_and_never_by_content() {
    let error = judged(&with("messages/documents.jsonl", "{\"_id\":\"a\"}\n{\"hush")).unwrap_err();
    assert_eq!(error.reason(), "SnapshotCorrupt");
    let told = error.to_string();
    assert!(
        told.contains("messages/documents.jsonl") && told.contains("after 1 documents"),
        "{told}"
    );
    assert!(!told.contains("hush"), "{told}");
}

#[test]
fn what_is_listed_and_not_there_is_missed() {
    assert_eq!(reason(&without("messages/documents.jsonl")), "SnapshotIncomplete");
    assert_eq!(reason(&without("_storage/kg2.png")), "SnapshotIncomplete");
    assert_eq!(reason(&without("_components/list/entries/documents.jsonl")), "SnapshotIncomplete");
    assert_eq!(reason(&without("_tables/documents.jsonl")), "SnapshotNotAnExport");
}

#[test]
fn a_file_is_found_by_its_id_and_not_by_one_that_begins_like_it() {
    let other = EXPORT.map(|(name, text)| {
        (if name == "_storage/kg2.png" { "_storage/kg22.png" } else { name }, text)
    });
    assert_eq!(reason(&packed(&other, CompressionMethod::Stored)), "SnapshotIncomplete");
    let bare = EXPORT
        .map(|(name, text)| (if name == "_storage/kg2.png" { "_storage/kg2" } else { name }, text));
    assert_eq!(judged(&packed(&bare, CompressionMethod::Stored)).unwrap().files, 1);
}

/// Upstream's ids have no dot; of one that has, the name still begins with all of it.
#[test]
fn an_id_with_a_dot_is_found_with_an_extension_and_without() {
    for (id, name, files) in [
        ("a.b", "_storage/a.b", Ok(1)),
        ("a.b", "_storage/a.b.png", Ok(1)),
        ("a", "_storage/a.b.png", Ok(1)),
        ("a.b", "_storage/a.png", Err("SnapshotIncomplete")),
        ("a.b", "_storage/a", Err("SnapshotIncomplete")),
        ("a", "_components/list/_storage/a", Err("SnapshotIncomplete")),
    ] {
        let list = format!("{{\"_id\":\"{id}\"}}\n");
        let entries =
            [("_tables/documents.jsonl", ""), ("_storage/documents.jsonl", &list), (name, "")];
        let judged = judged(&packed(&entries, CompressionMethod::Stored));
        let found = judged.map(|it| it.files).map_err(|it| it.reason());
        assert_eq!(found, files, "{id} by {name}");
    }
}

#[test]
fn files_are_missed_folder_by_folder_and_one_that_is_listed_twice_counts_twice() {
    let id = |id: &str| format!("{{\"_id\":\"{id}\"}}\n");
    let (there, twice, both) =
        (id("a"), [id("a"), id("a")].concat(), [id("a"), id("b"), id("b")].concat());
    let missed = |app: &str, component: &str| {
        judged(&packed(
            &[
                // Nothing says that the list comes first.
                ("_storage/a.png", ""),
                ("_tables/documents.jsonl", ""),
                ("_storage/documents.jsonl", app),
                ("_components/list/_storage/documents.jsonl", component),
                ("_components/list/_storage/a", ""),
            ],
            CompressionMethod::Deflated,
        ))
    };
    assert_eq!(missed(&there, &twice).unwrap().files, 3);
    for (app, component, folder) in
        [(&both, &twice, "_storage"), (&there, &both, "_components/list/_storage")]
    {
        let Err(Error::FilesMissing { storage, missing, listed }) = missed(app, component) else {
            panic!("nothing is missed in {folder}")
        };
        assert_eq!((storage.as_str(), missing, listed), (folder, 2, 3));
    }
}

#[test]
fn a_file_that_is_no_archive_is_told_so() {
    assert_eq!(reason(b"<html>502 Bad Gateway</html>"), "SnapshotTruncated");
}

/// A disk that breaks.
struct Broken;

impl Archive for Broken {
    fn bytes(&self) -> io::Result<u64> {
        Ok(1)
    }

    fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
        Err(io::Error::other("input/output error"))
    }
}

#[test]
fn an_archive_that_cannot_be_read_is_told_so() {
    let told = Content::read(&Broken).unwrap_err();
    assert_eq!(told.reason(), "SnapshotUnreadable");
    assert_eq!(told.to_string(), "it cannot be read: input/output error");
}
