use std::{
    fs,
    path::{Path, PathBuf},
};

use statemachine::worlds::born;
use tempfile::TempDir;

use super::*;
use crate::{plan::gate::Record, worker::copy::Copy};

/// Two volumes, one of them copied to the other.
fn copied(id: &str) -> (TempDir, TempDir, Report) {
    let (from, to) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    fs::write(from.path().join("db.sqlite3"), "data").unwrap();
    let copy = Copy { id: id.to_owned(), from: from.path().into(), to: to.path().into() };
    let report = copy.make().unwrap();
    (from, to, report)
}

fn asks(to: &Path, id: &str, record: &Record) -> Options {
    Options {
        id: id.to_owned(),
        to: to.to_owned(),
        record: serde_json::to_string(record).unwrap(),
        report: PathBuf::from("/dev/null"),
    }
}

fn permitting(attempt: Option<&str>) -> Record {
    Record::next(None, &born(), false).permitting(attempt.map(str::to_owned))
}

#[test]
fn what_the_copy_has_reported_is_repeated() {
    let (_from, to, report) = copied("7-1");
    let told = to.path().join("log");
    let asked = asks(to.path(), "7-1", &permitting(Some("7-1")));
    run(&Options { report: told.clone(), ..asked }).unwrap();
    assert_eq!(serde_json::from_slice::<Report>(&fs::read(told).unwrap()).unwrap(), report);
}

/// Somebody took the permit away, or opened the gate, while it was copied.
#[test]
fn a_copy_that_was_not_permitted_to_its_end_is_none() {
    let (_from, to, _) = copied("7-1");
    let open = Record { open: true, ..permitting(Some("7-1")) };
    let later = permitting(Some("7-2"));
    let refused =
        [(&open, "GateOpen"), (&later, "NotPermitted"), (&permitting(None), "NotPermitted")];
    for (record, reason) in refused {
        let told = to.path().join("log");
        let asked = asks(to.path(), "7-1", record);
        run(&Options { report: told.clone(), ..asked }).unwrap_err();
        let report: Report = serde_json::from_slice(&fs::read(told).unwrap()).unwrap();
        assert!(matches!(&report, Report::Failed { reason: it, .. } if it == reason), "{report:?}");
    }
}

#[test]
fn a_volume_without_a_whole_copy_of_this_name_has_nothing_to_repeat() {
    let empty = TempDir::new().unwrap();
    let permitted = permitting(Some("7-1"));
    let of = |to: &Path| passed(&asks(to, "7-1", &permitted)).unwrap_err().reason();
    assert_eq!(of(empty.path()), "NotMade");
    let (_from, other, _) = copied("6-1");
    assert_eq!(of(other.path()), "NotMade");
    // A report that lies beside a copy that is not whole, or not the one that it is about.
    let (_from, torn, _) = copied("7-1");
    let state = torn.path().join(copy::OWN).join("copy.json");
    fs::write(&state, r#"{"id":"7-1","whole":false}"#).unwrap();
    assert_eq!(of(torn.path()), "NotMade");
    fs::write(&state, r#"{"id":"7-1","whole":true,"sha256":"00"}"#).unwrap();
    assert_eq!(of(torn.path()), "NotMade");
}
