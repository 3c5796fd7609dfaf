//! What everybody but the operator does to the API server.

use serde_json::{Value, json};

use super::{ApiServer, namespace};

impl ApiServer {
    /// The next request that begins with these words is answered with this code, and not done.
    pub fn fail_next(&self, words: &str, code: u16) {
        self.state().faults.push((words.to_owned(), code));
    }

    /// Every container has written this until now.
    pub fn says_in_logs(&self, lines: &[&str]) {
        self.state().log = Some(lines.iter().flat_map(|line| [*line, "\n"]).collect());
    }

    /// Puts an object there as somebody else would, whatever is there already.
    pub fn put(&self, plural: &str, mut object: Value) -> Value {
        let mut state = self.state();
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let before = state.objects.remove(&(plural.to_owned(), namespace(&object), name));
        let meta = object["metadata"].as_object_mut().unwrap();
        let uid = before.as_ref().map_or(Value::Null, |it| it["metadata"]["uid"].clone());
        if !uid.is_null() {
            meta.insert("uid".into(), uid);
        }
        state.stored(plural, object)
    }

    /// Changes an object as somebody else would.
    pub fn edit(&self, plural: &str, name: &str, change: impl FnOnce(&mut Value)) {
        let mut object = self.get(plural, name).unwrap_or_else(|| panic!("no {plural}/{name}"));
        let spec = object["spec"].clone();
        change(&mut object);
        if object["spec"] != spec {
            let generation = object["metadata"]["generation"].as_i64().unwrap_or(1);
            object["metadata"]["generation"] = json!(generation + 1);
        }
        self.put(plural, object);
    }

    /// The object of this kind and name, in any namespace.
    pub fn get(&self, plural: &str, name: &str) -> Option<Value> {
        let state = self.state();
        let mut found = state.objects.iter().filter(|(it, _)| it.0 == plural && it.2 == name);
        found.next().map(|(_, object)| object.clone())
    }

    pub fn all(&self, plural: &str) -> Vec<Value> {
        let state = self.state();
        let found = state.objects.iter().filter(|((it, ..), _)| it == plural);
        found.map(|(_, object)| object.clone()).collect()
    }

    /// Takes an object away, as it were never there.
    pub fn remove(&self, plural: &str, name: &str) {
        self.state().objects.retain(|it, _| !(it.0 == plural && it.2 == name));
    }

    /// Before the request that begins with these words is answered, and comes after `skipped` like it, somebody
    /// does something.
    pub fn meanwhile(&self, words: &str, skipped: usize, act: impl FnOnce(&Self) + Send + 'static) {
        self.state().interludes.push((words.to_owned(), skipped, Box::new(act)));
    }
}
