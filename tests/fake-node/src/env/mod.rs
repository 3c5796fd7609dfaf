//! The environment of a container, resolved as a kubelet does.

mod expand;
mod fields;
mod resolve;

pub use expand::expand;
pub use fields::{PodFacts, field};
pub use resolve::{ConfigError, needs, resolve};

/// Variables in order. Values are bytes, since a Secret's are.
pub type Variables = Vec<(String, Vec<u8>)>;
