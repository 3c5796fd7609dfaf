use serde_json::json;

use super::*;

fn opened(data: &Path) -> Arc<Store> {
    Arc::new(Store::open(data, 128).unwrap())
}

fn latest(store: &Store) -> Export {
    store.read(|state| state.exports.last().cloned().unwrap())
}

/// An export that is recorded and that nobody works on.
fn recorded(store: &Arc<Store>) -> String {
    let stalls = crate::environment::Environment::from([
        ("STANDIN_EXPORT_STALLS_VERSIONS", "v1"),
        ("CONVEX_RELEASE_VERSION_DEV", "v1"),
    ]);
    request(store, &Steering::of(&stalls), true).unwrap();
    latest(store).id
}

#[test]
fn an_export_shows_the_moment_at_which_it_began() {
    let data = tempfile::tempdir().unwrap();
    let store = opened(data.path());
    let document = |n| serde_json::from_value(json!({ "n": n })).unwrap();
    store.append("messages", vec![document(1)]).unwrap();
    let id = recorded(&store);
    let snapshot = begin(&store, &id).unwrap().unwrap();
    store.append("messages", vec![document(2)]).unwrap();
    assert_eq!(store.lines(&snapshot.tables["messages"]).unwrap().count(), 1);
}

#[test]
fn only_one_export_is_open_at_a_time() {
    let data = tempfile::tempdir().unwrap();
    let store = opened(data.path());
    let id = recorded(&store);
    let again = request(&store, &Steering::default(), false);
    assert!(matches!(again, Err(RequestError::InProgress)));
    assert!(cancel(&store, &id).unwrap());
    assert!(request(&store, &Steering::default(), false).is_ok());
}

#[test]
fn a_canceled_export_does_not_complete() {
    let data = tempfile::tempdir().unwrap();
    let store = opened(data.path());
    let id = recorded(&store);
    begin(&store, &id).unwrap().unwrap();
    cancel(&store, &id).unwrap();
    complete(&store, &id, 1).unwrap();
    assert_eq!(latest(&store).state, ExportState::Canceled);
    assert!(begin(&store, &id).unwrap().is_none());
    assert!(!cancel(&store, &id).unwrap());
}

#[test]
fn an_export_that_was_interrupted_is_made_after_the_next_start() {
    let data = tempfile::tempdir().unwrap();
    let id = recorded(&opened(data.path()));
    let store = opened(data.path());
    make(&store, &Steering::default(), &id).unwrap();
    let export = latest(&store);
    assert_eq!(export.state, ExportState::Completed);
    let zip = store.path(&format!("exports/{id}.zip"));
    assert_eq!(export.size, Some(i64::try_from(fs::metadata(zip).unwrap().len()).unwrap()));
    assert!(export.start_ts < export.complete_ts && export.complete_ts < export.expiration_ts);
}
