//! A fake node: it plays the kubelet against a real API server, and its containers are processes of this machine.
//!
//! It exists for speed and for faults, and needs no root. What is real: the API server, the scheduler, the controllers, and
//! everything that a kubelet *says*: node and lease, pod status, waiting reasons and their wording, restarts with back-off,
//! probes that are really performed, environment, volumes, logs, termination with preStop, signals and grace.
//!
//! What is played:
//! - a **container** is a process of the host, found by its image in a table ([`images`]); there is no isolation, and user
//!   ids are not changed. Its file tree is a folder named by `STANDIN_ROOT`, its address is in `STANDIN_BIND`;
//! - a **pod address** comes from `--addresses`, by default a loopback range, where the process really listens. The
//!   `EndpointSlice` API refuses loopback addresses, so Services have no endpoints here: ask pods by address;
//! - an **init container** that only copies files (`cp`, also within `sh -c`) succeeds without doing anything, since the
//!   programs of an image lie in the table and not in a file tree;
//! - a **preStop** of `kill -SIGNAL 1` sends that signal to the container's process; other commands run on the host;
//! - **time**: `--speed` divides back-offs, probe periods and grace periods (not time limits of single probes).
//!
//! Not played: sidecar init containers, `exec`, `attach`, `port-forward`, resource limits, `subPathExpr`, gRPC and HTTPS probes.
//!
//! **Faults** are asked for by annotations on the pod or by a control file ([`pod::faults`]).

pub mod addresses;
pub mod backoff;
pub mod container;
pub mod env;
pub mod flags;
pub mod images;
pub mod kubelet;
pub mod link;
pub mod logs;
pub mod node;
pub mod objects;
pub mod pod;
pub mod probe;
pub mod process;
pub mod records;
pub mod server;
pub mod volumes;
