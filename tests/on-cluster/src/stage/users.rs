//! Users who never stop writing: what was accepted of them is theirs, whatever is done to the instance meanwhile.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, Result, ensure};
use convex_operator::plan::{names::Names, service};
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::Api;
use serde_json::json;
use tokio::{sync::oneshot, task::JoinHandle, time::sleep};

use super::{Stage, pod_name};
use crate::Reach;

const TABLE: &str = "live";
/// Between two documents: slow enough for a dozen tests at a time.
const PACE: Duration = Duration::from_millis(500);

/// Users of one instance, until they are told to stop.
#[derive(Debug)]
pub struct Users {
    stop: oneshot::Sender<()>,
    work: JoinHandle<Vec<String>>,
}

impl Stage {
    /// Lets users write into an instance from now on, wherever its Service leads.
    #[must_use]
    pub fn users(&self, name: &str) -> Users {
        let (stop, mut stopped) = oneshot::channel();
        let user = User {
            services: self.all(),
            pods: self.all(),
            service: Names::of(name).backend_service(),
            pod: pod_name(name),
            reach: self.reach.clone(),
        };
        let work = tokio::spawn(async move {
            let mut accepted = Vec::new();
            while stopped.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
                accepted.extend(user.write().await.ok());
                sleep(PACE).await;
            }
            accepted
        });
        Users { stop, work }
    }

    /// Stops the users, and looks for every document that was ever accepted of them.
    ///
    /// # Errors
    /// One is not there any more, or none was accepted at all.
    pub async fn kept(&self, name: &str, users: Users) -> Result<()> {
        let accepted = users.stopped().await?;
        ensure!(!accepted.is_empty(), "nobody could ever write");
        let there = self.door(name).await?.documents(TABLE).await?;
        let there: BTreeSet<_> = there.iter().filter_map(|it| it["_id"].as_str()).collect();
        let lost: Vec<_> = accepted.iter().filter(|id| !there.contains(id.as_str())).collect();
        ensure!(lost.is_empty(), "{} of {} documents are lost", lost.len(), accepted.len());
        Ok(())
    }
}

impl Users {
    /// The ids of all documents that were accepted.
    ///
    /// # Errors
    /// Nobody knows any more.
    pub async fn stopped(self) -> Result<Vec<String>> {
        // They may have ended with the runtime of a failed test.
        let _ = self.stop.send(());
        self.work.await.context("the users")
    }
}

struct User {
    services: Api<Service>,
    pods: Api<Pod>,
    service: String,
    pod: String,
    reach: Reach,
}

impl User {
    /// Writes a document where the Service leads to the backend before and after: nobody else would have got there.
    async fn write(&self) -> Result<String> {
        self.is_led().await?;
        let door = self.reach.open(&self.pods.get(&self.pod).await?).await?;
        let id = door.write(TABLE, json!({ "text": "written meanwhile" })).await?;
        self.is_led().await?;
        Ok(id)
    }

    async fn is_led(&self) -> Result<()> {
        let service = self.services.get(&self.service).await?;
        ensure!(service::flows(&service), "the Service leads nowhere");
        Ok(())
    }
}
