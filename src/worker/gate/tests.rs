use statemachine::{
    pins::{Revision, Store},
    worlds::born,
};
use tempfile::TempDir;

use super::*;

fn of_version(version: &str) -> Backend {
    let mut backend = born();
    backend.release.version = version.to_owned();
    backend.release.image = format!("example.com/backend:{version}");
    backend
}

/// A pod for this backend, in front of this record.
fn asks(template: &Backend, record: Option<&Record>) -> Options {
    Options {
        pod: "dev-backend-0".to_owned(),
        only: "dev-backend-0".to_owned(),
        template: serde_json::to_string(template).unwrap(),
        record: record.map(|it| serde_json::to_string(it).unwrap()).unwrap_or_default(),
        data: None,
        remember: true,
        copied: false,
        report: PathBuf::from("/dev/null"),
        preflight: preflight::Options::default(),
    }
}

fn open(backend: &Backend) -> Record {
    Record::next(None, backend, true)
}

#[test]
fn what_the_record_asks_for_passes() {
    pass(&asks(&born(), Some(&open(&born())))).unwrap();
}

#[test]
fn another_version_image_engine_or_store_does_not_pass_and_both_are_told() {
    let changes: [&dyn Fn(&mut Backend); 4] = [
        &|it| it.release.version = "v9".to_owned(),
        &|it| it.release.image = "elsewhere:v1".to_owned(),
        &|it| it.release.engine = "other".to_owned(),
        &|it| it.store = Store::Made(Revision("9".to_owned())),
    ];
    for change in changes {
        let mut other = born();
        change(&mut other);
        assert_ne!(other, born());
        let refusal = pass(&asks(&other, Some(&open(&born())))).unwrap_err();
        assert!(matches!(refusal, Error::Other { .. }), "{refusal:?}");
        let told = refusal.to_string();
        assert!(told.contains(&other.release.version) && told.contains(&born().release.version));
        assert!(told.contains("spec.version"), "what to do: {told}");
    }
}

#[test]
fn a_record_that_is_missing_closed_or_unreadable_means_closed() {
    assert!(matches!(pass(&asks(&born(), None)), Err(Error::RecordMissing)));
    let shut = Record::next(None, &born(), false);
    assert!(matches!(pass(&asks(&born(), Some(&shut))), Err(Error::Closed(_))));
    let torn = Options { record: "{".to_owned(), ..asks(&born(), None) };
    assert!(matches!(pass(&torn), Err(Error::RecordUnreadable(_))));
}

#[test]
fn a_second_pod_does_not_pass() {
    let second = Options { pod: "dev-backend-1".to_owned(), ..asks(&born(), Some(&open(&born()))) };
    assert!(matches!(pass(&second), Err(Error::AnotherPod { .. })));
}

/// Whatever the record says: it may be lost with its cluster, and written anew by somebody who knows less.
#[test]
fn a_volume_is_not_opened_by_a_version_that_it_has_left_behind() {
    let volume = TempDir::new().unwrap();
    let opens = |version: &str| {
        let backend = of_version(version);
        let data = Some(volume.path().to_owned());
        pass(&Options { data, ..asks(&backend, Some(&open(&backend))) })
    };
    for version in ["v1", "v1", "v2", "v3", "v3"] {
        opens(version).unwrap();
    }
    let refusal = opens("v2").unwrap_err();
    assert!(matches!(&refusal, Error::Outgrown { last, .. } if last == "v3"), "{refusal:?}");
    opens("v3").unwrap();
}

#[test]
fn a_volume_is_not_opened_by_an_image_that_it_has_left_behind_whatever_its_version_is_called() {
    let volume = TempDir::new().unwrap();
    let opens = |image: &str| {
        let mut backend = of_version("v1");
        backend.release.image = format!("example.com/backend:{image}");
        let data = Some(volume.path().to_owned());
        pass(&Options { data, ..asks(&backend, Some(&open(&backend))) })
    };
    for image in ["v1", "v1-patched", "v1-patched"] {
        opens(image).unwrap();
    }
    assert!(matches!(opens("v1").unwrap_err(), Error::Outgrown { .. }));
    opens("v1-once-more").unwrap();
}

#[test]
fn a_volume_is_not_opened_by_a_version_that_it_has_left_behind_whatever_its_image_is_called() {
    let volume = TempDir::new().unwrap();
    let opens = |version: &str, image: &str| {
        let mut backend = of_version(version);
        backend.release.image = format!("example.com/{image}");
        let data = Some(volume.path().to_owned());
        pass(&Options { data, ..asks(&backend, Some(&open(&backend))) })
    };
    opens("v1", "backend:v1").unwrap();
    opens("v2", "backend:v2").unwrap();
    let refusal = opens("v1", "mirrored@sha256:aa").unwrap_err();
    assert!(matches!(&refusal, Error::Outgrown { last, .. } if last == "v2"), "{refusal:?}");
}

/// Whoever begins on an empty volume takes nothing for everything.
#[test]
fn a_volume_that_was_made_for_a_copy_is_opened_once_that_is_whole() {
    let (original, volume) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    std::fs::write(original.path().join("db.sqlite3"), "rows").unwrap();
    let opens = || {
        let data = Some(volume.path().to_owned());
        pass(&Options { data, copied: true, ..asks(&born(), Some(&open(&born()))) })
    };
    let refusal = opens().unwrap_err();
    assert!(matches!(refusal, Error::CopyUnfinished), "{refusal:?}");
    let (from, to) = (original.path().to_owned(), volume.path().to_owned());
    copy::Copy { id: "7-1".to_owned(), from, to }.make().unwrap();
    opens().unwrap();
}

/// The image of a mistyped version is never had, and its volume never opened.
#[test]
fn a_volume_remembers_who_comes_as_far_as_opening_it() {
    let volume = TempDir::new().unwrap();
    let asks = |version: &str, remember: bool| {
        let backend = of_version(version);
        let data = Some(volume.path().to_owned());
        pass(&Options { data, remember, ..asks(&backend, Some(&open(&backend))) })
    };
    asks("v1", true).unwrap();
    asks("mistyped", false).unwrap();
    asks("v1", true).unwrap();
    asks("v2", true).unwrap();
    assert!(matches!(asks("v1", false), Err(Error::Outgrown { .. })));
}

#[test]
fn a_memory_that_cannot_be_read_is_left_as_it_is_and_lets_nobody_in() {
    let volume = TempDir::new().unwrap();
    let path = volume.path().join(crate::worker::copy::OWN).join("opened.json");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "{torn").unwrap();
    let data = Some(volume.path().to_owned());
    let refusal = pass(&Options { data, ..asks(&born(), Some(&open(&born()))) }).unwrap_err();
    assert!(matches!(refusal, Error::Memory(..)), "{refusal:?}");
    assert_eq!(fs::read_to_string(path).unwrap(), "{torn");
}

#[test]
fn a_refusal_is_left_where_the_kubelet_reads_it() {
    let folder = TempDir::new().unwrap();
    let report = folder.path().join("log");
    run(&Options { report: report.clone(), ..asks(&born(), None) }).unwrap_err();
    assert!(fs::read_to_string(report).unwrap().starts_with("there is no record"));
}
