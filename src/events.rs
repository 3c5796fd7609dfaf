//! Edges that were taken become Kubernetes Events, and so does a guard that starts to block.
//!
//! An Event follows a status that was written; nothing depends on it, and one that is lost stays lost.
//! The same Event once more is counted up in place; one with another note is news.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Client, Resource,
    core::Status,
    runtime::events::{Event, EventType, Recorder, Reporter},
};
use statemachine::{Phase, Step, taken::Reason};

use crate::{api::ConvexInstance, context::Context, status::Reported};

/// Writes Events. kube's recorder takes two of one reason for the same whatever their notes say, so there is
/// one recorder for each note that was told last.
pub struct Announcer {
    client: Client,
    reporter: Reporter,
    told: Mutex<HashMap<Subject, Told>>,
}

/// What was told last.
struct Told {
    note: String,
    when: Instant,
    recorder: Recorder,
}

/// How long it is remembered; kube's recorder forgets sooner.
const REMEMBERED: Duration = Duration::from_mins(10);

/// The UID of who is told about, reason and action.
type Subject = (String, String, String);

impl Announcer {
    /// One that writes in this name.
    #[must_use]
    pub fn new(client: Client, reporter: Reporter) -> Self {
        Self { client, reporter, told: Mutex::default() }
    }

    /// Forgets what was told about an object that is gone.
    pub fn forget(&self, uid: &str) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, ..), _| of != uid);
    }

    fn recorder(&self, event: &Event, about: &ObjectReference) -> Recorder {
        let uid = about.uid.clone().unwrap_or_default();
        let note = event.note.clone().unwrap_or_default();
        let fresh = || Recorder::new(self.client.clone(), self.reporter.clone());
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|_, last| last.when.elapsed() < REMEMBERED);
        let subject = (uid, event.reason.clone(), event.action.clone());
        let new = || Told { note: note.clone(), when: Instant::now(), recorder: fresh() };
        let last = told.entry(subject).or_insert_with(new);
        if last.note != note {
            *last = new();
        }
        last.recorder.clone()
    }
}

/// Tells about the edge of this pass, which is in the status by now.
pub async fn announce(ctx: &Context, instance: &ConvexInstance, step: &Step) {
    let news = instance.status.as_ref().and_then(|it| Some(it.history.last()?.message.clone()));
    if let Some(taken) = step.taken.filter(|taken| is_news(taken.reason)) {
        let action = format!("{}To{}", place(taken.from), place(taken.to));
        let bad = taken.to == Phase::Degraded;
        tell(ctx, instance, kind(bad), taken.reason(), action, news).await;
    }
}

/// Tells about what started to block.
pub async fn warn(ctx: &Context, instance: &ConvexInstance, reported: &Reported) {
    if let Some(blocked) = &reported.newly_blocked {
        let note = Some(blocked.message.clone());
        tell(ctx, instance, kind(true), &blocked.reason, blocked.guard.clone(), note).await;
    }
}

/// That provisioning begins is no news to who has just asked for it, nor is where home was settled on: how it ends is. The
/// status has both.
const fn is_news(reason: Reason) -> bool {
    !matches!(reason, Reason::Provisioning | Reason::Settled)
}

const fn kind(bad: bool) -> EventType {
    if bad { EventType::Warning } else { EventType::Normal }
}

fn place(phase: Phase) -> String {
    format!("{}{}", phase.name(), phase.stage())
}

async fn tell(
    ctx: &Context,
    instance: &ConvexInstance,
    type_: EventType,
    reason: &str,
    action: String,
    note: Option<String>,
) {
    let event = Event { type_, reason: reason.to_owned(), note, action, secondary: None };
    publish(ctx, &instance.object_ref(&()), &event).await;
}

/// Writes an Event about an object, as well as it can be.
pub(crate) async fn publish(ctx: &Context, about: &ObjectReference, event: &Event) {
    let reason = &event.reason;
    match ctx.announcer.recorder(event, about).publish(event, about).await {
        Err(kube::Error::Api(status)) if ends(&status) => {
            tracing::debug!(reason, "no Event: the namespace ends");
        }
        Err(error) => tracing::warn!(%error, reason, "an Event was not written"),
        Ok(()) => {}
    }
}

/// A namespace that is being deleted takes nothing new, and nobody is left in it to read the news.
fn ends(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|it| &it.causes);
    status.code == 403 && causes.into_iter().any(|it| it.reason == "NamespaceTerminating")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn forbidden(details: &serde_json::Value) -> Status {
        let status =
            json!({"status": "Failure", "reason": "Forbidden", "code": 403, "details": details});
        serde_json::from_value(status).unwrap()
    }

    /// Instances come and go, and an operator stays for months.
    #[tokio::test]
    async fn who_is_gone_is_forgotten() {
        let client = Client::new(
            tower::service_fn(|_: hyper::Request<kube::client::Body>| async {
                Err::<hyper::Response<kube::client::Body>, _>(std::io::Error::other("nobody"))
            }),
            "default",
        );
        let reporter = Reporter { controller: "test".to_owned(), instance: None };
        let announcer = Announcer::new(client, reporter);
        let event = |note: &str| Event {
            type_: EventType::Normal,
            reason: "Ready".to_owned(),
            note: Some(note.to_owned()),
            action: "a".to_owned(),
            secondary: None,
        };
        let of =
            |uid: &str| ObjectReference { uid: Some(uid.to_owned()), ..ObjectReference::default() };
        for (uid, note) in [("1", "x"), ("1", "y"), ("2", "x")] {
            let _ = announcer.recorder(&event(note), &of(uid));
        }
        assert_eq!(announcer.told.lock().unwrap().len(), 2);
        announcer.forget("1");
        assert_eq!(announcer.told.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_refusal_of_a_namespace_that_ends_is_told_from_a_missing_right() {
        let cause = json!({"reason": "NamespaceTerminating", "message": "namespace shop is being terminated", "field": "metadata.namespace"});
        let ending =
            json!({"name": "dev.1", "group": "events.k8s.io", "kind": "events", "causes": [cause]});
        assert!(ends(&forbidden(&ending)));
        assert!(!ends(&forbidden(&json!({"name": "dev.1", "kind": "events"}))));
    }
}
