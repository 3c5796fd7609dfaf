//! The classes of storage, and the process that makes their volumes: folders of this machine.

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
/// Its volumes have the size that was asked for and not a byte more: filesystems in memory, for which root is needed.
pub const LIMITED_CLASS: &str = "limited";

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

/// Makes both classes.
///
/// # Errors
/// The API server refuses.
pub async fn install_classes(client: &Client) -> Result<()> {
    let classes = Api::<StorageClass>::all(client.clone());
    for class in [CLASS, LIMITED_CLASS] {
        let object = json!({
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": class,
                "annotations": { "storageclass.kubernetes.io/is-default-class": (class == CLASS).to_string() },
            },
            "provisioner": PROVISIONER,
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "WaitForFirstConsumer",
            "allowVolumeExpansion": true,
        });
        let params = PatchParams::apply("local-cluster");
        classes.patch(class, &params, &Patch::Apply(object)).await?;
    }
    Ok(())
}
