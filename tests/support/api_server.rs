//! An API server in memory: enough REST for the operator, every request remembered.

mod by_hand;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::http::{Request, Response, StatusCode};
use kube::{Client, client::Body};
use serde_json::{Value, json};

use super::{
    fields,
    request::{Asked, Verb},
};

/// Plural, namespace and name.
type Address = (String, String, String);
/// A status code and a body.
type Answer = (u16, Value);

#[derive(Default)]
struct State {
    objects: BTreeMap<Address, Value>,
    revision: u64,
    asked: Vec<Asked>,
    log: Option<String>,
    faults: Vec<(String, u16)>,
    interludes: Vec<Interlude>,
}

/// What somebody does before a request is answered: how the request begins, how many like it come before, and
/// what is done.
type Interlude = (String, usize, Act);
type Act = Box<dyn FnOnce(&ApiServer) + Send>;

/// The API server; its clones are the same one.
#[derive(Clone, Default)]
pub struct ApiServer(Arc<Mutex<State>>);

impl ApiServer {
    /// A client that talks to it.
    pub fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { Ok::<_, std::convert::Infallible>(server.answer(request).await) }
        });
        Client::new(service, "default")
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let asked = Asked::read(request).await;
        let interlude = self.state().interlude(&asked.words());
        if let Some(act) = interlude {
            act(self);
        }
        let (code, body) = self.state().serve(asked);
        let log = body.as_str().map(|text| text.as_bytes().to_vec());
        let bytes = log.unwrap_or_else(|| serde_json::to_vec(&body).unwrap());
        Response::builder()
            .status(StatusCode::from_u16(code).unwrap())
            .header("content-type", "application/json")
            .body(Body::from(bytes))
            .unwrap()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// What was asked to be written since the last time, in order and in words.
    pub fn writes(&self) -> Vec<String> {
        let asked = std::mem::take(&mut self.state().asked);
        asked.iter().filter(|it| it.is_write()).map(Asked::words).collect()
    }

    /// Every request since the last time, in order.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state().asked)
    }
}

fn namespace(object: &Value) -> String {
    object["metadata"]["namespace"].as_str().unwrap_or_default().to_owned()
}

fn refusal(code: u16, reason: &str, message: &str) -> Answer {
    let body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code});
    (code, body)
}

impl State {
    fn interlude(&mut self, words: &str) -> Option<Act> {
        let at = self.interludes.iter().position(|(of, ..)| words.starts_with(of.as_str()))?;
        match &mut self.interludes[at].1 {
            0 => Some(self.interludes.remove(at).2),
            before => {
                *before -= 1;
                None
            }
        }
    }

    fn serve(&mut self, asked: Asked) -> Answer {
        self.asked.push(asked.clone());
        let words = asked.words();
        if let Some(at) = self.faults.iter().position(|(of, _)| words.starts_with(of.as_str())) {
            let (_, code) = self.faults.remove(at);
            let reason = match code {
                403 => "Forbidden",
                409 => "Conflict",
                _ => "InternalError",
            };
            return refusal(code, reason, &format!("made to fail: {words}"));
        }
        if asked.verb == Verb::Create {
            return self.create(asked);
        }
        if asked.name.is_empty() {
            return (200, self.list(&asked.plural));
        }
        let address = (asked.plural.clone(), asked.namespace.clone(), asked.name.clone());
        let Some(there) = self.objects.get(&address).cloned() else {
            return refusal(404, "NotFound", &format!("{words}: not found"));
        };
        let preconditions = match asked.verb {
            Verb::Delete => &asked.body["preconditions"],
            _ => &asked.body["metadata"],
        };
        for precondition in ["uid", "resourceVersion"] {
            let held = &preconditions[precondition];
            if !held.is_null() && *held != there["metadata"][precondition] {
                return refusal(409, "Conflict", &format!("{words}: {precondition} has changed"));
            }
        }
        match asked.verb {
            Verb::Get if asked.subresource == "log" => (200, json!(self.log())),
            Verb::Get | Verb::Create => (200, there),
            Verb::Update => (200, self.replaced(&asked, there)),
            Verb::Merge => (200, self.merged(&asked, there)),
            Verb::Apply => (200, self.applied(&asked, there)),
            Verb::Delete => (200, self.deleted(&address, there)),
        }
    }

    fn log(&self) -> &str {
        self.log.as_deref().unwrap_or("INFO migrations: Migration complete\n")
    }

    fn list(&self, plural: &str) -> Value {
        let items: Vec<_> = self.objects.iter().filter(|(it, _)| it.0 == plural).collect();
        let items: Vec<_> = items.into_iter().map(|(_, object)| object.clone()).collect();
        json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items})
    }

    fn create(&mut self, asked: Asked) -> Answer {
        let name = asked.body["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        if self.objects.contains_key(&(asked.plural.clone(), asked.namespace.clone(), name)) {
            return refusal(409, "AlreadyExists", &format!("{}: already exists", asked.words()));
        }
        let mut object = asked.body;
        object["metadata"]["namespace"] = json!(asked.namespace);
        object["metadata"]["managedFields"] = json!([{"manager": asked.manager,
            "operation": "Update", "fieldsV1": fields::of(&object)}]);
        (201, self.stored(&asked.plural, object))
    }

    fn replaced(&mut self, asked: &Asked, mut there: Value) -> Value {
        assert_eq!(asked.subresource, "status", "the operator replaces nothing but status");
        there["status"] = asked.body["status"].clone();
        self.stored(&asked.plural, there)
    }

    fn merged(&mut self, asked: &Asked, there: Value) -> Value {
        let mut patch = asked.body.clone();
        if asked.subresource == "status" {
            patch = json!({"status": patch["status"]});
        }
        let mut object = there;
        fields::merge_patch(&mut object, &patch);
        self.stored(&asked.plural, object)
    }

    fn applied(&mut self, asked: &Asked, there: Value) -> Value {
        let mut object = there;
        let set = fields::of(&asked.body);
        let entries = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
        let ours = |it: &Value| it["manager"] == *asked.manager && it["operation"] == "Apply";
        let (before, mut others): (Vec<_>, Vec<_>) = entries.into_iter().partition(ours);
        let theirs: Vec<_> = others.iter().map(|it| it["fieldsV1"].clone()).collect();
        for before in &before {
            fields::prune(&mut object, &before["fieldsV1"], &set, &theirs);
        }
        fields::merge("", &mut object, &asked.body);
        others.push(json!({"manager": asked.manager, "operation": "Apply", "fieldsV1": set}));
        object["metadata"]["managedFields"] = json!(others);
        self.stored(&asked.plural, object)
    }

    fn deleted(&mut self, address: &Address, mut there: Value) -> Value {
        if there["metadata"]["finalizers"].as_array().is_none_or(Vec::is_empty) {
            self.objects.remove(address);
            return there;
        }
        there["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        self.stored(&address.0, there)
    }

    /// Stores an object as the API server does: with an identity, a generation that follows the spec,
    /// and a resourceVersion that moves only with a change.
    fn stored(&mut self, plural: &str, mut object: Value) -> Value {
        super::settle::canonical(&mut object);
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let address = (plural.to_owned(), namespace(&object), name);
        let before = self.objects.get(&address).cloned();
        let meta = |field: &str| before.as_ref().map(|it| it["metadata"][field].clone());
        self.revision += 1;
        let fresh = format!("uid-{plural}-{}", self.revision);
        let uid = meta("uid").filter(|it| !it.is_null());
        if object["metadata"]["uid"].is_null() {
            object["metadata"]["uid"] = uid.unwrap_or(json!(fresh));
        }
        if let Some(before) = &before {
            let generation = before["metadata"]["generation"].as_i64().unwrap_or(1);
            let moved = i64::from(before["spec"] != object["spec"]);
            object["metadata"]["generation"] = json!(generation + moved);
            object["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"].clone();
        } else if object["metadata"]["generation"].is_null() {
            object["metadata"]["generation"] = json!(1);
        }
        if before.as_ref() != Some(&object) {
            object["metadata"]["resourceVersion"] = json!(self.revision.to_string());
        }
        let finalizers = object["metadata"]["finalizers"].as_array().map_or(0, Vec::len);
        if !object["metadata"]["deletionTimestamp"].is_null() && finalizers == 0 {
            self.objects.remove(&address);
        } else {
            self.objects.insert(address, object.clone());
        }
        object
    }
}
