//! Every seeded fault of machine or shell must be noticed, by the invariant that it breaks.
//!
//! A row says what the mutant does NOT do, in which search, and which invariants may notice first.

use model::{
    configuration::{Configuration, QUIET},
    mutant::Mutant,
    search::search,
    world::Budget,
};

/// In place without a way back, with an export, with a cold copy; export and import into the same
/// store, the same with a copy besides, and a fresh one.
const PLAIN: u8 = 0;
const HELD: u8 = 1;
const COLD: u8 = 2;
const SAME: u8 = 3;
const SAME_COPIED: u8 = 4;
const FRESH: u8 = 5;

fn notices(mutant: Mutant, configuration: Configuration, invariants: &[&str]) {
    let drains = invariants.contains(&"L1");
    let found = search(Configuration { drains, ..configuration }, mutant, 1);
    println!("{mutant:?}: {found}");
    let noticed = |name: &&str| found.violations.iter().any(|it| it.property.starts_with(*name));
    assert!(invariants.iter().any(noticed), "{mutant:?} is not noticed: {found}");
}

macro_rules! mutants {
    ($($name:ident: $mutant:ident, $strategy:expr, { $($field:ident: $count:expr),* } $(.$also:ident())* => $($invariant:literal)|+;)*) => {
        $(
            #[test]
            fn $name() {
                let budget = Budget { $($field: $count,)* ..QUIET };
                let configuration = Configuration::new(stringify!($name), $strategy, budget)$(.$also())*;
                notices(Mutant::$mutant, configuration, &[$($invariant),+]);
            }
        )*
    };
}

mutants! {
    waiting_until_traffic_is_held: Holds, SAME, { writes: 2 } => "D1" | "S3";
    waiting_until_traffic_is_held_in_place: Holds, HELD, { writes: 2, lates: 1 }.rolling_back() => "D1" | "S3";
    waiting_for_the_last_request: Drains, SAME, { writes: 2 } => "D1" | "S3";
    forgetting_what_was_made_late: ForgetsLate, SAME, { writes: 2, lates: 1 } => "D1" | "S3" | "L1" | "P1";
    attempts_in_names: AttemptInNames, SAME, { edits: 2, writes: 2, lates: 1 } => "D1" | "S3" | "L1" | "S5";
    ids_that_are_unique: UniqueId, SAME, { edits: 2, writes: 2 } => "S2" | "S3" | "D1" | "L1";
    needing_a_verified_copy: NeedsCopy, SAME, {} => "S2";
    stopping_jobs_of_other_attempts: JobsStop, SAME, { edits: 2, amnesia: 1 } => "S4" | "D1" | "S3" | "L1";
    permits_of_imports: Permit, SAME, { writes: 0, second: 1, lates: 1 }.rolling_back() => "S4" | "S3" | "D1";
    conditions_on_status_writes: Conditions, SAME, { second: 1, stale_reads: 1 } => "S5" | "D1" | "S2" | "L1" | "P1";
    ending_a_pass_on_a_conflict: ConflictEnds, SAME, { edits: 2, conflicts: 1 } => "D1" | "S2" | "S3" | "L1" | "D2" | "P1";
    fences: Fences, SAME, { second: 1 } => "D1" | "D2" | "S4" | "L1" | "S3";
    raising_fences_of_what_stays: Raises, HELD, { edits: 2, second: 1, stale_reads: 1 } => "D1" | "D2" | "L1" | "S3";
    raising_the_fence_of_the_backend: Moves, HELD, { edits: 2, second: 1, stale_reads: 1 } => "D1" | "D2" | "L1" | "S3";
    looking_at_the_statefulset: Asked, PLAIN, { edits: 2, crashes: 1 } => "D1" | "D2" | "L1";
    obligations_without_an_edge: LevelBased, SAME, { crashes: 1 } => "L1";
    rebuilding_from_the_sealed_store: Seals, FRESH, { amnesia: 1 } => "D1" | "L1";
    believing_the_gate_about_the_data: Record, FRESH, { amnesia: 1 } => "D1" | "L1";
    pinning_the_point_of_no_return: PointOfNoReturn, HELD, { edits: 2, crashes: 1 } => "D2" | "D1";
    pinning_it_before_a_cold_upgrade: PointOfNoReturn, COLD, { edits: 2, crashes: 1 } => "D2" | "D1";
    rolling_back_into_another_store: FreshWayBack, HELD, { edits: 2 } => "D2";
    refusing_what_is_outgrown: Outgrown, PLAIN, { edits: 2 } => "D2";
    turning_round_when_put_back: PutBack, PLAIN, { edits: 2 } => "D2" | "L1";
    late_success: DoneBeatsLate, PLAIN, { writes: 0, lates: 1 } => "L1";
    remembering_what_was_refused: Refuses, HELD, { lates: 1, breaks: 1 }.rolling_back() => "L1";
    staying_degraded: StaysDegraded, PLAIN, { edits: 2, writes: 0, lates: 1, monkeys: 1, breaks: 1 } => "L1";
    knowing_that_home_is_lost: KnowsLost, PLAIN, { monkeys: 1, breaks: 1, lates: 1 } => "L1";
    holding_while_provisioning: ProvisionHolds, PLAIN, { edits: 2 } => "D1" | "D2";
    waiting_for_the_old_pod: WaitsForGone, PLAIN, { writes: 0 } => "S1";
    removing_the_finalizer_last: FinalizerLast, PLAIN, { writes: 0, deletions: 1 } => "S9";
    keeping_stores_without_a_copy: Farewell, PLAIN, { lates: 1, deletions: 1 }.with_farewell() => "S3";
    parting_by_an_edge: Parts, PLAIN, { edits: 0, deletions: 1, second: 1, lates: 1 }.with_farewell() => "S9";
    letting_admins_through: DeploysHeld, FRESH, {} => "L1";
    holding_in_place: HoldsInPlace, HELD, { edits: 2, writes: 2 } => "D1";
    stopping_before_a_copy: StopsFirst, COLD, {} => "S6";
    copies_that_are_whole: Whole, COLD, { lates: 1, breaks: 1 }.rolling_back() => "S6" | "D1";
    opening_the_copy: OpensCopy, COLD, { edits: 2, crashes: 1, lates: 1 }.rolling_back() => "D2";
    permits_of_copies: CopyPermit, COLD, { second: 1, lates: 1 } => "S6";
    one_wish_under_one_fence: OneWish, COLD, { writes: 2, second: 1, stale_reads: 1 } => "S6" | "D1" | "L1";
    the_gate: Gate, PLAIN, { second: 1, monkeys: 1 } => "D2";
    raising_the_gate: GateRaises, PLAIN, { edits: 2, second: 1, monkeys: 1 } => "D1" | "D2";
    closing_the_gate: GateCloses, COLD, { writes: 0, second: 1, monkeys: 1 } => "S6" | "D2";
    fences_before_a_rebuild: FencesFirst, PLAIN, { amnesia: 1, second: 1 } => "D2" | "L1";
    fences_before_a_rebuild_with_exports: FencesFirst, SAME, { amnesia: 1, second: 1 } => "D1" | "D2" | "L1";
    looking_before_the_spec_is_believed: LooksFirst, PLAIN, { edits: 2, amnesia: 1 } => "D1" | "D2" | "L1";
    proving_the_image: Proves, COLD, { absences: 1 } => "P1";
    leaving_alone_what_is_missing: LeavesMissing, PLAIN, { losses: 1 } => "D3";
    updates_that_never_create: UpdatesOnly, PLAIN, { losses: 1, crashes: 1, lates: 1 } => "D3";
    copies_by_jobs_only: CopiesByJob, COLD, { losses: 1, lates: 1 }.rolling_back() => "D3" | "D1";
    stopping_what_is_suspended: Suspends, PLAIN, { suspends: 1 } => "L1";
    pinning_the_export_before_the_stop: PinsExport, SAME_COPIED, { second: 1, stale_reads: 1 } => "S6" | "D1" | "L1";
    forgetting_the_export_of_an_earlier_attempt: ForgetsExport, SAME_COPIED, { edits: 2, writes: 2, lates: 1 } => "D1" | "S3";
    looking_at_owners: Owns, PLAIN, { edits: 0, deletions: 1, recreations: 1 } => "S8";
    seeing_what_cannot_be_held: SeesUnholdable, HELD, { edits: 2, writes: 2 }.unpausable() => "D1" | "S3";
    pruning_only_what_is_old: PrunesOld, HELD, { edits: 2, prunings: 1, lates: 1 }.rolling_back() => "D1" | "L1" | "S2" | "S3";
    starting_a_job_once: PostsOnce, SAME, {} => "S7";
    going_on_within_an_attempt: GoesOn, SAME, { lates: 1 } => "S5";
}
