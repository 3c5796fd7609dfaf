//! Seeded faults of machine or shell, one at a time. The names say what the mutant does NOT do.

/// A seeded fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mutant {
    /// The real thing.
    #[default]
    None,
    /// Waits until traffic was observed held.
    Holds,
    /// Waits until the last request is through.
    Drains,
    /// Names snapshots and jobs by the attempt, too.
    AttemptInNames,
    /// Stops jobs of other attempts before anything moves.
    JobsStop,
    /// Conditions status writes on the resourceVersion.
    Conditions,
    /// Ends the pass on a conflict.
    ConflictEnds,
    /// Honours fences.
    Fences,
    /// Raises the fence of the backend with an edge after which something else is wanted of it.
    Moves,
    /// Raises a fence where the content stays.
    Raises,
    /// Asserts obligations without an edge.
    LevelBased,
    /// Rebuilds from the sealed store.
    Seals,
    /// Believes the gate about the data only where its store was served from.
    Record,
    /// Pins the point of no return before it is passed.
    PointOfNoReturn,
    /// Takes a late success for a success.
    DoneBeatsLate,
    /// Rolls back into a store of its own.
    FreshWayBack,
    /// Remembers what was refused.
    Refuses,
    /// Waits for the old pod to be gone (the `StatefulSet` controller).
    WaitsForGone,
    /// Removes the finalizer last.
    FinalizerLast,
    /// Keeps stores whose last snapshot could not be had.
    Farewell,
    /// Asks for the permit before an import commits.
    Permit,
    /// Needs a verified copy.
    NeedsCopy,
    /// Knows when home is lost.
    KnowsLost,
    /// Uses a new id for each upgrade.
    UniqueId,
    /// Looks at the `StatefulSet`, not at pods alone.
    Asked,
    /// Refuses outgrown releases, in Ready and by putting back.
    Outgrown,
    /// Turns round when the release is put back.
    PutBack,
    /// Stays Degraded while home does not serve.
    StaysDegraded,
    /// Holds traffic while provisioning.
    ProvisionHolds,
    /// Treats what was made late in Exporting as stale.
    ForgetsLate,
    /// Lets admins deploy while users are held.
    DeploysHeld,
    /// Has a gate.
    Gate,
    /// Raises the gate's fence where its content stays.
    GateRaises,
    /// Closes the gate when stopping.
    GateCloses,
    /// Raises fences before it believes what is found.
    FencesFirst,
    /// Looks for what was made before it believes the spec.
    LooksFirst,
    /// Holds traffic in place, too.
    HoldsInPlace,
    /// Waits until no pod is left before it copies.
    StopsFirst,
    /// Counts only whole copies.
    Whole,
    /// Asks for the permit around a copy.
    CopyPermit,
    /// Opens the copy in a rollback.
    OpensCopy,
    /// Owes one thing of one child under one fence.
    OneWish,
    /// Proves the image first.
    Proves,
    /// Leaves alone what is missing.
    LeavesMissing,
    /// Never creates by an update.
    UpdatesOnly,
    /// Makes copies by jobs only.
    CopiesByJob,
    /// Pins that a deletion has parted from its backend before it removes anything.
    Parts,
    /// Stops the backend of a suspended instance.
    Suspends,
    /// Pins the export before it stops the backend for a copy.
    PinsExport,
    /// Forgets the export of an earlier attempt, and gives none up that users were let in after.
    ForgetsExport,
    /// Looks at who owns a child.
    Owns,
    /// Sees that a backend cannot be held.
    SeesUnholdable,
    /// Starts a job once.
    PostsOnce,
    /// Never goes back to a stage that an attempt has left.
    GoesOn,
    /// Prunes only what nothing pinned refers to.
    PrunesOld,
}
