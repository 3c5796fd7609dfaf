//! The finalizer of an instance: it goes on before the first child is made, and off after the last one is gone.

use kube::{
    Resource, ResourceExt,
    api::{Patch, PatchParams},
};
use serde_json::json;

use super::Doer;
use crate::{
    api::ConvexInstance,
    observe::uid,
    plan::labels::{self, FINALIZER},
};

impl Doer<'_> {
    /// The finalizer is one entry of a list that others write to as well: the patch is held to the
    /// resourceVersion that the list was read at.
    pub(super) async fn finalizer(&mut self, wanted: bool) -> kube::Result<()> {
        let mut finalizers = self.instance.finalizers().to_vec();
        let there = labels::has_finalizer(self.instance);
        if there == wanted || (wanted && self.instance.meta().deletion_timestamp.is_some()) {
            return Ok(());
        }
        finalizers.retain(|it| it != FINALIZER);
        finalizers.extend(wanted.then(|| FINALIZER.to_owned()));
        let patch = json!({"metadata": {
            "resourceVersion": self.instance.resource_version(),
            "finalizers": finalizers,
        }});
        let api = self.api::<ConvexInstance>();
        let name = self.instance.name_any();
        match api.patch_metadata(&name, &PatchParams::default(), &Patch::Merge(&patch)).await {
            Ok(instance) => {
                let revision = instance.metadata.resource_version;
                self.ctx.memory.wrote(&uid(self.instance), revision.as_deref());
                self.applied.revision = revision;
            }
            Err(kube::Error::Api(status)) if status.code == 404 && !wanted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
