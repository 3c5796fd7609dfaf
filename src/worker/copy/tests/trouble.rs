//! Copies that are not to be trusted, and sources that are not to be copied.

use super::*;

type Spoil = &'static dyn Fn(&Volumes);

/// Every way in which a copy can go bad after it was made.
#[test]
fn a_copy_that_is_not_what_it_was_is_no_copy() {
    let spoil: [(&str, Spoil); 6] = [
        ("digest", &|it| {
            let mut file = OpenOptions::new().write(true).open(it.target("db.sqlite3")).unwrap();
            let times = FileTimes::new().set_modified(file.metadata().unwrap().modified().unwrap());
            file.write_all(b"DATA").unwrap();
            file.set_times(times).unwrap();
        }),
        ("size", &|it| {
            File::options().write(true).open(it.target("sparse")).unwrap().set_len(5).unwrap();
        }),
        ("mode", &|it| {
            fs::set_permissions(it.target("empty"), Permissions::from_mode(0o600)).unwrap();
        }),
        ("it is missing", &|it| fs::remove_file(it.target("storage/modules/a")).unwrap()),
        ("path", &|it| fs::write(it.target("extra"), "").unwrap()),
        ("the manifest does not name it", &|it| fs::write(it.target("zzz"), "").unwrap()),
    ];
    for (expected, spoil) in spoil {
        let volumes = Volumes::filled();
        volumes.copy("7-1").make().unwrap();
        fs::set_permissions(volumes.target("storage/modules"), Permissions::from_mode(0o700))
            .unwrap();
        let folder = volumes.from.path().join("storage/modules");
        let of = folder.metadata().unwrap();
        spoil(&volumes);
        let times = FileTimes::new().set_modified(of.modified().unwrap());
        let target = File::open(volumes.target("storage/modules")).unwrap();
        target.set_permissions(of.permissions()).unwrap();
        target.set_times(times).unwrap();
        match volumes.copy("7-1").make() {
            Err(Error::Differs { what, .. }) => assert_eq!(what, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
}

#[test]
fn somebody_who_writes_to_the_source_is_found_out() {
    let volumes = Volumes::filled();
    let before = entries(volumes.from.path()).map(Result::unwrap);
    let entry = before.into_iter().find(|it| it.path == Path::new("db.sqlite3")).unwrap();
    entry.unchanged().unwrap();
    fs::write(&entry.absolute, "more").unwrap();
    assert_eq!(entry.unchanged().unwrap_err().reason(), "SourceChanged");
}

#[test]
fn too_little_room_is_found_out_before_anything_is_written() {
    assert!(fits(1 << 30, 2 << 30).is_ok());
    assert_eq!(fits(1 << 30, 1 << 30).unwrap_err().reason(), "NoRoom");
    assert_eq!(fits(0, 1 << 19).unwrap_err().reason(), "NoRoom");
    let volumes = Volumes::filled();
    let once = volumes.copy("7-1").needed().unwrap();
    fs::hard_link(volumes.from.path().join("db.sqlite3"), volumes.from.path().join("b")).unwrap();
    assert_eq!(volumes.copy("7-1").needed().unwrap(), once, "a second name takes up nothing");
}

#[test]
fn nothing_is_copied_without_a_permit() {
    let volumes = Volumes::filled();
    let report = TempDir::new().unwrap();
    let open = Record::next(None, &born(), true).permitting(Some("7-1".to_owned()));
    let open = serde_json::to_string(&open).unwrap();
    let refused =
        [(String::new(), "RecordMissing"), (permitting("7-2"), "NotPermitted"), (open, "GateOpen")];
    for (record, reason) in refused {
        let options = Options {
            id: "7-1".into(),
            from: volumes.from.path().into(),
            to: volumes.to.path().into(),
            record,
            report: report.path().join("termination-log"),
        };
        assert_eq!(run(&options).unwrap_err().reason(), reason);
        assert_eq!(fs::read_dir(volumes.to.path()).unwrap().count(), 0, "{reason}");
    }
}
