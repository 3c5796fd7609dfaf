//! Watches, the order of one pass, and what follows from an error.

mod unreadable;
mod watches;

use std::{future::Future, sync::Arc, time::Duration};

use futures::StreamExt;
use kube::{
    Client, Resource,
    runtime::{
        controller::{Action, Config},
        events::Reporter,
    },
};
use tokio::sync::OnceCell;

use crate::{
    api::ConvexInstance,
    apply,
    context::{Context, Guarded, Memory, Settings},
    error::Error,
    events, metrics,
    observe::{self, uid},
    plan::{self, Applied, Plan, labels::MANAGER},
    retry::{self, Backoffs},
    status,
};

/// How many instances are looked at at the same time.
const CONCURRENCY: u16 = 16;
/// Changes of children that come in a burst are looked at once.
const DEBOUNCE: Duration = Duration::from_millis(20);

/// One look at one instance. A table of contents: every step says whether it talks to the cluster.
///
/// # Errors
/// The step that failed; see [`Error`].
pub async fn reconcile(instance: Arc<Guarded>, ctx: Arc<Context>) -> Result<Action, Error> {
    let _timer = metrics::pass();
    let instance = unreadable::decoded(&ctx, &instance).await?; //               client, where it cannot be
    if is_done_with(&instance) {
        ctx.forget(&uid(&instance));
        return Ok(Action::await_change());
    }
    if ctx.memory.is_outdated(&uid(&instance), instance.meta().resource_version.as_deref()) {
        return Ok(Action::requeue(retry::soon()));
    }
    if plan::labels::is_paused(&*instance) {
        status::paused(&ctx, &instance).await?; //                               client, one write
        return Ok(Action::await_change());
    }
    let world = observe::cluster(&ctx, &instance).await?; //                     client, reads only
    let step = statemachine::step(observe::phase(&instance), &world.facts); //   no client, infallible
    let world = world.after(&step); //                                           no client, infallible
    let instance = status::advance(&ctx, instance, &step, &world).await?; //     client, resourceVersion, a conflict ends the pass
    events::announce(&ctx, &instance, &step).await; //                           client, best effort
    let plan = plan::owed(&instance, &step.obligations, &world); //              no client, infallible
    let plan = apply::differences(&ctx, &instance, plan, &world).await?; //      client, only what differs
    let report = Box::pin(status::report(&ctx, &instance, &step, &world, &plan));
    let reported = report.await?; //                                             client, only if it changed
    events::warn(&ctx, &instance, &reported).await; //                           client, best effort
    let (refused, goes_on) = (!plan.state.refused.is_empty(), retry::goes_on(&plan.state));
    ended(&ctx, &instance, plan)?; //                                            no client
    let instances = ctx.stores.instances.len();
    Ok(retry::look_again(&step, &world, goes_on.or(reported.unwritten), refused, instances))
}

/// A pass that came to its end has nothing to wait for, and an instance that it has let go of is forgotten.
fn ended(ctx: &Context, instance: &ConvexInstance, plan: Plan<Applied>) -> Result<(), Error> {
    let leaves = plan.steps.contains(&plan::Step::Finalizer(false));
    plan.outcome()?;
    if leaves {
        ctx.forget(&uid(instance));
    }
    // Nothing was made: whoever else asks for its database meanwhile need not wait for it.
    if observe::phase(instance) == statemachine::Phase::Pending {
        ctx.memory.leaves(&uid(instance));
    }
    ctx.backoffs.reset(&uid(instance));
    Ok(())
}

/// A deleted instance without our finalizer is somebody else's to finish.
fn is_done_with(instance: &ConvexInstance) -> bool {
    instance.meta().deletion_timestamp.is_some() && !plan::labels::has_finalizer(instance)
}

/// Says what failed, and looks again when that is of use.
#[must_use]
pub fn error_policy(instance: &Guarded, error: &Error, ctx: &Context) -> Action {
    metrics::failed(error);
    let meta = instance.meta();
    let (namespace, name) = (meta.namespace.as_deref(), meta.name.as_deref());
    let delay = again(error, &meta.uid.clone().unwrap_or_default(), &ctx.backoffs);
    match error {
        Error::Decode(_) => {
            tracing::warn!(namespace, name, %error, "left as it is until it changes");
        }
        lost if lost.is_conflict() || lost.is_gone() => {
            tracing::debug!(namespace, name, %error, "the pass ends, the next one looks again");
        }
        _ => {
            tracing::warn!(namespace, name, step = error.name(), %error, ?delay, "the pass failed");
        }
    }
    delay.map_or_else(Action::await_change, Action::requeue)
}

/// A conflict means that somebody wrote since we read: the watch brings the news, and the pass ends
/// quietly. What cannot be decoded waits for a change. Everything else backs off, this instance alone.
fn again(error: &Error, uid: &str, backoffs: &Backoffs) -> Option<Duration> {
    match error {
        Error::Decode(_) => None,
        lost if lost.is_conflict() || lost.is_gone() => Some(retry::soon()),
        _ => Some(backoffs.next(uid)),
    }
}

/// Runs until `stop` comes true; the passes that are under way come to their end.
pub async fn run(
    client: Client,
    settings: Settings,
    namespace: Option<String>,
    stop: impl Future<Output = ()> + Send + Sync + 'static,
) {
    let watches = watches::Watches::start(&client, namespace.as_deref());
    let reporter = Reporter { controller: MANAGER.to_owned(), instance: None };
    let context = Arc::new(Context {
        announcer: events::Announcer::new(client.clone(), reporter),
        client,
        settings,
        stores: watches.stores.clone(),
        memory: Memory::default(),
        backoffs: Backoffs::default(),
    });
    let config = Config::default().concurrency(CONCURRENCY).debounce(DEBOUNCE);
    let passes = watches.into_controller().with_config(config).graceful_shutdown_on(stop);
    let listed = Arc::new(OnceCell::new());
    let pass = move |instance, ctx| when_complete(listed.clone(), instance, ctx);
    passes
        .run(pass, |instance, error, ctx| error_policy(&instance, error, &ctx), context)
        .for_each(log)
        .await;
}

/// One pass waits for all: kube wakes only the last of several tasks that wait for the same store.
async fn when_complete(
    listed: Arc<OnceCell<bool>>,
    instance: Arc<Guarded>,
    ctx: Arc<Context>,
) -> Result<Action, Error> {
    if !*listed.get_or_init(|| watches::complete(&ctx.stores)).await {
        return Ok(Action::await_change());
    }
    Box::pin(reconcile(instance, ctx)).await
}

fn log<T, E: std::fmt::Display>(pass: Result<T, E>) -> futures::future::Ready<()> {
    if let Err(error) = pass {
        tracing::debug!(%error, "a pass ended early");
    }
    futures::future::ready(())
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn answered(code: u16) -> Error {
        Error::Apply(kube::Error::Api(Status::failure("no", "No").with_code(code).boxed()))
    }

    #[test]
    fn what_cannot_be_read_waits_for_a_change_and_not_for_a_clock() {
        let unreadable = Error::Decode("missing field `spec`".into());
        assert_eq!(again(&unreadable, "a", &Backoffs::default()), None);
    }

    #[test]
    fn a_lost_race_is_looked_at_soon_and_a_failure_after_its_delay() {
        let backoffs = Backoffs::default();
        for code in [409, 404] {
            let soon = again(&answered(code), "a", &backoffs).unwrap();
            assert!((Duration::from_millis(100)..=Duration::from_secs(1)).contains(&soon));
        }
        assert!(!backoffs.has_failed("a"));
        let first = again(&answered(500), "a", &backoffs).unwrap();
        assert!(backoffs.has_failed("a") && first <= Duration::from_secs(1), "{first:?}");
    }
}
