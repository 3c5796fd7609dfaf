//! What is remembered between passes: losing it costs a few questions, and starts graces anew.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    convex::Migrations,
    observe::{Answer, Identity},
};

/// How long the watch may take to bring what we wrote ourselves.
const NEWS: Duration = Duration::from_secs(5);

/// What the log of a container said of migrations, and when it was read.
pub type Heard = (Migrations, Instant);

/// What is remembered between passes. Losing it costs a few questions, and starts graces anew.
#[derive(Default)]
pub struct Memory {
    answers: Mutex<HashMap<String, (String, Answer)>>,
    heard: Mutex<HashMap<String, (String, Heard)>>,
    since: Mutex<HashMap<(String, Span), Instant>>,
    written: Mutex<HashMap<String, (u64, Instant)>>,
    databases: Mutex<HashMap<String, Identity>>,
}

/// What lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Span {
    /// The backend of an instance is away.
    Away,
    /// No attempt to migrate has succeeded since one failed.
    MigrationFailed,
    /// The API server fails to write a child.
    Failing,
    /// The backend of an instance answers badly.
    Unanswered,
    /// A deployment does not do what it is asked for.
    Unasked,
    /// A pod is asked for and there is none.
    Unmade,
    /// The target of an upgrade serves and is not migrated.
    Unmigrated,
    /// The image of an upgrade cannot be pulled.
    Unproven,
    /// A status that differs from the written one, and is not urgent.
    Unwritten,
    /// A worker failed, and another one is to take its place.
    WorkerFailed,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// What this container said before.
    #[must_use]
    pub fn answer(&self, instance: &str, container: &str) -> Option<Answer> {
        let answers = locked(&self.answers);
        answers.get(instance).filter(|(of, _)| of == container).map(|(_, answer)| answer.clone())
    }

    /// Remembers what a container said.
    pub fn remember(&self, instance: &str, container: &str, answer: Answer) {
        locked(&self.answers).insert(instance.to_owned(), (container.to_owned(), answer));
    }

    /// What was heard of the migrations of this container before.
    #[must_use]
    pub fn heard(&self, instance: &str, container: &str) -> Option<Heard> {
        let heard = locked(&self.heard);
        heard.get(instance).filter(|(of, _)| of == container).map(|(_, heard)| heard.clone())
    }

    /// Remembers what was heard of the migrations of a container.
    pub fn hear(&self, instance: &str, container: &str, heard: Heard) {
        locked(&self.heard).insert(instance.to_owned(), (container.to_owned(), heard));
    }

    /// Remembers that an instance has this database.
    pub fn has(&self, instance: &str, database: &Identity) {
        locked(&self.databases).insert(instance.to_owned(), database.clone());
    }

    /// Databases of instances that are gone are free. A pass that looks at one by what a watch still shows may come after that
    /// instance was forgotten, and nothing would forget it once more.
    pub fn frees(&self, lives: impl Fn(&str) -> bool) {
        locked(&self.databases).retain(|by, _| lives(by));
    }

    /// Whoever was given none has none: it is younger than another one that wants it, or waits for something else.
    pub fn leaves(&self, instance: &str) {
        locked(&self.databases).remove(instance);
    }

    /// Remembers that an instance has this database, where no other one has it. Of two that ask at the same time, one is told no.
    #[must_use]
    pub fn takes(&self, instance: &str, database: &Identity) -> bool {
        let mut databases = locked(&self.databases);
        let taken = databases.iter().any(|(by, it)| by != instance && it == database);
        if !taken {
            databases.insert(instance.to_owned(), database.clone());
        }
        !taken
    }

    /// How long something has lasted: from the first pass that found it so without a break.
    #[must_use]
    pub fn lasted(&self, instance: &str, span: Span, lasts: bool) -> Option<Duration> {
        let mut since = locked(&self.since);
        let key = (instance.to_owned(), span);
        if !lasts {
            since.remove(&key);
            return None;
        }
        Some(since.entry(key).or_insert_with(Instant::now).elapsed())
    }

    /// Remembers the resourceVersion that we gave an instance, or a child, by writing to it.
    pub fn wrote(&self, object: &str, revision: Option<&str>) {
        if let Some(revision) = revision.and_then(|it| it.parse().ok()) {
            let mut written = locked(&self.written);
            written.retain(|_, (_, when)| when.elapsed() < NEWS);
            written.insert(object.to_owned(), (revision, Instant::now()));
        }
    }

    /// Whether this is an object as it was before we last wrote to it: the watch is about to bring the
    /// news. Only for a few seconds: after a restore of etcd an older resourceVersion is the newest there is,
    /// and what is skipped wrongly would be refused by the API server anyway.
    #[must_use]
    pub fn is_outdated(&self, object: &str, revision: Option<&str>) -> bool {
        let revision: Option<u64> = revision.and_then(|it| it.parse().ok());
        let written = locked(&self.written).get(object).copied();
        revision.is_some_and(|it| {
            written.is_some_and(|(written, when)| it < written && when.elapsed() < NEWS)
        })
    }

    /// Forgets an instance that is gone.
    pub fn forget(&self, instance: &str) {
        locked(&self.answers).remove(instance);
        locked(&self.heard).remove(instance);
        locked(&self.written).remove(instance);
        locked(&self.databases).remove(instance);
        locked(&self.since).retain(|(of, _), _| of != instance);
    }
}
