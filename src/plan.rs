//! What is wanted: obligations become desired objects, in dependency order.
//!
//! Nothing here fails and nothing holds a client. What can fail, such as reading a Secret or finding
//! randomness for a new one, happened while observing, so that the builders take values only.

pub mod backend;
pub mod budget;
pub mod claim;
pub mod client_settings;
pub mod compare;
pub mod config;
pub mod dashboard;
pub mod deed;
pub mod deployment;
pub mod duration;
pub mod exports;
pub mod gate;
pub mod gateway;
pub mod host;
pub mod ingress;
mod inputs;
pub mod jobs;
pub mod labels;
pub mod names;
pub mod network_policy;
pub mod outside;
mod owed;
pub mod pod;
pub mod quantity;
pub mod retention;
pub mod route;
pub mod secrets;
pub mod security;
pub mod service;
pub mod service_account;

use std::time::Duration;

use gateway_api::{gateways::Gateway, httproutes::HttpRoute};
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::{ConfigMap, PersistentVolumeClaim, Service, ServiceAccount},
    networking::v1::{Ingress, NetworkPolicy},
    policy::v1::PodDisruptionBudget,
};

use crate::error::Error;

pub use self::{
    client_settings::ClientSettingsPolicy,
    inputs::{Claimed, Inputs, Origins, claim_name, data_goes, service_url},
    outside::Concealed,
    owed::owed,
};

/// What is to be done to the cluster, in the order in which it is done. The parameter says whether it
/// has been: [`Prepared`] before, [`Applied`] after.
#[derive(Debug)]
pub struct Plan<State> {
    /// The steps, dependencies first.
    pub steps: Vec<Step>,
    /// How far the plan has come.
    pub state: State,
}

/// A plan that nobody has acted on.
#[derive(Debug, Default)]
pub struct Prepared;

/// A plan that was carried out, as far as it could be.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // facts are independent; an enum would invent relations
pub struct Applied {
    /// How many writes it took.
    pub writes: usize,
    /// Whether a template of pods was changed: what was seen of pods in this pass is about to be over.
    pub rolled: bool,
    /// The resourceVersion of the instance, where a finalizer moved it.
    pub revision: Option<String>,
    /// Objects of other people that stand where ours should.
    pub conflicts: Vec<Conflict>,
    /// Writes that the API server refused, in its own words.
    pub refused: Vec<Refused>,
    /// Whether the deployment was asked for something: what became of it is looked at soon.
    pub asked: bool,
    /// Why the deployment did not let itself be paused.
    pub unheld: Option<String>,
    /// Why it did not let itself be resumed.
    pub unresumed: Option<String>,
    /// Whether it did not do something that it was asked for.
    pub unasked: bool,
    /// For how long that has been so.
    pub unasked_for: Option<Duration>,
    /// Whether the Service of the backend leads to it by now, and it lets users in.
    pub flows: bool,
    /// A write that the API server failed to make, or a webhook that it asks: the pass ends with it.
    pub failed: Option<kube::Error>,
    /// Whether that has lasted.
    pub fails: bool,
    /// The growth of the claim that was refused: nothing depends on it.
    pub not_grown: Option<Refused>,
}

/// An object of somebody else that has the name of a child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// A write that the API server refused: a quota, a policy, an invalid combination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The kind of the object.
    pub kind: String,
    /// The name of the object.
    pub name: String,
    /// The reason that the API server gave.
    pub reason: String,
    /// Its message, cut to a bearable length.
    pub message: String,
}

impl Applied {
    /// Whether the API server said no to something, and will again.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        !self.refused.is_empty() || self.not_grown.is_some()
    }
}

impl Plan<Applied> {
    /// Ends the pass with what failed, once it was reported.
    ///
    /// # Errors
    /// [`Error::Apply`] where a write failed.
    pub fn outcome(self) -> Result<(), Error> {
        self.state.failed.map_or(Ok(()), |error| Err(Error::Apply(error)))
    }
}

/// One thing that is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The child is as it is here, in everything that is said here.
    Ensure(Child),
    /// The claim has the size that the spec asks for. Refused where its class does not grow volumes, which
    /// nothing else depends on.
    Grow(Box<PersistentVolumeClaim>),
    /// The Secret exists; its content is never written over.
    Create(Concealed),
    /// The Secret that an earlier instance left behind is now this one's; its content stays.
    TakeOver(String),
    /// The Secret for applications says where the backend is and has a key; a key that is there stays.
    Complete(Concealed),
    /// The Secret names the deployment that holds the data now; a key of that deployment stays.
    Rename(Concealed),
    /// The `StatefulSet` asks for no pod, and stays as it is in everything else: what it would be built from
    /// cannot be had.
    Stop,
    /// The Job was started, once; it is never changed.
    Start(Box<Job>),
    /// The deployment is paused: nobody but administrators gets through.
    Hold,
    /// The pause that an upgrade has made is over.
    Release,
    /// The backend performs none of these imports any more.
    CancelImports(Vec<String>),
    /// The child is gone.
    Remove(Kind, String),
    /// Our finalizer is on the instance, or off it.
    Finalizer(bool),
}

/// A child that is kept as it should be.
#[derive(Clone, Debug, PartialEq)]
pub enum Child {
    /// What the backend reads of a server outside.
    Secret(Concealed),
    /// The environment of the backend.
    ConfigMap(Box<ConfigMap>),
    /// The claim that holds the data.
    Claim(Box<PersistentVolumeClaim>),
    /// How a part is reached inside the cluster.
    Service(Box<Service>),
    /// The backend.
    StatefulSet(Box<StatefulSet>),
    /// The dashboard.
    Deployment(Box<Deployment>),
    /// How the instance is reached from outside.
    Ingress(Box<Ingress>),
    /// As whom the pods of a part are known.
    ServiceAccount(Box<ServiceAccount>),
    /// Who may open connections to the pods of a part.
    NetworkPolicy(Box<NetworkPolicy>),
    /// How many pods of a part a drain leaves.
    Budget(Box<PodDisruptionBudget>),
    /// A Gateway of its own.
    Gateway(Box<Gateway>),
    /// A route to one of its hosts.
    Route(Box<HttpRoute>),
    /// What a controller is told of a route besides.
    Policy(Box<ClientSettingsPolicy>),
}

/// The kinds of children that are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A Secret of ours.
    Secret,
    /// The environment of the backend.
    ConfigMap,
    /// The claim that holds the data.
    Claim,
    /// How a part is reached inside the cluster.
    Service,
    /// The backend.
    StatefulSet,
    /// The dashboard.
    Deployment,
    /// How the instance is reached from outside.
    Ingress,
    /// As whom the pods of a part are known.
    ServiceAccount,
    /// Who may open connections to the pods of a part.
    NetworkPolicy,
    /// How many pods of a part a drain leaves.
    Budget,
    /// A Gateway of its own.
    Gateway,
    /// What a controller is told of a route besides.
    Policy,
    /// A route to one of its hosts.
    Route,
    /// What carries data, and every pod of it.
    Job,
}

impl Plan<Prepared> {
    /// A plan of these steps.
    #[must_use]
    pub fn of(steps: Vec<Step>) -> Self {
        Self { steps, state: Prepared }
    }
}
