//! What a copy holds, a line of JSON for each entry, and whether it is whole.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Write},
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::{
    Error,
    entry::{Entry, Kind},
    error::At,
};
use crate::worker::report::Report;

const STATE: &str = "copy.json";
const ENTRIES: &str = "entries.jsonl";
/// What the container that copies has reported, for the one after it.
const REPORT: &str = "report.json";

/// What is known of a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// What the operator calls it.
    pub(super) id: String,
    /// Whether it was read back as a whole.
    pub(super) whole: bool,
    /// The digest of its entries, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
}

/// One entry, as it was copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    /// Where it is, relative to the volume: its bytes, for names need not be text.
    pub(super) path: String,
    /// `file`, `folder` or `link`.
    pub(super) kind: String,
    /// The size of a file, in bytes.
    pub(super) size: u64,
    /// Permissions, owner, group.
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// When it was changed, in seconds and nanoseconds.
    pub(super) mtime: (i64, i64),
    /// The digest of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
    /// Where a link leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<String>,
}

/// What was read back of a whole copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ReadBack {
    pub(super) entries: u64,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// A manifest that is being written.
pub(super) struct Manifest {
    path: PathBuf,
    out: BufWriter<File>,
}

impl Line {
    /// What there is to say about an entry; none about what is not copied.
    pub(super) fn of(entry: &Entry, sha256: Option<&str>) -> Option<Self> {
        let (kind, to) = match &entry.kind {
            Kind::File => ("file", None),
            Kind::Folder => ("folder", None),
            Kind::Link(to) => ("link", Some(written(to.as_os_str()))),
            Kind::Socket | Kind::Device => return None,
        };
        let it = &entry.metadata;
        Some(Self {
            path: written(entry.path.as_os_str()),
            kind: kind.to_owned(),
            size: entry.length(),
            // The mode of a link is nobody's to set.
            mode: if kind == "link" { 0 } else { entry.mode() },
            uid: it.uid(),
            gid: it.gid(),
            mtime: (it.mtime(), it.mtime_nsec()),
            sha256: sha256.map(str::to_owned),
            to,
        })
    }
}

/// A name as text where it is text, else its bytes in hexadecimal after a byte that no name has.
fn written(name: &OsStr) -> String {
    name.to_str().map_or_else(|| format!("\0{}", hex::encode(name.as_bytes())), str::to_owned)
}

impl Manifest {
    /// Begins a copy that is not whole.
    pub(super) fn begin(own: &Path, id: &str) -> Result<Self, Error> {
        fs::create_dir_all(own).at(own)?;
        put(own, &State { id: id.to_owned(), whole: false, sha256: None })?;
        let path = own.join(ENTRIES);
        let out = BufWriter::new(File::create(&path).at(&path)?);
        Ok(Self { path, out })
    }

    pub(super) fn add(&mut self, entry: &Entry, sha256: Option<&str>) -> Result<(), Error> {
        let Some(line) = Line::of(entry, sha256) else { return Ok(()) };
        let text = serde_json::to_string(&line).map_err(io::Error::from).at(&self.path)?;
        writeln!(self.out, "{text}").at(&self.path)
    }

    pub(super) fn end(self) -> Result<(), Error> {
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error).at(&self.path)?;
        file.sync_all().at(&self.path)
    }
}

/// The lines of a manifest, each with its text.
pub(super) fn lines(
    own: &Path,
) -> Result<impl Iterator<Item = Result<(String, Line), Error>> + use<>, Error> {
    let path = own.join(ENTRIES);
    let reader = BufReader::new(File::open(&path).at(&path)?);
    Ok(reader.lines().map(move |text| {
        let text = text.at(&path)?;
        let line = serde_json::from_str(&text).map_err(|it| Error::Manifest(path.clone(), it))?;
        Ok((text, line))
    }))
}

/// The digest of a manifest, line by line.
#[derive(Default)]
pub(super) struct Sum(Sha256);

impl Sum {
    pub(super) fn add(&mut self, text: &str) {
        self.0.update(text.as_bytes());
        self.0.update(b"\n");
    }

    pub(super) fn end(self) -> String {
        hex::encode(self.0.finalize())
    }
}

/// What is known of the copy on a volume; none where there is none.
pub(super) fn state(own: &Path) -> Result<Option<State>, Error> {
    read(own, STATE)
}

/// The copy is whole.
pub(super) fn seal(own: &Path, id: &str, read_back: &ReadBack) -> Result<(), Error> {
    let sha256 = Some(read_back.sha256.clone());
    put(own, &State { id: id.to_owned(), whole: true, sha256 })
}

/// Keeps a report beside the copy.
pub(super) fn keep(own: &Path, report: &Report) -> Result<(), Error> {
    write(own, REPORT, report)
}

/// The report that is kept beside a copy; none where there is none.
pub(super) fn report(own: &Path) -> Result<Option<Report>, Error> {
    read(own, REPORT)
}

fn put(own: &Path, state: &State) -> Result<(), Error> {
    write(own, STATE, state)
}

fn read<T: DeserializeOwned>(own: &Path, name: &str) -> Result<Option<T>, Error> {
    let path = own.join(name);
    match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|it| Error::Manifest(path, it)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::Io(path, error)),
    }
}

/// Written beside and renamed over, so that a cut leaves the old one or the new one.
fn write(own: &Path, name: &str, value: &impl Serialize) -> Result<(), Error> {
    let (path, beside) = (own.join(name), own.join(format!("{name}.new")));
    let text = serde_json::to_vec(value).map_err(io::Error::from).at(&path)?;
    let mut file = File::create(&beside).at(&beside)?;
    file.write_all(&text).and_then(|()| file.sync_all()).at(&beside)?;
    fs::rename(&beside, &path).at(&path)?;
    File::open(own).and_then(|folder| folder.sync_all()).at(own)
}
