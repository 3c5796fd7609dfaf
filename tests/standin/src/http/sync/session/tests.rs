use std::io;

use super::*;
use crate::{
    keys::{self, Claims, Secret},
    steering::Steering,
    store::Store,
};

struct Client {
    _data: tempfile::TempDir,
    deployment: Arc<Deployment>,
    session: Session,
}

impl Client {
    fn connecting() -> Self {
        let data = tempfile::tempdir().unwrap();
        let deployment = Arc::new(Deployment {
            name: "acme".to_owned(),
            secret: Secret::from_hex(&"ab".repeat(32)).unwrap(),
            version: "v1".to_owned(),
            metrics_disabled: false,
            steering: Steering::default(),
            data: data.path().to_owned(),
            metadata_version: 128,
            store: Arc::new(Store::open(data.path(), 128).unwrap()),
        });
        let session = Session::new(deployment.clone());
        Self { _data: data, deployment, session }
    }

    fn says(&mut self, message: &Value) -> Value {
        self.session.hear(&message.to_string()).unwrap()
    }

    fn authenticates(&mut self) -> Value {
        let key = keys::issue("acme", &self.deployment.secret, &Claims::admin(1), [0; 12]);
        self.says(&json!({
            "type": "Authenticate", "baseVersion": 0, "tokenType": "Admin", "value": key,
        }))
    }

    fn subscribes(&mut self, path: &str) -> Value {
        let query = json!({ "type": "Add", "queryId": 0, "udfPath": path, "args": [{}] });
        self.says(&json!({
            "type": "ModifyQuerySet", "baseVersion": 0, "newVersion": 1, "modifications": [query],
        }))
    }

    fn sets_a_variable(&self) {
        let set = |state: &mut crate::store::state::State| {
            state.variables.insert("A".to_owned(), "1".to_owned());
            io::Result::Ok(())
        };
        self.deployment.store.change(set).unwrap();
    }
}

const VARIABLES: &str = "_system/cli/queryEnvironmentVariables";

#[test]
fn transitions_lead_on_from_each_other_and_time_grows() {
    let mut client = Client::connecting();
    let connect = r#"{"type":"Connect","sessionId":"s","connectionCount":0}"#;
    assert_eq!(client.session.hear(connect), None);
    let first = client.authenticates();
    assert_eq!(
        first["startVersion"],
        json!({ "querySet": 0, "identity": 0, "ts": "AAAAAAAAAAA=" })
    );
    assert_eq!(first["endVersion"], json!({ "querySet": 0, "identity": 1, "ts": "AQAAAAAAAAA=" }));
    let second = client.subscribes(VARIABLES);
    assert_eq!(second["startVersion"], first["endVersion"]);
    assert_eq!(second["endVersion"], json!({ "querySet": 1, "identity": 1, "ts": "AgAAAAAAAAA=" }));
    assert_eq!(second["modifications"][0]["value"], json!([]));
}

#[test]
fn a_change_is_told_once_and_only_where_it_changes_an_answer() {
    let mut client = Client::connecting();
    client.authenticates();
    client.subscribes(VARIABLES);
    assert_eq!(client.session.look(), None);
    client.sets_a_variable();
    let told = client.session.look().unwrap();
    assert_eq!(told["modifications"][0]["value"][0]["name"], "A");
    assert_eq!(client.session.look(), None);
}

#[test]
fn a_query_that_was_removed_is_told_no_more() {
    let mut client = Client::connecting();
    client.authenticates();
    client.subscribes(VARIABLES);
    client.says(&json!({
        "type": "ModifyQuerySet", "baseVersion": 1, "newVersion": 2,
        "modifications": [{ "type": "Remove", "queryId": 0 }],
    }));
    client.sets_a_variable();
    assert_eq!(client.session.look(), None);
}

#[test]
fn without_a_key_system_queries_fail_and_a_bad_key_is_refused() {
    let mut client = Client::connecting();
    let told = client.subscribes(VARIABLES);
    assert_eq!(told["modifications"][0]["type"], "QueryFailed");
    let refused =
        client.says(&json!({ "type": "Authenticate", "baseVersion": 0, "value": "acme|01ab" }));
    assert_eq!(refused["type"], "AuthError");
}

#[test]
fn what_is_no_message_is_a_fatal_error() {
    let mut client = Client::connecting();
    assert_eq!(client.session.hear("nonsense").unwrap()["type"], "FatalError");
}
