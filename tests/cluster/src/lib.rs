//! The local Kubernetes cluster that tests and demos run on: plain processes, no registry, no virtual machine.
//!
//! The control plane is real in every cluster: etcd, kube-apiserver, kube-controller-manager and kube-scheduler, built from
//! Go modules. The node is either a process that plays the kubelet ([`NodeKind::Fake`]) or containerd, runc and kubelet in
//! a network namespace ([`NodeKind::Real`]). Whatever a cluster makes outside its folder is recorded before it is made, so
//! that an interrupted run can be cleaned up by the next.
//!
//! A cluster's folder is `.cache/run/fake` or `.cache/run/real`:
//!
//! | in it | is |
//! |---|---|
//! | `cluster.json` | what the cluster is and where ([`description::Description`]) |
//! | `kubeconfig` | the administrator's |
//! | `audit.log` | every answered request, a JSON object per line ([`audit::Entry`]) |
//! | `logs/` | what each process says |
//! | `operator.log`, `operator.json`, `operator.kubeconfig` | the operator as a host process (fake node) |
//! | `volumes/` | a folder per provisioned volume |
//! | `records.jsonl` | what is to be undone ([`record::Record`]) |
//!
//! The logs of a start that failed are kept in `.cache/run/fake.failed-logs` or `real.failed-logs`.

pub mod address;
pub mod audit;
pub mod binaries;
pub mod checkout;
pub mod client;
pub mod control_plane;
pub mod convex_cli;
pub mod description;
pub mod down;
pub mod fake;
pub mod gateway;
pub mod handle;
pub mod host;
pub mod image;
pub mod images;
pub mod kubeconfig;
pub mod kubectl;
pub mod launch;
pub mod limited;
pub mod operator;
pub mod pki;
pub mod process;
pub mod progress;
pub mod provisioner;
pub mod real;
pub mod record;
pub mod storage;
pub mod tools;
pub mod undo;
pub mod up;
pub mod volume;
pub mod wait;

pub use checkout::NodeKind;
pub use handle::Cluster;
