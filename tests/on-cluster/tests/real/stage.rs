//! What holds in every test on a real node: its namespace enforces the restricted Pod Security Standard, and nothing that the
//! operator asks for is refused for want of a right.

use anyhow::{Result, ensure};
use cluster::operator::USER;
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use on_cluster::Stage;
use serde_json::json;

pub use on_cluster::stage::{PATIENCE, is_ready, pod_name, small};

/// Plays a test on a restricted stage.
///
/// # Errors
/// As [`on_cluster::played`], and where the operator was refused something.
pub async fn played(name: &str, test: impl AsyncFnOnce(&Stage) -> Result<()>) -> Result<()> {
    on_cluster::played(name, async |stage| {
        let enforced = json!({ "metadata": { "labels": {
            "pod-security.kubernetes.io/enforce": "restricted" } } });
        let namespaces = Api::<Namespace>::all(stage.client());
        let patch = Patch::Merge(enforced);
        namespaces.patch(stage.namespace(), &PatchParams::default(), &patch).await?;
        test(stage).await?;
        nothing_was_forbidden(stage)
    })
    .await
}

/// Neither in this test nor in any other.
fn nothing_was_forbidden(stage: &Stage) -> Result<()> {
    let asked = stage.cluster.audit_matching(0, &[USER])?;
    let forbidden = asked.iter().filter(|it| it.user == USER && it.is_beyond_role);
    let forbidden: Vec<_> = forbidden.map(|it| format!("{} {}", it.verb, it.uri)).collect();
    ensure!(forbidden.is_empty(), "forbidden to the operator:\n{}", forbidden.join("\n"));
    Ok(())
}
