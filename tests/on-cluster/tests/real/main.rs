//! What only a node that really runs pods can prove: on a cluster that `tests/run-on real` brings up, the operator on it as a
//! pod under its own role, and every test in a namespace that enforces the restricted Pod Security Standard.

mod deletion;
mod downtime;
mod full;
mod gateway;
mod ingress;
mod midway;
mod operator;
mod pod;
mod preflight;
mod provisioning;
mod repair;
mod servers;
mod stage;
mod upgrade;
mod wayback;
