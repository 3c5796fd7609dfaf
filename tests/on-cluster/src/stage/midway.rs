//! What people do in the middle of an upgrade, and how a test gets an instance there: with data, and held in a stage for as
//! long as the test likes.

use anyhow::{Context, Result, ensure};
use convex_operator::api::ConvexInstance;
use k8s_openapi::api::{apps::v1::StatefulSet, core::v1::PersistentVolumeClaim};
use kube::api::{DeleteParams, ListParams};
use serde_json::{Value, json};

use super::{
    Stage,
    data::Data,
    upgrades::{UPGRADE, steered, steering, ways},
};

/// The stages of an upgrade, and what keeps one in each.
pub const STAGES: [(&str, (&str, &str)); 3] = [
    ("Exporting", ("EXPORT_STALLS", "v1")),
    ("Rolling", ("UNREADY", "v2")),
    ("Importing", ("IMPORT_STALLS", "v2")),
];

/// What a hand does to the StatefulSet `dev-backend`, given as it was before the upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// `kubectl set image`, to a version that is not the one of the stage.
    SetsImage,
    /// `kubectl rollout undo`.
    UndoesRollout,
}

impl Stage {
    /// An instance with data, stopped in this stage on its way from v1 to v2.
    ///
    /// # Errors
    /// It does not get there in time.
    pub async fn stopped_in(&self, at: usize, policy: &str, way: Value) -> Result<Data> {
        let instance = steered(way, &[STAGES[at].1]).with("deletionPolicy", policy);
        self.ready(&instance).await?;
        self.brought_to(at).await
    }

    /// Gives a ready instance data and sends it on its way, as far as this stage.
    async fn brought_to(&self, at: usize) -> Result<Data> {
        let word = STAGES[at].0;
        let data = self.fill("dev").await?;
        self.patch("dev", json!({"version": "v2"})).await?;
        self.stage_of("dev", word).await?;
        match word {
            "Exporting" => drop(self.job("export").await?),
            "Importing" => drop(self.job("import").await?),
            _ => self.answers("dev", "v2").await?,
        }
        Ok(data)
    }

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

    /// Deletes an instance in this stage, and looks that what the policy keeps is there and the rest is not.
    ///
    /// # Errors
    /// It does not end, or with other claims.
    pub async fn goes_from(&self, at: usize, policy: &str, way: Value) -> Result<()> {
        self.stopped_in(at, policy, way).await?;
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

    /// Lays a hand on the StatefulSet in a stage, waits until what it did is put right, and lets the upgrade end.
    ///
    /// # Errors
    /// It is not put right, or does not end well.
    pub async fn withstands(&self, at: usize, hand: Hand) -> Result<()> {
        self.ready(&steered(ways::same_store(), &[STAGES[at].1])).await?;
        let before = self.template().await?;
        let data = self.brought_to(at).await?;
        let wanted = self.template().await?;
        self.laid(hand, at, before).await?;
        self.until("its own template", UPGRADE, || async {
            Ok((self.template().await? == wanted).then_some(()))
        })
        .await?;
        self.patch("dev", json!({"backend": {"env": steering(&[])}})).await?;
        self.ends_well(&data, "v2").await
    }

    async fn laid(&self, hand: Hand, at: usize, before: Value) -> Result<()> {
        let (path, value) = match hand {
            Hand::UndoesRollout => ("/spec/template", before),
            Hand::SetsImage => {
                let version = if STAGES[at].0 == "Exporting" { "v2" } else { "v1" };
                let image = format!("stand-in.test/convex-backend:{version}");
                ("/spec/template/spec/containers/0/image", image.into())
            }
        };
        let edit = json!([{"op": "replace", "path": path, "value": value}]);
        self.edit::<StatefulSet>("dev-backend", edit).await?;
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
