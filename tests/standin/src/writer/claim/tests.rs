//! The oracle, both ways, without the kernel's help where that would hide what is tried.

use super::*;

fn writer(name: &str) -> Writer {
    Writer { start_id: name.to_owned(), ..Writer::starting("pod", "v1") }
}

fn second_writers(data: &Path) -> Vec<(String, Evidence)> {
    journal::read(data)
        .into_iter()
        .filter_map(|entry| match entry {
            Entry::SecondWriter { writer, seen_by, .. } => Some((writer.start_id, seen_by)),
            _ => None,
        })
        .collect()
}

/// Beats like a live writer on a machine whose locks are not ours.
fn remote_writer(data: &Path) -> (Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = mpsc::channel();
    lock::write(data, &Beat { writer: writer("remote"), sequence: 0 }).unwrap();
    let data = data.to_owned();
    (stop, thread::spawn(move || beat_until(&stopped, &data, &writer("remote"))))
}

#[test]
fn a_live_writer_is_seen_by_the_kernels_lock() {
    let data = tempfile::tempdir().unwrap();
    let _first = Claim::take(data.path(), writer("first")).unwrap();
    let _second = Claim::take(data.path(), writer("second")).unwrap();
    assert!(second_writers(data.path()).contains(&("second".to_owned(), Evidence::FileLock)));
}

#[test]
fn a_live_writer_elsewhere_is_seen_by_its_heartbeat_and_sees_us_too() {
    let data = tempfile::tempdir().unwrap();
    let (_stop, remote) = remote_writer(data.path());
    let _ours = Claim::take(data.path(), writer("ours")).unwrap();
    remote.join().unwrap();
    assert_eq!(
        second_writers(data.path()),
        [("ours".to_owned(), Evidence::Heartbeat), ("remote".to_owned(), Evidence::LockTaken)]
    );
    assert_eq!(marker::read(data.path()).unwrap().second_writers, 2);
}

#[test]
fn a_lock_that_stands_still_is_taken_over_in_silence() {
    let data = tempfile::tempdir().unwrap();
    lock::write(data.path(), &Beat { writer: writer("killed"), sequence: 41 }).unwrap();
    Claim::take(data.path(), writer("next")).unwrap().release().unwrap();
    assert_eq!(second_writers(data.path()), []);
    let Entry::Start { took_over, .. } = &journal::read(data.path())[0] else { panic!("a start") };
    assert_eq!(took_over.as_deref(), Some("killed"));
}

#[test]
fn a_clean_handover_is_seen_as_two_starts_and_no_second_writer() {
    let data = tempfile::tempdir().unwrap();
    for name in ["first", "second"] {
        Claim::take(data.path(), writer(name)).unwrap().release().unwrap();
    }
    let marker = marker::read(data.path()).unwrap();
    assert_eq!((marker.first_start.as_str(), marker.starts), ("first", 2));
    assert_eq!(marker.second_writers, 0);
    assert_eq!(lock::read(data.path()), None);
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let error = Claim::take(Path::new("/nowhere/at/all"), writer("x")).err().unwrap();
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
}
