use serde_json::json;

use super::*;

fn change(store: &Store, alter: impl FnOnce(&mut State)) {
    store
        .change(|state| {
            alter(state);
            io::Result::Ok(())
        })
        .unwrap();
}

#[test]
fn what_was_changed_is_there_after_another_start() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path(), 128).unwrap();
    change(&store, |state| state.paused = true);
    let id = store.read(|state| state.store.clone());
    let again = Store::open(data.path(), 130).unwrap();
    again.read(|state| {
        assert!(state.paused);
        assert_eq!((&state.store, state.metadata_version), (&id, 128));
    });
}

#[test]
fn a_change_that_fails_changes_nothing() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path(), 128).unwrap();
    let refused = store.change(|state| {
        state.paused = true;
        Err::<(), _>(io::Error::other("no"))
    });
    assert!(refused.is_err());
    assert!(!store.read(|state| state.paused));
    assert!(!Store::open(data.path(), 128).unwrap().read(|state| state.paused));
}

#[test]
fn a_change_is_told_to_those_who_wait() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path(), 128).unwrap();
    let changes = store.changes();
    assert!(!changes.has_changed().unwrap());
    change(&store, |state| state.functions.push(json!("a:b")));
    assert!(changes.has_changed().unwrap());
}

#[test]
fn a_start_removes_files_that_no_state_names() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path(), 128).unwrap();
    fs::write(store.path("tables/left"), "").unwrap();
    fs::create_dir(store.path("tables/left.files")).unwrap();
    store.append("messages", vec![serde_json::Map::new()]).unwrap();
    let again = Store::open(data.path(), 128).unwrap();
    assert!(!again.path("tables/left").exists() && !again.path("tables/left.files").exists());
    assert_eq!(again.documents("messages").unwrap().len(), 1);
}

#[test]
fn two_stores_are_told_apart_by_their_ids() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let id = |data: &Path| Store::open(data, 128).unwrap().read(|state| state.store.clone());
    assert_ne!(id(one.path()), id(two.path()));
}
