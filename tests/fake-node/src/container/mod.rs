//! One container: how it is prepared, run, watched, restarted and stopped, and what is known about it ([`ledger`]).

pub mod command;
pub mod ledger;
mod prepare;
mod record;
mod run;
mod stop;
mod user;

pub use run::{Container, Outcome, Restart};
pub use stop::Stop;
