//! How it is known that the data is still there.

use anyhow::{Context, Result, ensure};
use on_cluster::reach::Door;

use crate::scene::Scene;

const VARIABLE: &str = "CONVEX_OPERATOR_DEMO";

/// What was there before something happened.
#[derive(Debug)]
pub enum Trace {
    /// The stand-in's marker, which also knows of second writers: the id of the first start, and how many there were.
    Marker(String, u64),
    /// The value of an environment variable of the deployment, which Convex keeps in its database.
    Variable(String),
}

impl Trace {
    /// Notes the trace that a stand-in leaves by itself, or leaves one in Convex.
    ///
    /// # Errors
    /// The backend does not answer as it should.
    pub async fn left(scene: &Scene, door: &Door) -> Result<Self> {
        if let Ok(marker) = door.marker().await {
            return Ok(Self::Marker(marker.first_start, marker.starts));
        }
        let value = scene.namespace.clone();
        door.set_variable(&key(scene).await?, VARIABLE, &value).await?;
        Ok(Self::Variable(value))
    }

    /// That the trace is still in the data, in words.
    ///
    /// # Errors
    /// It is not.
    pub async fn found(&self, scene: &Scene, door: &Door) -> Result<&'static str> {
        match self {
            Self::Marker(first, starts) => {
                let marker = door.marker().await?;
                ensure!(marker.first_start == *first, "the data is not what it was: {marker:?}");
                ensure!(marker.starts > *starts, "the backend was not started anew: {marker:?}");
                ensure!(marker.second_writers == 0, "a second writer was seen: {marker:?}");
                Ok("data still there, no second writer")
            }
            Self::Variable(value) => {
                let found = door.variable(&key(scene).await?, VARIABLE).await?;
                ensure!(found.as_ref() == Some(value), "{VARIABLE} was {value} and is {found:?}");
                Ok("data still there")
            }
        }
    }
}

async fn key(scene: &Scene) -> Result<String> {
    scene.for_applications("CONVEX_SELF_HOSTED_ADMIN_KEY").await.context("the admin key")
}
