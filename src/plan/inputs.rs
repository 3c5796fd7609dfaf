//! What the builders build from: values only, resolved before.

use std::sync::Arc;

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::ResourceExt;
use statemachine::pins::{Release, Store};

use super::{
    backend::{API_PORT, SITE_PORT},
    dashboard, deployment,
    host::{Purpose, Schemes},
    names::Names,
    outside::Settings,
};
use crate::{
    api::{ConvexInstance, DeletionPolicy},
    convex::InstanceName,
    observe::{Keys, Sources},
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
    /// What the backend reads of servers outside.
    pub outside: &'a Settings,
    /// What the data belongs to, or what is aimed at.
    pub release: Release,
    /// The store that it is in, or that it is meant for.
    pub store: Store,
    /// The repository of dashboard images, without a tag.
    pub dashboard_repository: &'a str,
    /// The operator's own image.
    pub worker_image: &'a str,
    /// The namespace that the operator itself runs in.
    pub operator_namespace: &'a str,
    /// What the backend's further environment comes from, key by key.
    pub sources: &'a Sources,
    /// The fence that this pass writes under.
    pub fence: &'a str,
    /// The claims of all stores, as they were found.
    pub claims: &'a [Claimed],
    /// By which schemes clients come.
    pub schemes: Schemes,
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
    /// Of the dashboard; none where there is none.
    pub dashboard: Option<String>,
}

impl Inputs<'_> {
    /// The public base URLs of the instance.
    #[must_use]
    pub fn origins(&self) -> Origins {
        Origins::of(self.instance, &self.names, self.schemes)
    }

    /// The `INSTANCE_NAME` of the deployment of a store.
    #[must_use]
    pub fn deployment(&self, store: &Store) -> InstanceName {
        deployment::name(self.instance, &self.keys.name, store)
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
    /// What the spec says, or else what follows from its hosts, or else the Services inside the cluster. HTTP actions
    /// without a host of their own are below the API (`crates/local_backend/src/router.rs` upstream).
    #[must_use]
    pub fn of(instance: &ConvexInstance, names: &Names, schemes: Schemes) -> Self {
        let networking = &instance.spec.networking;
        let outside = |purpose| schemes.url(networking, purpose);
        let api = outside(Purpose::Api);
        let below = api.as_ref().map(|it| format!("{it}/http"));
        let cloud = networking.cloud_origin.clone().or(api);
        let cloud = cloud.unwrap_or_else(|| service_url(instance, names, API_PORT));
        let site = networking.site_origin.clone().or_else(|| outside(Purpose::Site));
        let inside = || inside(instance, &names.dashboard(), dashboard::PORT);
        let reached = || outside(Purpose::Dashboard).unwrap_or_else(inside);
        Self {
            site: site.or(below).unwrap_or_else(|| service_url(instance, names, SITE_PORT)),
            deployment: networking.deployment_url.clone().unwrap_or_else(|| cloud.clone()),
            dashboard: instance.spec.dashboard.enabled.then(reached),
            cloud,
        }
    }
}

/// The URL of the backend's Service inside the cluster.
#[must_use]
pub fn service_url(instance: &ConvexInstance, names: &Names, port: i32) -> String {
    inside(instance, &names.backend_service(), port)
}

fn inside(instance: &ConvexInstance, service: &str, port: i32) -> String {
    let namespace = instance.namespace().unwrap_or_default();
    format!("http://{service}.{namespace}.svc:{port}")
}
