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
        let cloud = networking.cloud_origin.clone().or_else(|| outside(Purpose::Api));
        let below = cloud.as_ref().map(|it| format!("{it}/http"));
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fixtures::instance_with;

    /// Cloud, site and deployment, where clients come by plain HTTP.
    fn origins(networking: &Value) -> [String; 3] {
        let instance = instance_with(|spec| spec["networking"] = networking.clone());
        let all = Origins::of(&instance, &Names::of("dev"), Schemes::all(false));
        [all.cloud, all.site, all.deployment]
    }

    #[test]
    fn origins_follow_from_the_host_or_else_from_the_services() {
        let parents = json!([{"name": "public"}]);
        let host = json!({"host": "api.example.com", "parentRefs": parents});
        let api = "http://api.example.com";
        assert_eq!(origins(&host), [api, "http://api.example.com/http", api]);
        let service = |port: u16| format!("http://dev-backend.shop.svc:{port}");
        assert_eq!(origins(&json!({})), [service(3210), service(3211), service(3210)]);
    }

    /// Whoever stands in front and ends TLS leads to both.
    #[test]
    fn an_origin_that_is_named_counts_for_what_is_below_it_and_for_the_dashboard() {
        let edge = "https://edge.example.com";
        let below = "https://edge.example.com/http";
        let parents = json!([{"name": "public"}]);
        for mut networking in [json!({}), json!({"host": "api.example.com", "parentRefs": parents})]
        {
            networking["cloudOrigin"] = json!(edge);
            assert_eq!(origins(&networking), [edge, below, edge]);
            networking["deploymentUrl"] = json!("https://other.example.com");
            networking["siteOrigin"] = json!("https://site.example.com");
            let all = [edge, "https://site.example.com", "https://other.example.com"];
            assert_eq!(origins(&networking), all);
        }
        let site = json!({"host": "api.example.com", "siteHost": "site.example.com",
            "parentRefs": parents, "cloudOrigin": edge});
        assert_eq!(origins(&site)[1], "http://site.example.com", "it has a host of its own");
    }
}
