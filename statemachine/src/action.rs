//! What a phase obliges the operator to do, in the imperative and idempotent.

use crate::{
    observed::Kind,
    pins::{Backend, Release, Snapshot, Store},
};

/// An obligation: "make sure that …". The shell carries them out in the order given and stops at
/// the first that fails.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Our finalizer is on the instance.
    EnsureFinalizerAdded,
    /// The keys of the instance exist.
    EnsureSecretsCreated,
    /// The gate and every store carry our fence, their content as it was found.
    EnsureFenced,
    /// The store exists and is stamped with the release that is about to open it. Where the store
    /// [must not be made empty](Store::may_be_made_empty), one that is absent is an error.
    EnsureStoreStamped(Backend),
    /// Exactly one backend is wanted, and it is this one.
    EnsureBackendRolled(Backend),
    /// No backend is wanted, and it is this one that stops.
    EnsureBackendStopped(Backend),
    /// Dashboard, services and routes are as the spec says.
    EnsureSurroundingsApplied,
    /// The store carries the mark of being the one that holds the data.
    EnsureStoreSealed(Store),
    /// This image was pulled and started on the node by a pod that runs nothing, for this attempt;
    /// its outcome stays to be seen until the upgrade is over.
    EnsureImageProven(Release),
    /// Nobody is let in any more. Asking is enough, also where nothing answers: whether it came true is observed.
    EnsureTrafficHeld,
    /// Users are let in.
    EnsureTrafficFlowing,
    /// The job that carries the data out has been started.
    EnsureExported(Snapshot),
    /// The job that copies one store into another has been started.
    EnsureCopied {
        /// What names the job.
        attempt: Snapshot,
        /// What is read.
        from: Store,
        /// What is filled.
        to: Store,
    },
    /// The job of this attempt that carries the snapshot into the backend has been started.
    EnsureImported {
        /// What is carried in.
        snapshot: Snapshot,
        /// What names the job.
        attempt: Snapshot,
        /// What it is carried into.
        into: Backend,
    },
    /// No job but this one has any effect left.
    EnsureJobsStopped {
        /// The one that may go on.
        except: Option<(Kind, Snapshot)>,
    },
    /// Children are removed, pods before stores.
    EnsureChildrenRemoved {
        /// Whether the stores stay although the policy says otherwise, for want of a copy.
        keep_stores: bool,
    },
    /// Our finalizer is off the instance.
    EnsureFinalizerRemoved,
}
