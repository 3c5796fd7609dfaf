//! The resource that users write: `ConvexInstance`, its validation and its status.
//!
//! Everything that can be refused is refused at admission, by the schema or by a CEL rule whose message
//! says what to do instead; no webhook is involved. Field names and the spelling of the enums `dev`,
//! `prod`, `sqlite`, `inPlace` … follow the specification that this project grew from.

mod backend;
mod condition;
mod confinement;
mod dashboard;
mod database;
mod maintenance;
mod network_policy;
mod networking;
mod pod;
mod reference;
mod schema;
mod spec;
mod status;
mod storage;
mod tuning;
mod volumes;
mod yaml;

pub(crate) use self::schema::RESERVED;
pub use self::{
    backend::{Backend, Instance, Profile, Security, Telemetry},
    condition::{Condition, ConditionStatus, ConditionType},
    dashboard::{Dashboard, DashboardSecurity, DashboardService},
    database::{CreateDatabase, Database, Engine},
    maintenance::{
        Approval, ExportImport, ImportInto, Maintenance, OnFailure, PreUpgradeSnapshot,
        SnapshotDestination, Snapshots, UpgradeStrategy, Window,
    },
    network_policy::NetworkPolicy,
    networking::{Ingress, Mode, Networking, ParentRef, VendorPolicies},
    pod::{DisruptionBudget, Pod, ServiceAccount},
    reference::reference,
    schema::crd,
    spec::{BackendScale, ConvexInstance, ConvexInstanceSpec, DeletionPolicy, Environment, Scale},
    status::{
        Blocked, Component, Components, ConvexInstanceStatus, DependencyStatus, Endpoints,
        SnapshotStatus, StoreStatus, Transition, UpgradePlan, UpgradeStatus,
    },
    storage::{Buckets, Claim, S3, Storage, StorageMode},
    tuning::{LogFormat, LogLevel, Logging, Metrics, Tuning},
    volumes::{ExtraMount, ExtraVolume},
};

/// The API group of the resource.
pub const GROUP: &str = "convex.icod.de";
/// The name of the CRD.
pub const CRD_NAME: &str = "convexinstances.convex.icod.de";

/// The CRD as YAML, as it is committed under `crds/`.
///
/// # Errors
/// When a value cannot be written as YAML, which none of ours is.
pub fn crd_yaml() -> Result<String, serde_saphyr::ser::Error> {
    let definition = serde_json::to_value(crd())
        .map_err(<serde_saphyr::ser::Error as serde::ser::Error>::custom)?;
    serde_saphyr::to_string(&yaml::Compact::of(&definition))
}
