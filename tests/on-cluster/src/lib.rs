//! on-cluster
