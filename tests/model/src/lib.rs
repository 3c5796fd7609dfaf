//! A model checker for the lifecycle: every interleaving of a small cluster, and the REAL `step`.
//!
//! A [world](world::World) holds one instance, its children, what its users wrote, up to two passes of
//! operators, and a budget for each kind of trouble. [Acts](act::Act) are what operators, controllers,
//! users and people do, one at a time. [Ghosts](ghost) notice what must never be. From every world it
//! is also tried whether it comes to rest well once nothing goes wrong any more (L1).
//!
//! ```text
//! cargo test -p model                       every search of the small budget, and every mutant
//! MODEL_BUDGET=large cargo test -p model    the large budget
//! cargo run -p model --release -- large 4   the searches of one strategy, one line each
//! ```
//!
//! # What is modelled besides the happy path
//!
//! Crashes between any two writes, conflicts, lost requests and responses, stale reads, a second
//! operator that does not know that it lost its lease, failed, late and expired jobs, versions that never
//! serve, images that are not there, killed pods, a lost node whose pods may go on writing, deleted
//! `StatefulSet`s and gate records, a lost status (wholly, its pins, or home alone), a lost secret, store or
//! export, and their return, suspension, retention, a second life under the same name while children of
//! the first are still there, a rebuild that cannot write, and a backend that is too old to be paused.
//!
//! # What is not, and why
//!
//! - **`resourceVersions` of children.** A write is checked against the fence at the moment at which it is
//!   executed. With a precondition on what the pass had read, the server refuses more, never less.
//! - **Real time.** A phase is late when a budget says so; every order of deadlines is a superset of clocks.
//! - **The gate's record and the `StatefulSet` deleted together, with a stale pass between its writes.** The
//!   fences go with the objects that carry them; the stamp on the store ends such a pass only if it
//!   comes before it in the pass. One such deletion at a time is searched.
//! - **The status and the newest of several sealed stores lost together.** What is left is an older
//!   store that looks like home; nothing that survives says otherwise. Either loss alone is searched.
//! - **A target that is too old to be paused.** What its own crons write between its start and Ready is
//!   lost if it is rolled back: nothing can hold it. Upgrades away from such a version are searched.
//! - **A claim that is being deleted while a pod still uses it.** It is lost at once here, which is worse.
//! - **Approval, windows and turns.** They are asked before an upgrade begins and never again.
#![allow(missing_docs)] // the fields of the world say what they are; every module says what it is for

pub mod act;
mod api_server;
pub mod configuration;
pub mod ghost;
pub mod model;
pub mod mutant;
mod mutate;
mod nature;
mod observe;
mod people;
mod properties;
pub mod reconcile;
mod renumber;
mod rest;
pub mod search;
mod translate;
mod worker;
pub mod world;
