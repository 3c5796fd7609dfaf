mod trouble;

use std::{
    ffi::OsStr,
    fs::{File, FileTimes, OpenOptions, Permissions},
    io::{Seek, SeekFrom, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, lchown},
        net::UnixListener,
    },
    time::{Duration, UNIX_EPOCH},
};

use statemachine::worlds::born;
use tempfile::TempDir;

use super::*;
use crate::plan::gate::Record;

/// Two volumes, and a copy of one onto the other.
struct Volumes {
    from: TempDir,
    to: TempDir,
}

impl Volumes {
    /// A volume with a little of everything that a file system knows.
    fn filled() -> Self {
        let it = Self { from: TempDir::new().unwrap(), to: TempDir::new().unwrap() };
        let root = it.from.path();
        fs::write(root.join("db.sqlite3"), "data".repeat(700_000)).unwrap();
        fs::write(root.join("empty"), "").unwrap();
        fs::create_dir_all(root.join("storage/modules")).unwrap();
        fs::write(root.join("storage/modules/a"), "module").unwrap();
        fs::hard_link(root.join("storage/modules/a"), root.join("storage/again")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();
        fs::write(root.join(OsStr::from_bytes(b"not \xff text")), "bytes").unwrap();
        let mut sparse = File::create(root.join("sparse")).unwrap();
        sparse.seek(SeekFrom::Start(8 << 20)).unwrap();
        sparse.write_all(b"end").unwrap();
        sparse.set_len(16 << 20).unwrap();
        fs::set_permissions(root.join("empty"), Permissions::from_mode(0o400)).unwrap();
        fs::set_permissions(root.join("storage/modules"), Permissions::from_mode(0o2550)).unwrap();
        let long_ago = FileTimes::new().set_modified(UNIX_EPOCH + Duration::new(1_000_000, 5_000));
        for aged in ["db.sqlite3", "storage"] {
            File::open(root.join(aged)).unwrap().set_times(long_ago).unwrap();
        }
        it
    }

    fn copy(&self, id: &str) -> Copy {
        Copy { id: id.into(), from: self.from.path().into(), to: self.to.path().into() }
    }

    fn target(&self, path: &str) -> PathBuf {
        self.to.path().join(path)
    }

    /// Everything that is told about a path, in words that two volumes can be compared by.
    fn told(root: &Path) -> Vec<String> {
        let mut all = Vec::new();
        for entry in walkdir::WalkDir::new(root).min_depth(1).sort_by_file_name() {
            let entry = entry.unwrap();
            let (path, it) = (entry.path(), entry.path().symlink_metadata().unwrap());
            let name = path.strip_prefix(root).unwrap().to_owned();
            if name.starts_with(OWN) {
                continue;
            }
            let content = match it.file_type() {
                type_ if type_.is_file() => fs::read(path).unwrap(),
                type_ if type_.is_symlink() => {
                    fs::read_link(path).unwrap().as_os_str().as_bytes().to_vec()
                }
                _ => Vec::new(),
            };
            let digest = &content
                .iter()
                .fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
            all.push(format!(
                "{name:?} {:o} {}:{} {}.{} links {} length {} content {digest}",
                it.mode(),
                it.uid(),
                it.gid(),
                it.mtime(),
                it.mtime_nsec(),
                if it.is_file() { it.nlink() } else { 0 },
                content.len(),
            ));
        }
        all
    }
}

/// A record that shuts the gate and lets this attempt move data.
fn permitting(attempt: &str) -> String {
    let shut = Record::next(None, &born(), false).permitting(Some(attempt.to_owned()));
    serde_json::to_string(&shut).unwrap()
}

fn reason(copy: &Copy) -> &'static str {
    copy.make().unwrap_err().reason()
}

#[test]
fn a_copy_is_what_was_copied_in_all_that_a_file_system_tells() {
    let volumes = Volumes::filled();
    let Report::Copied { id, entries, bytes, sha256 } = volumes.copy("7-1").make().unwrap() else {
        panic!("not copied")
    };
    assert_eq!((id.as_str(), entries, sha256.len()), ("7-1", 9, 64));
    assert_eq!(bytes, 2_800_000 + 6 + 6 + 5 + (16 << 20));
    assert_eq!(Volumes::told(volumes.to.path()), Volumes::told(volumes.from.path()));
}

#[test]
fn holes_stay_holes() {
    let volumes = Volumes::filled();
    volumes.copy("7-1").make().unwrap();
    let blocks = |root: &TempDir| root.path().join("sparse").metadata().unwrap().blocks();
    assert!(blocks(&volumes.to) <= blocks(&volumes.from), "{}", blocks(&volumes.to));
}

/// Jobs of the operator may run as the user that owns the data, which is not root.
#[test]
fn owners_are_kept_where_it_is_allowed() {
    let volumes = Volumes::filled();
    let root = rustix::process::geteuid().is_root();
    if root {
        lchown(volumes.from.path().join("empty"), Some(1001), Some(1002)).unwrap();
        lchown(volumes.from.path().join("dangling"), Some(1001), Some(1002)).unwrap();
    }
    volumes.copy("7-1").make().unwrap();
    let owner = volumes.target("dangling").symlink_metadata().unwrap();
    let expected =
        if root { (1001, 1002) } else { (rustix::process::geteuid().as_raw(), owner.gid()) };
    assert_eq!((owner.uid(), owner.gid()), expected);
    assert_eq!(Volumes::told(volumes.to.path()), Volumes::told(volumes.from.path()));
}

#[test]
fn a_second_run_reads_back_and_copies_nothing() {
    let volumes = Volumes::filled();
    let first = volumes.copy("7-1").make().unwrap();
    // What is no longer there cannot be copied again.
    fs::remove_file(volumes.from.path().join("db.sqlite3")).unwrap();
    assert_eq!(volumes.copy("7-1").make().unwrap(), first);
    assert!(volumes.target("db.sqlite3").exists());
}

#[test]
fn a_run_that_was_cut_off_is_started_anew() {
    let volumes = Volumes::filled();
    let own = volumes.target(OWN);
    Manifest::begin(&own, "7-1").unwrap();
    fs::write(volumes.target("db.sqlite3"), "half of").unwrap();
    fs::create_dir(volumes.target("left-over")).unwrap();
    volumes.copy("7-1").make().unwrap();
    assert_eq!(Volumes::told(volumes.to.path()), Volumes::told(volumes.from.path()));
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let volumes = Volumes::filled();
    fs::write(volumes.target("theirs"), "precious").unwrap();
    assert_eq!(reason(&volumes.copy("7-1")), "TargetNotEmpty");
    assert_eq!(fs::read(volumes.target("theirs")).unwrap(), b"precious");
    assert!(!volumes.target(OWN).exists());
}

#[test]
fn the_copy_of_another_attempt_is_not_written_over() {
    let volumes = Volumes::filled();
    volumes.copy("7-1").make().unwrap();
    assert_eq!(reason(&volumes.copy("7-2")), "TargetNotEmpty");
    volumes.copy("7-1").make().unwrap();
}

#[test]
fn what_the_file_system_keeps_for_itself_is_no_data() {
    let volumes = Volumes::filled();
    for root in [&volumes.from, &volumes.to] {
        fs::create_dir(root.path().join(LOST_AND_FOUND)).unwrap();
        let made = FileTimes::new().set_modified(UNIX_EPOCH);
        File::open(root.path().join(LOST_AND_FOUND)).unwrap().set_times(made).unwrap();
    }
    // A volume that was a copy once is copied without what the copy kept beside it.
    fs::create_dir(volumes.from.path().join(OWN)).unwrap();
    fs::write(volumes.from.path().join(OWN).join("copy.json"), "{}").unwrap();
    volumes.copy("7-1").make().unwrap();
    assert_eq!(Volumes::told(volumes.to.path()), Volumes::told(volumes.from.path()));
}

#[test]
fn a_socket_holds_no_data_and_is_left_out() {
    let volumes = Volumes::filled();
    let _listener = UnixListener::bind(volumes.from.path().join("socket")).unwrap();
    volumes.copy("7-1").make().unwrap();
    assert!(!volumes.target("socket").exists());
}

#[test]
fn a_copy_remembers_who_has_opened_the_original() {
    let volumes = Volumes::filled();
    let remembered = |root: &Path| fs::read(root.join(OWN).join("opened.json")).ok();
    let own = volumes.from.path().join(OWN);
    fs::create_dir(&own).unwrap();
    fs::write(own.join("opened.json"), r#"{"opened":["v1","v2"]}"#).unwrap();
    volumes.copy("7-1").make().unwrap();
    let told = remembered(volumes.to.path());
    assert!(told.is_some() && told == remembered(volumes.from.path()));
}

#[test]
fn a_job_reports_how_it_ended() {
    let volumes = Volumes::filled();
    let report = TempDir::new().unwrap();
    let options = Options {
        id: "7-1".into(),
        from: volumes.from.path().into(),
        to: volumes.to.path().into(),
        record: permitting("7-1"),
        report: report.path().join("termination-log"),
    };
    let told = || serde_json::from_slice::<Report>(&fs::read(&options.report).unwrap()).unwrap();
    run(&options).unwrap();
    assert!(matches!(told(), Report::Copied { .. }));
    let other = Options { id: "8-1".into(), record: permitting("8-1"), ..options.clone() };
    run(&other).unwrap_err();
    assert!(matches!(told(), Report::Failed { reason, .. } if reason == "TargetNotEmpty"));
}
