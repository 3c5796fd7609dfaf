//! One child: made where it is missing, changed where it differs, deleted exactly as it was seen.

use std::{fmt::Debug, sync::Arc};

use k8s_openapi::{NamespaceResourceScope, api::apps::v1::StatefulSet};
use kube::{
    Resource, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{Doer, fence, ownership, surplus};
use crate::plan::{Conflict, compare, labels::MANAGER};

/// A kind of child: an object of a namespace.
pub(super) trait Object:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Serialize
    + DeserializeOwned
    + Clone
    + Debug
{
}

impl<K> Object for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Serialize
        + DeserializeOwned
        + Clone
        + Debug
{
}

impl Doer<'_> {
    /// The child is as it is wanted, in everything that is wanted.
    pub(super) async fn ensure<K: Object>(
        &mut self,
        wanted: &K,
        found: Option<Arc<K>>,
    ) -> kube::Result<()> {
        let wanted = shaped(wanted)?;
        let found = match found {
            Some(found) => found,
            None => match self.create::<K>(&wanted).await? {
                Some(ours) => ours,
                None => return Ok(()),
            },
        };
        if found.meta().deletion_timestamp.is_some() {
            return Ok(()); // it is made anew once it is gone
        }
        self.bring(found, json(&wanted)?).await
    }

    /// Brings what is there to what is wanted, where it differs in that.
    async fn bring<K: Object>(&mut self, found: Arc<K>, wanted: Value) -> kube::Result<()> {
        let mut live = json(&*found)?;
        fence::is_ours(&live, &wanted)?;
        let fence = self.world.facts.pins.backend_fence();
        let covers = |live: &Value| compare::covers(live, &fence::kept(live, &wanted, &fence.0));
        let surplus = surplus::of(&K::kind(&()), &live, &wanted);
        if surplus.is_none() && covers(&live) {
            return Ok(());
        }
        // What the API server would refuse is not asked of it: the watch is about to bring what the last pass wrote.
        if self.ctx.memory.is_outdated(&found.uid().unwrap_or_default(), revision(&live)) {
            return Err(fence::late());
        }
        if let Some(surplus) = surplus {
            live = self.merge::<K>(&live, surplus).await?;
        }
        if covers(&live) {
            return Ok(());
        }
        if surplus::is_sealed(&live) {
            return self.delete(Some(found)).await; // and made anew by the next pass
        }
        if ownership::takes_away(&live, &wanted) && ownership::is_as_created(&live) {
            live = self.adopt_creation::<K>(&live).await?;
        }
        self.patch::<K>(wanted, &live).await
    }

    async fn patch<K: Object>(&mut self, mut wanted: Value, live: &Value) -> kube::Result<()> {
        wanted["apiVersion"] = json!(K::api_version(&()));
        wanted["kind"] = json!(K::kind(&()));
        only(&mut wanted, live);
        let name = wanted["metadata"]["name"].as_str().unwrap_or_default();
        let apply = PatchParams::apply(MANAGER).force();
        let applied = self.api::<K>().patch(name, &apply, &Patch::Apply(&wanted)).await?;
        self.wrote(live, &wanted, &json(&applied)?);
        Ok(())
    }

    /// Merges something into exactly the child that was seen.
    async fn merge<K: Object>(&mut self, live: &Value, mut patch: Value) -> kube::Result<Value> {
        only(&mut patch, live);
        let name = live["metadata"]["name"].as_str().unwrap_or_default();
        let ours =
            PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let merged = self.api::<K>().patch(name, &ours, &Patch::Merge(&patch)).await?;
        let now = json(&merged)?;
        self.wrote(live, &patch, &now);
        Ok(now)
    }

    /// Asks for this many pods and changes nothing else.
    pub(super) async fn only_replicas(
        &mut self,
        set: &StatefulSet,
        replicas: i32,
    ) -> kube::Result<()> {
        let patch = json!({"spec": {"replicas": replicas}});
        self.merge::<StatefulSet>(&json(set)?, patch).await.map(|_| ())
    }

    /// What a webhook of somebody else puts back at once has changed nothing, and rolls nothing.
    fn wrote(&mut self, before: &Value, asked: &Value, now: &Value) {
        let uid = now["metadata"]["uid"].as_str().unwrap_or_default();
        self.ctx.memory.wrote(uid, revision(now));
        if revision(before) != revision(now) {
            self.applied.writes += 1;
            self.applied.rolled |= !asked["spec"]["template"].is_null();
        }
    }

    async fn adopt_creation<K: Object>(&mut self, live: &Value) -> kube::Result<Value> {
        let patch = ownership::adoption(live);
        let name = live["metadata"]["name"].as_str().unwrap_or_default();
        let adopted =
            self.api::<K>().patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await?;
        self.applied.writes += 1;
        json(&adopted)
    }

    /// Creates; what stands there already is handed back where it is ours, and noted where it is not.
    pub(super) async fn create<K: Object>(&mut self, wanted: &K) -> kube::Result<Option<Arc<K>>> {
        let post = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        let (api, name) = (self.api::<K>(), wanted.name_any());
        // What the pass before this one made may not be known to the watch yet: a question is cheaper than
        // a creation that is refused.
        let there = match api.get_opt(&name).await? {
            Some(there) => there,
            None => match api.create(&post, wanted).await {
                Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => {
                    api.get(&name).await?
                }
                created => {
                    created?;
                    self.applied.writes += 1;
                    return Ok(None);
                }
            },
        };
        if self.is_ours(there.meta()) {
            return Ok(Some(Arc::new(there)));
        }
        self.applied.conflicts.push(Conflict { kind: K::kind(&()).into_owned(), name });
        Ok(None)
    }

    pub(super) async fn delete<K: Object>(&mut self, found: Option<Arc<K>>) -> kube::Result<()> {
        self.delete_with(found, PropagationPolicy::Background).await
    }

    /// Deletes exactly what was seen.
    pub(super) async fn delete_with<K: Object>(
        &mut self,
        found: Option<Arc<K>>,
        policy: PropagationPolicy,
    ) -> kube::Result<()> {
        let Some(found) = found.filter(|it| it.meta().deletion_timestamp.is_none()) else {
            return Ok(());
        };
        let exactly = DeleteParams {
            preconditions: Some(Preconditions {
                uid: found.uid(),
                resource_version: found.resource_version(),
            }),
            propagation_policy: Some(policy),
            ..DeleteParams::default()
        };
        match self.api::<K>().delete(&found.name_any(), &exactly).await {
            Ok(_) => self.applied.writes += 1,
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

fn revision(object: &Value) -> Option<&str> {
    object["metadata"]["resourceVersion"].as_str()
}

/// Holds a patch to exactly what was seen.
fn only(patch: &mut Value, live: &Value) {
    for precondition in ["uid", "resourceVersion"] {
        patch["metadata"][precondition] = live["metadata"][precondition].clone();
    }
}

fn json(object: &impl Serialize) -> kube::Result<Value> {
    serde_json::to_value(object).map_err(kube::Error::SerdeError)
}

/// What is wanted, with the shape of it written on it.
fn shaped<K: Resource + Serialize + Clone>(wanted: &K) -> kube::Result<K> {
    let mut shaped = wanted.clone();
    let shape = ownership::shape(&json(wanted)?);
    shaped.annotations_mut().insert(ownership::SHAPE.to_owned(), shape);
    Ok(shaped)
}
