//! What people do in the middle of an upgrade, and how it has to end.

use anyhow::{Context, Result, ensure};
use convex_operator::api::ConvexInstance;
use k8s_openapi::api::{apps::v1::StatefulSet, core::v1::PersistentVolumeClaim};
use kube::api::{DeleteParams, ListParams};
use serde_json::{Value, json};

use super::{Stage, data::Data, places::Place, upgrades::UPGRADE};

/// What a hand does to the StatefulSet `dev-backend`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// `kubectl set image`, to a version that is not to be served there.
    SetsImage,
    /// `kubectl rollout undo`.
    UndoesRollout,
}

impl Stage {
    /// Waits until a backend of this version answers, ready or not.
    ///
    /// # Errors
    /// None does in time.
    pub async fn answers(&self, name: &str, version: &str) -> Result<()> {
        self.until(&format!("an answer of {version}"), UPGRADE, || async {
            let Ok(door) = self.door(name).await else { return Ok(None) };
            let answer = door.version().await.ok();
            Ok(answer.filter(|it| it == version).map(drop))
        })
        .await
    }

    /// Has the status of `dev` lost.
    ///
    /// # Errors
    /// It is refused.
    pub async fn forgets(&self) -> Result<()> {
        let what = ["patch", "cvx", "dev", "--namespace", self.namespace()];
        let how = ["--subresource=status", "--type=merge", "--patch", r#"{"status":null}"#];
        self.kubectl.run(&[&what[..], &how[..]].concat()).await?;
        Ok(())
    }

    /// Waits until this version serves, and looks that nothing is lost and nothing had two writers.
    ///
    /// # Errors
    /// It is not so.
    pub async fn ends_well(&self, data: &Data, version: &str) -> Result<()> {
        self.runs("dev", version).await?;
        self.has_all("dev", data).await?;
        self.marker("dev").await?;
        self.never_two_writers().await?;
        self.never_backwards().await
    }

    /// Waits until users are in, on v1, and looks that everything is there.
    ///
    /// # Errors
    /// It is not so.
    pub async fn serves_on(&self, data: &Data) -> Result<()> {
        self.until("users who are let in", UPGRADE, || async {
            Ok((!self.door("dev").await?.is_paused().await?).then_some(()))
        })
        .await?;
        let door = self.door("dev").await?;
        ensure!(door.version().await? == "v1");
        door.write("meanwhile", json!({"text": "while it is degraded"})).await?;
        self.has_all("dev", data).await
    }

    /// Deletes an instance in this place, and looks that what the policy keeps is there and the rest is not.
    ///
    /// # Errors
    /// It does not end, or with other claims.
    pub async fn goes_from(&self, place: Place, policy: &str, way: Value) -> Result<()> {
        self.stopped_in(place, policy, way).await?;
        let claims = self.claims().await?;
        let mut follower = self.follow("dev").await?;
        self.all::<ConvexInstance>().delete("dev", &DeleteParams::default()).await?;
        follower.gone(UPGRADE, |_| {}).await?;
        if policy == "Retain" {
            let left = self.claims().await?;
            ensure!(left == claims, "of {claims:?} are left {left:?}");
            return self.never_two_writers().await;
        }
        self.until("the end of all claims", UPGRADE, || async {
            let all = self.all::<PersistentVolumeClaim>().list(&ListParams::default()).await?;
            Ok(all.items.is_empty().then_some(()))
        })
        .await
    }

    /// Lays a hand on the StatefulSet in this place, waits until what it did is put right, and lets the upgrade end.
    ///
    /// # Errors
    /// It is not put right, or does not end well.
    pub async fn withstands(&self, place: Place, hand: Hand) -> Result<()> {
        let data = self.stopped_in(place, "Retain", place.way()).await?;
        let wanted = self.template().await?;
        let before = self.openings_by(place.strange()).await?;
        match hand {
            Hand::SetsImage => self.sets_image(place.strange()).await?,
            Hand::UndoesRollout => self.undoes_rollout().await?,
        }
        self.until("its own template", UPGRADE, || async {
            Ok((self.template().await? == wanted).then_some(()))
        })
        .await?;
        self.let_go(place).await?;
        self.ends_well(&data, place.aim()).await?;
        if place.strange() != place.aim() {
            let opened = self.openings_by(place.strange()).await? - before;
            ensure!(opened == 0, "{} has opened data {opened} times", place.strange());
        }
        Ok(())
    }

    /// How often a version has opened any data.
    async fn openings_by(&self, version: &str) -> Result<usize> {
        let mut openings = 0;
        for claim in self.claims().await? {
            let Ok(versions) = self.openers(&claim).await else { continue };
            openings += versions.iter().filter(|it| *it == version).count();
        }
        Ok(openings)
    }

    /// Sets the image of the backend's container, as `kubectl set image` does.
    ///
    /// # Errors
    /// It is refused.
    pub async fn sets_image(&self, version: &str) -> Result<()> {
        let image = format!("stand-in.test/convex-backend:{version}");
        let path = "/spec/template/spec/containers/0/image";
        let edit = json!([{"op": "replace", "path": path, "value": image}]);
        self.edit::<StatefulSet>("dev-backend", edit).await?;
        Ok(())
    }

    /// Goes back to the template of before, by kubectl.
    ///
    /// # Errors
    /// There was none.
    pub async fn undoes_rollout(&self) -> Result<()> {
        let undo = ["rollout", "undo", "statefulset/dev-backend"];
        let here = ["--namespace", self.namespace()];
        let said = self.kubectl.run(&[&undo[..], &here].concat()).await?;
        ensure!(said.contains("rolled back"), "nothing was undone: {said}");
        Ok(())
    }

    /// The template of the StatefulSet `dev-backend`.
    ///
    /// # Errors
    /// There is none.
    pub async fn template(&self) -> Result<Value> {
        let set = self.get::<StatefulSet>("dev-backend").await?;
        let spec = set.spec.context("a spec")?;
        Ok(serde_json::to_value(spec.template)?)
    }
}
