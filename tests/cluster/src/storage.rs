//! The `StorageClass` `standard` and the process that makes its volumes: folders of this machine.

use anyhow::Result;
use k8s_openapi::api::storage::v1::StorageClass;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use serde_json::json;

use crate::{
    control_plane::Parts, kubeconfig::Server, launch::Program, process::Daemon,
    provisioner::PROVISIONER,
};

/// The default `StorageClass` of every cluster here.
pub const CLASS: &str = "standard";

/// Starts the provisioner under a name of its own, so that the audit log tells it from the administrator.
///
/// # Errors
/// It does not start.
pub fn start(parts: &Parts<'_>, server: &Server) -> Result<Daemon> {
    let kubeconfig = parts.user(server, "provisioner", "local-provisioner", "system:masters")?;
    let program = Program::new("provisioner", std::env::current_exe()?).args([
        "provisioner".to_owned(),
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--folder={}", parts.run.join("volumes").display()),
    ]);
    parts.launcher.start(&program)
}

/// Makes the `StorageClass`.
///
/// # Errors
/// The API server refuses.
pub async fn install_class(client: &Client) -> Result<()> {
    let class = json!({
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": CLASS,
            "annotations": { "storageclass.kubernetes.io/is-default-class": "true" },
        },
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": true,
    });
    let classes = Api::<StorageClass>::all(client.clone());
    classes.patch(CLASS, &PatchParams::apply("local-cluster"), &Patch::Apply(class)).await?;
    Ok(())
}
