//! Labels, annotations and owner references: the only place that spells them.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::{Resource, ResourceExt};

use crate::api::ConvexInstance;

/// Field manager, value of `managed-by`, and reporter of Events.
pub const MANAGER: &str = "convex-operator";
/// Keeps an instance until its children are gone.
pub const FINALIZER: &str = "convex.icod.de/finalizer";
/// Says which instance a child that outlives its instance belongs or belonged to.
pub const INSTANCE_UID: &str = "convex.icod.de/instance-uid";
/// On backend pods and claims: the version that the template asks for.
pub const VERSION: &str = "convex.icod.de/version";
/// On backend pods: the kind of the database.
pub const ENGINE: &str = "convex.icod.de/engine";
/// On backend pods and claims: which store this is. A claim without it is no store.
pub const STORE: &str = "convex.icod.de/store";
/// On backend pods: a keyed digest of the environment, so that a changed value rolls the pod.
pub const CONFIG_HASH: &str = "convex.icod.de/config-hash";
/// A keyed digest of the values that further variables of the backend are taken from.
pub const VARIABLES_HASH: &str = "convex.icod.de/variables-hash";
/// On claims: the image that was last about to open the store.
pub const IMAGE: &str = "convex.icod.de/image";
/// On claims: the cold copy that it was made for.
pub const COPY: &str = "convex.icod.de/copy";
/// On the Secret with the keys of data on a server: the UID of the instance that has stamped it.
pub const STAMPED_FOR: &str = "convex.icod.de/stamped-for";
/// On claims: every version that was about to open the store, oldest first.
pub const OPENED_BY: &str = "convex.icod.de/opened-by";
/// On claims, and on Secrets about servers: the `INSTANCE_NAME` that the data was made under.
pub const INSTANCE_NAME: &str = "convex.icod.de/instance-name";
/// On claims: the store holds the data of the instance, since it was made or since the edge of this number.
pub const SEALED: &str = "convex.icod.de/sealed";
/// On a Secret with keys: the instance that was deleted before it had ever let users in, by its UID.
pub const NEVER_SERVED: &str = "convex.icod.de/never-served";
/// On the gate's record and on the `StatefulSet`: the edge that asked for it. What carries a newer one is not written.
pub const FENCE: &str = "convex.icod.de/fence";
/// On Jobs and their pods: what they are for.
pub const ERRAND: &str = "convex.icod.de/errand";
/// On Jobs and their pods: the upgrade and the attempt that they belong to.
pub const ATTEMPT: &str = "convex.icod.de/attempt";
/// On Jobs and their pods: which worker of its attempt this is, from 1 on.
pub const TRY: &str = "convex.icod.de/try";
/// On Jobs that fill a claim: which one that is, for another one of that name may be made in its place.
pub const CLAIM_UID: &str = "convex.icod.de/claim-uid";
/// On Jobs that fill a bucket: its name.
pub const BUCKET: &str = "convex.icod.de/bucket";
/// On Jobs that talk to a backend: the address of the pod that they were told to talk to.
pub const ADDRESS: &str = "convex.icod.de/backend-address";
/// On backend pods: when the backend was last restarted for its age; empty where it never was.
pub const RESTARTED: &str = "convex.icod.de/restarted-at";
/// On an instance: the plan that somebody approves.
pub const APPROVE: &str = "convex.icod.de/approve";
/// On an instance: `true` leaves everything as it is until it is gone.
pub const PAUSED: &str = "convex.icod.de/paused";
/// On a backend Service that lets nobody in; no pod ever carries it.
pub const TRAFFIC: &str = "convex.icod.de/traffic";

/// The label that every child carries, and that watches select by.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The label that names the part of an instance that a child belongs to.
pub const COMPONENT: &str = "app.kubernetes.io/component";
/// The label that names the instance of a child.
pub const INSTANCE: &str = "app.kubernetes.io/instance";

/// Whether the instance waits for us before it goes.
#[must_use]
pub fn has_finalizer(instance: &impl Resource) -> bool {
    instance.finalizers().iter().any(|it| it == FINALIZER)
}

/// Whether somebody wants everything left as it is. A deletion goes on all the same.
#[must_use]
pub fn is_paused(instance: &impl Resource) -> bool {
    let asked = instance.annotations().get(PAUSED).is_some_and(|it| it == "true");
    asked && instance.meta().deletion_timestamp.is_none()
}

/// Which part of an instance a child belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The backend and what it needs.
    Backend,
    /// The dashboard.
    Dashboard,
    /// What carries data for an upgrade.
    Worker,
}

impl Part {
    /// What its children are labelled with.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backend => "backend",
            Self::Dashboard => "dashboard",
            Self::Worker => "worker",
        }
    }
}

fn map<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// What selects the pods of a part. It can never change: selectors are immutable.
#[must_use]
pub fn selector(instance: &ConvexInstance, part: Part) -> BTreeMap<String, String> {
    map([
        ("app.kubernetes.io/name", "convex"),
        (INSTANCE, &instance.name_any()),
        (COMPONENT, part.name()),
    ])
}

/// What every child of a part carries.
#[must_use]
pub fn labels(instance: &ConvexInstance, part: Part) -> BTreeMap<String, String> {
    let mut labels = selector(instance, part);
    labels.extend(map([("app.kubernetes.io/part-of", "convex"), (MANAGED_BY, MANAGER)]));
    labels
}

/// The metadata of a child that goes with its instance.
#[must_use]
pub fn owned(instance: &ConvexInstance, part: Part, name: String) -> ObjectMeta {
    ObjectMeta {
        owner_references: owner(instance).map(|it| vec![it]),
        ..outliving(instance, part, name)
    }
}

/// The metadata of a child that may outlive its instance: no owner, so that no garbage collector
/// ever takes data with it; the label says whose it is.
#[must_use]
pub fn outliving(instance: &ConvexInstance, part: Part, name: String) -> ObjectMeta {
    let mut labels = labels(instance, part);
    labels.insert(INSTANCE_UID.to_owned(), instance.uid().unwrap_or_default());
    ObjectMeta {
        name: Some(name),
        namespace: instance.namespace(),
        labels: Some(labels),
        ..ObjectMeta::default()
    }
}

/// Whether an object carries this fence or a newer one. Fences are revisions of the instance, which the API server hands
/// out in order.
#[must_use]
pub fn carries(meta: &ObjectMeta, fence: &str) -> bool {
    let there = meta.annotations.as_ref().and_then(|it| it.get(FENCE)?.parse::<u128>().ok());
    there.zip(fence.parse().ok()).is_some_and(|(there, fence)| there >= fence)
}

fn owner(instance: &ConvexInstance) -> Option<OwnerReference> {
    instance.controller_owner_ref(&())
}

/// Whose a child is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belongs {
    /// This instance's.
    Ours,
    /// An earlier instance of this name left it behind.
    Retained,
    /// Somebody else's: never adopted, never overwritten, never deleted.
    Foreign,
}

/// Whose a child is, by owner reference or, where it may outlive its instance, by label.
#[must_use]
pub fn belongs(instance: &ConvexInstance, child: &ObjectMeta) -> Belongs {
    belongs_to(instance.meta(), child)
}

/// The same of an instance of which no more is known than its metadata.
#[must_use]
pub fn belongs_to(instance: &ObjectMeta, child: &ObjectMeta) -> Belongs {
    let uid = instance.uid.clone().unwrap_or_default();
    let owners = child.owner_references.as_deref().unwrap_or_default();
    if let Some(controller) = owners.iter().find(|it| it.controller == Some(true)) {
        return if controller.uid == uid { Belongs::Ours } else { Belongs::Foreign };
    }
    let label = |key: &str| child.labels.as_ref().and_then(|it| it.get(key));
    match label(INSTANCE_UID) {
        Some(of) if *of == uid => Belongs::Ours,
        Some(_) if label(INSTANCE) == instance.name.as_ref() => Belongs::Retained,
        _ => Belongs::Foreign,
    }
}
