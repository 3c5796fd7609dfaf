//! What a container's life writes into the ledger.

use k8s_openapi::{
    api::core::v1::ContainerStateTerminated, apimachinery::pkg::apis::meta::v1::Time,
    jiff::Timestamp,
};
use sha2::{Digest, Sha256};

use super::{ledger, run::Container, user::full_name};
use crate::{images::Pulled, probe::Health};

impl Container {
    /// Notes a new run.
    pub(super) fn record_run(&self, image: &Pulled, restart: i32) {
        self.ledger.change(&self.spec.name, |entry| {
            entry.restarts = restart;
            entry.image_id.clone_from(&image.image_id);
            entry.container_id = Some(self.run_id(restart));
        });
    }

    pub(super) fn record_start(&self, since: Timestamp) {
        self.ledger.change(&self.spec.name, |entry| {
            if let Some(ended) = entry.state.terminated.take() {
                entry.last = Some(ended);
            }
            entry.state = ledger::running(since);
            (entry.started, entry.ready) = (false, false);
        });
    }

    pub(super) fn record_health(&self, health: Health) {
        self.ledger.change(&self.spec.name, |entry| match health {
            Health::Started => entry.started = true,
            Health::Ready(ready) => entry.ready = ready,
        });
    }

    pub(super) fn record_end(&self, mut ended: ContainerStateTerminated) {
        self.ledger.change(&self.spec.name, |entry| {
            ended.container_id.clone_from(&entry.container_id);
            if let Some(before) = entry.state.terminated.take() {
                entry.last = Some(before);
            }
            (entry.started, entry.ready) = (false, ended.exit_code == 0 && self.is_init());
            entry.state = ledger::ended(ended);
        });
    }

    fn is_init(&self) -> bool {
        let init = self.pod.spec.as_ref().and_then(|spec| spec.init_containers.as_ref());
        init.is_some_and(|init| init.iter().any(|container| container.name == self.spec.name))
    }

    fn run_id(&self, restart: i32) -> String {
        let run = format!("{} {} {restart}", full_name(&self.pod), self.spec.name);
        format!("fake://{}", hex::encode(Sha256::digest(run)))
    }
}

/// The end of a run that began at `since` and needed more memory than there was.
pub fn out_of_memory(since: Timestamp) -> ContainerStateTerminated {
    let reason = Some("OOMKilled".to_owned());
    ContainerStateTerminated { reason, ..terminated(137, None, since) }
}

/// An end with `code`, of a run that began at `since`.
pub fn terminated(
    code: i32,
    message: Option<String>,
    since: Timestamp,
) -> ContainerStateTerminated {
    ContainerStateTerminated {
        exit_code: code,
        reason: Some(if code == 0 { "Completed" } else { "Error" }.to_owned()),
        message,
        started_at: Some(Time(since)),
        finished_at: Some(Time(Timestamp::now())),
        ..ContainerStateTerminated::default()
    }
}

/// The end of a run that never began.
pub fn start_error(why: String) -> ContainerStateTerminated {
    ContainerStateTerminated {
        reason: Some("StartError".to_owned()),
        ..terminated(128, Some(why), Timestamp::now())
    }
}
