//! What is changed about a Secret that is there: whose it is, and what it lacks. Never a key.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{
    Resource, ResourceExt,
    api::{Patch, PatchParams},
    core::Status,
};
use serde_json::json;

use super::Doer;
use crate::plan::{
    Conflict,
    labels::{self, Belongs},
    secrets::ADMIN_KEY,
};

impl Doer<'_> {
    /// Keeps what this pass has minted. Where another pass was quicker, its keys are the ones that count, and this pass
    /// ends: everything that it would do next is built on keys that nobody keeps.
    pub(super) async fn mint(&mut self, minted: &Secret) -> kube::Result<()> {
        match self.create(minted).await? {
            Some(kept) if kept.data != minted.data => Err(outrun()),
            _ => Ok(()),
        }
    }

    pub(super) async fn take_over(&mut self, name: &str) -> kube::Result<()> {
        let api = self.api::<Secret>();
        let there = api.get(name).await?;
        // It may have changed hands since it was read.
        if labels::belongs(self.instance, &there.metadata) != Belongs::Retained {
            let (kind, name) = (Secret::kind(&()).into_owned(), name.to_owned());
            self.applied.conflicts.push(Conflict { kind, name });
            return Ok(());
        }
        let patch = json!({"metadata": {
            "resourceVersion": there.resource_version(),
            "labels": {(labels::INSTANCE_UID): self.instance.uid()},
        }});
        api.patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await?;
        self.applied.writes += 1;
        Ok(())
    }

    /// Fills in what is missing beside what is there; a key to another deployment gives way only where it was asked for.
    pub(super) async fn complete(&mut self, wanted: &Secret, renames: bool) -> kube::Result<()> {
        let api = self.api::<Secret>();
        let name = wanted.name_any();
        let there = api.get(&name).await?;
        let (now, then) = (there.data.as_ref(), wanted.data.as_ref());
        // It may have changed since it was read, and a key of the deployment is never written over.
        let kept = match (key(now), key(then)) {
            (None, _) => false,
            (Some(one), Some(other)) if renames => deployment(one) == deployment(other),
            (one, other) => one != other,
        };
        // One that an earlier instance has left, and that the spec names, is stamped as ours is.
        let ours = labels::belongs(self.instance, &there.metadata) != Belongs::Foreign;
        if !ours || kept {
            return Ok(());
        }
        let mut patch = json!({
            "metadata": {"uid": there.uid(), "resourceVersion": there.resource_version()},
        });
        if let Some(data) = then {
            patch["data"] = json!(data);
        }
        if let Some(annotations) = &wanted.metadata.annotations {
            patch["metadata"]["annotations"] = json!(annotations);
        }
        api.patch(&name, &PatchParams::default(), &Patch::Merge(&patch)).await?;
        self.applied.writes += 1;
        Ok(())
    }
}

fn key(data: Option<&BTreeMap<String, ByteString>>) -> Option<&[u8]> {
    Some(&data?.get(ADMIN_KEY)?.0)
}

/// The name before a key, which says whose it is.
fn deployment(key: &[u8]) -> Option<&[u8]> {
    key.split(|byte| *byte == b'|').next()
}

fn outrun() -> kube::Error {
    let status = Status::failure("another pass has minted the keys", "Conflict").with_code(409);
    kube::Error::Api(status.boxed())
}
