//! What the tests on a cluster are written with: instances that read as prose, a namespace of one's own, and what the
//! API server said.

pub mod admission;
pub mod beside;
pub mod container;
pub mod definition;
pub mod edge;
pub mod follow;
pub mod ground;
pub mod instance;
pub mod kubectl;
pub mod outside;
pub mod patron;
pub mod proxy;
pub mod reach;
pub mod refusal;
pub mod stage;
pub mod witness;

pub use admission::{Case, rule};
pub use beside::Beside;
pub use follow::{Follower, State};
pub use ground::Ground;
pub use instance::Instance;
pub use kubectl::Kubectl;
pub use reach::Reach;
pub use refusal::Refusal;
pub use stage::{Stage, played};
pub use witness::Witness;
