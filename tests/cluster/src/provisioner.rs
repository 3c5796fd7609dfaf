//! A dynamic provisioner: a claim becomes a folder, a larger claim a larger number, a released volume nothing.
//!
//! Sizes are promises only, a folder has no limit of its own, but in the class of [`crate::limited`] volumes. The protocol is that of external provisioners and resizers:
//! <https://kubernetes.io/docs/concepts/storage/persistent-volumes/>.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use futures::{Stream, TryStreamExt};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
    runtime::{WatchStreamExt, watcher},
};
use serde_json::json;

use crate::{limited, progress, storage::LIMITED_CLASS, volume};

/// The name that the `StorageClass` calls it by.
pub const PROVISIONER: &str = "local.test/hostpath";

/// Makes, grows and removes volumes for as long as it runs.
#[derive(Clone)]
pub struct Provisioner {
    client: Client,
    folder: PathBuf,
}

impl Provisioner {
    /// Volumes become folders in `folder`.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(client: Client, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { client, folder: folder.to_owned() })
    }

    /// Follows claims and volumes until the watches fail for good.
    ///
    /// # Errors
    /// A watch ended.
    pub async fn run(self) -> Result<()> {
        let claims = follow(Api::<PersistentVolumeClaim>::all(self.client.clone()))
            .try_for_each(|claim| self.note("claim", self.claim(claim)));
        let volumes = follow(Api::<PersistentVolume>::all(self.client.clone()))
            .try_for_each(|volume| self.note("volume", self.volume(volume)));
        futures::try_join!(claims, volumes).context("following claims and volumes")?;
        Ok(())
    }

    /// One object that cannot be served must not keep the others waiting: it is told, and comes again when it changes.
    async fn note(
        &self,
        what: &str,
        work: impl Future<Output = Result<()>>,
    ) -> Result<(), watcher::Error> {
        if let Err(error) = work.await {
            progress::say(&format!("{what}: {error:#}"));
        }
        Ok(())
    }

    async fn claim(&self, claim: PersistentVolumeClaim) -> Result<()> {
        if let Some(wanted) = volume::wanted_by(&claim) {
            return self.provision(&claim, &wanted).await;
        }
        match volume::growth_of(&claim) {
            Some(growth) => self.grow(&claim, &growth).await,
            None => Ok(()),
        }
    }

    async fn provision(
        &self,
        claim: &PersistentVolumeClaim,
        wanted: &volume::Wanted,
    ) -> Result<()> {
        let path = self.folder.join(&wanted.name);
        fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        if wanted.class == LIMITED_CLASS {
            limited::mount(&path, &wanted.size)?;
        }
        let class = Api::<k8s_openapi::api::storage::v1::StorageClass>::all(self.client.clone())
            .get(&wanted.class)
            .await?;
        let volume = volume::object(claim, wanted, &path, class.reclaim_policy.as_deref())?;
        let volumes = Api::<PersistentVolume>::all(self.client.clone());
        match volumes.create(&PostParams::default(), &volume).await {
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
            other => other.map(drop).context("making a volume"),
        }
    }

    /// First the volume, then what the claim says that it has: the order in which a resizer tells it.
    async fn grow(&self, claim: &PersistentVolumeClaim, growth: &volume::Growth) -> Result<()> {
        let params = PatchParams::default();
        let volumes = Api::<PersistentVolume>::all(self.client.clone());
        let volume = volumes.get(&growth.volume).await?;
        if !volume::is_ours(&volume) {
            return Ok(());
        }
        limited::grow(&self.folder.join(&growth.volume), &growth.size)?;
        let capacity = json!({ "storage": growth.size });
        let larger = Patch::Merge(json!({ "spec": { "capacity": capacity } }));
        volumes.patch(&growth.volume, &params, &larger).await?;
        let namespace = claim.namespace().context("a claim has a namespace")?;
        let claims = Api::<PersistentVolumeClaim>::namespaced(self.client.clone(), &namespace);
        let told = Patch::Merge(json!({ "status": { "capacity": capacity, "conditions": null } }));
        claims.patch_status(&claim.name_any(), &params, &told).await?;
        Ok(())
    }

    async fn volume(&self, volume: PersistentVolume) -> Result<()> {
        if !volume::is_to_be_removed(&volume) {
            return Ok(());
        }
        let name = volume.name_any();
        limited::unmount(&self.folder.join(&name))?;
        match fs::remove_dir_all(self.folder.join(&name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("removing the folder of {name}"));
            }
            _ => {}
        }
        let volumes = Api::<PersistentVolume>::all(self.client.clone());
        match volumes.delete(&name, &DeleteParams::default()).await {
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
            other => other.map(drop).context("removing a volume"),
        }
    }
}

fn follow<K>(api: Api<K>) -> impl Stream<Item = Result<K, watcher::Error>>
where
    K: kube::Resource + Clone + std::fmt::Debug + Send + serde::de::DeserializeOwned + 'static,
{
    watcher(api, watcher::Config::default()).default_backoff().applied_objects()
}
