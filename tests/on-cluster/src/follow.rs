//! Following one instance: every state that its status goes through, and a deadline for the one that is waited for.

use std::{
    fmt::{self, Display, Formatter},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use convex_operator::api::{ConditionStatus, ConvexInstance};
use futures::{StreamExt, stream::BoxStream};
use kube::{
    Api, Client, ResourceExt,
    runtime::watcher::{self, Event, watcher},
};
use tokio::time::{Instant, timeout_at};

/// What a status says, as far as it is waited for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Which instance of this name it is.
    pub uid: String,
    /// The phase, with its stage after a slash.
    pub phase: String,
    /// What it waits for, or that it serves.
    pub message: String,
    /// The version that was last seen to answer.
    pub running: String,
    /// The reason of the condition `Ready`.
    pub reason: String,
    /// Whether the condition `Ready` is true.
    pub ready: bool,
    /// Whether all this is about the spec as it is now.
    pub current: bool,
}

impl State {
    /// Whether the instance is as its spec wants it.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.ready && self.current
    }
}

impl From<&ConvexInstance> for State {
    fn from(instance: &ConvexInstance) -> Self {
        let status = instance.status.clone().unwrap_or_default();
        let ready = status.conditions.iter().find(|it| it.type_ == "Ready");
        let phase = [status.phase, status.stage].into_iter().flatten();
        Self {
            uid: instance.uid().unwrap_or_default(),
            phase: phase.collect::<Vec<_>>().join("/"),
            message: status.message.unwrap_or_default(),
            running: status.running_version.unwrap_or_default(),
            reason: ready.map(|it| it.reason.clone()).unwrap_or_default(),
            ready: ready.is_some_and(|it| it.status == ConditionStatus::True),
            current: Some(status.observed_generation) == instance.metadata.generation,
        }
    }
}

impl Display for State {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let (ready, reason) = (self.ready, &self.reason);
        write!(to, "{} (Ready={ready}/{reason}): {}", self.phase, self.message)
    }
}

/// One instance, watched from before it exists until after it is gone.
pub struct Follower {
    events: BoxStream<'static, watcher::Result<Event<ConvexInstance>>>,
    now: Option<State>,
}

impl Follower {
    /// Begins to watch; from here on no state is missed.
    ///
    /// # Errors
    /// The API server does not answer.
    pub async fn begin(client: &Client, namespace: &str, name: &str) -> Result<Self> {
        let instances = Api::<ConvexInstance>::namespaced(client.clone(), namespace);
        let only = watcher::Config::default().fields(&format!("metadata.name={name}"));
        let mut follower = Self { events: watcher(instances, only).boxed(), now: None };
        loop {
            match follower.events.next().await.context("the watch ended")?? {
                Event::InitApply(instance) => follower.now = Some(State::from(&instance)),
                Event::InitDone => return Ok(follower),
                _ => {}
            }
        }
    }

    /// What was seen last; none where there is no such instance.
    #[must_use]
    pub const fn now(&self) -> Option<&State> {
        self.now.as_ref()
    }

    /// Waits for a state, the one that was seen last included.
    ///
    /// # Errors
    /// It does not come in time, or the instance goes; the message holds what was seen last.
    pub async fn until(
        &mut self,
        what: &str,
        patience: Duration,
        mut fact: impl FnMut(&State) -> bool,
    ) -> Result<State> {
        let deadline = Instant::now() + patience;
        let mut existed = self.now.is_some();
        loop {
            match &self.now {
                Some(state) if fact(state) => return Ok(state.clone()),
                None if existed => bail!("the instance went while it was waited for {what}"),
                now => existed |= now.is_some(),
            }
            self.next(what, deadline).await?;
        }
    }

    /// Waits until the instance is gone.
    ///
    /// # Errors
    /// It is still there after that time; the message holds what was seen last.
    pub async fn gone(&mut self, patience: Duration, mut see: impl FnMut(&State)) -> Result<()> {
        let deadline = Instant::now() + patience;
        while let Some(state) = &self.now {
            see(state);
            self.next("the end of the instance", deadline).await?;
        }
        Ok(())
    }

    async fn next(&mut self, what: &str, deadline: Instant) -> Result<()> {
        loop {
            let event = match timeout_at(deadline, self.events.next()).await {
                Ok(event) => event.context("the watch ended")?,
                Err(_) => bail!("{what} did not come in time; {}", self.last_words()),
            };
            self.now = match event {
                Ok(Event::Apply(it) | Event::InitApply(it)) => Some(State::from(&it)),
                Ok(Event::Delete(_)) => None,
                // A watch that broke begins anew by itself.
                Ok(Event::Init | Event::InitDone) | Err(_) => continue,
            };
            return Ok(());
        }
    }

    fn last_words(&self) -> String {
        let nothing = || "there is no such instance".to_owned();
        self.now.as_ref().map_or_else(nothing, |state| format!("seen last: {state}"))
    }
}
