//! What the builders build from: values only, resolved before.

use std::sync::Arc;

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::ResourceExt;
use statemachine::pins::{Release, Store};

use super::{
    backend::{API_PORT, SITE_PORT},
    names::Names,
};
use crate::{
    api::{ConvexInstance, DeletionPolicy},
    observe::Keys,
};

/// Everything that the children of one instance are built from.
#[derive(Clone, Debug)]
pub struct Inputs<'a> {
    /// The instance.
    pub instance: &'a ConvexInstance,
    /// What its children are called.
    pub names: Names,
    /// Its keys, as they are or as they are about to be made.
    pub keys: &'a Keys,
    /// What the data belongs to, or what is aimed at.
    pub release: Release,
    /// The repository of dashboard images, without a tag.
    pub dashboard_repository: &'a str,
    /// The operator's own image.
    pub worker_image: &'a str,
    /// The fence that this pass writes under.
    pub fence: &'a str,
    /// The claims of all stores, as they were found.
    pub claims: &'a [Claimed],
    /// When the backend was last restarted for its age, as its template says it.
    pub restarted: Option<String>,
}

/// A store and its claim.
pub type Claimed = (Store, Arc<PersistentVolumeClaim>);

/// The public base URLs of an instance, without trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins {
    /// Of the API, as the backend puts it into links.
    pub cloud: String,
    /// Of HTTP actions.
    pub site: String,
    /// Of the API, as browsers reach it.
    pub deployment: String,
}

impl Inputs<'_> {
    /// The public base URLs of the instance.
    #[must_use]
    pub fn origins(&self) -> Origins {
        Origins::of(self.instance, &self.names)
    }

    /// The URL of the backend's Service inside the cluster.
    #[must_use]
    pub fn service_url(&self, port: i32) -> String {
        service_url(self.instance, &self.names, port)
    }

    /// The name of the claim of a store.
    #[must_use]
    pub fn claim(&self, store: &Store) -> String {
        claim_name(self.instance, &self.names, store)
    }

    /// The claim of a store, as it was found.
    #[must_use]
    pub fn found(&self, store: &Store) -> Option<&PersistentVolumeClaim> {
        self.claims.iter().find(|(of, _)| of == store).map(|(_, claim)| &**claim)
    }

    /// The image of the dashboard, which follows the version of the backend.
    #[must_use]
    pub fn dashboard_image(&self) -> String {
        let spec = &self.instance.spec.dashboard;
        let follow = || format!("{}:{}", self.dashboard_repository, self.release.version);
        spec.image.clone().unwrap_or_else(follow)
    }
}

/// The name of the claim of a store of an instance.
#[must_use]
pub fn claim_name(instance: &ConvexInstance, names: &Names, store: &Store) -> String {
    let existing = instance.spec.backend.storage.pvc.existing_claim.clone();
    existing.filter(|_| *store == Store::Original).unwrap_or_else(|| names.store(store))
}

/// Whether the data goes with the instance, and what belongs to it. A claim that the spec names was there
/// before, and is nobody's to delete but its maker's.
#[must_use]
pub fn data_goes(instance: &ConvexInstance) -> bool {
    let named = instance.spec.backend.storage.pvc.existing_claim.is_some();
    instance.spec.deletion_policy == DeletionPolicy::Delete && !named
}

impl Origins {
    /// What the spec says, or else the Service inside the cluster.
    #[must_use]
    pub fn of(instance: &ConvexInstance, names: &Names) -> Self {
        let networking = &instance.spec.networking;
        let service = |port| service_url(instance, names, port);
        let cloud = networking.cloud_origin.clone().unwrap_or_else(|| service(API_PORT));
        Self {
            site: networking.site_origin.clone().unwrap_or_else(|| service(SITE_PORT)),
            deployment: networking.deployment_url.clone().unwrap_or_else(|| cloud.clone()),
            cloud,
        }
    }
}

/// The URL of the backend's Service inside the cluster.
#[must_use]
pub fn service_url(instance: &ConvexInstance, names: &Names, port: i32) -> String {
    let namespace = instance.namespace().unwrap_or_default();
    format!("http://{}.{namespace}.svc:{port}", names.backend_service())
}
