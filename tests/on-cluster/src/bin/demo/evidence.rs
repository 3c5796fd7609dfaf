//! How it is known that the data is still there.

use anyhow::{Context, Result, ensure};
use on_cluster::reach::Door;

use crate::scene::Scene;

const VARIABLE: &str = "CONVEX_OPERATOR_DEMO";

/// What tells.
#[derive(Clone, Copy, Debug)]
pub enum Evidence {
    /// The stand-in's marker, which also knows of second writers.
    Marker,
    /// An environment variable of the deployment, which Convex keeps in its database.
    Variable,
}

/// What was there before something happened.
#[derive(Debug)]
pub enum Trace {
    /// The id of the first start, and how many there were.
    Marker(String, u64),
    /// The value that was written.
    Variable(String),
}

impl Evidence {
    /// Leaves a trace in the data, or notes the one that is there.
    ///
    /// # Errors
    /// The backend does not answer as it should.
    pub async fn leave(self, scene: &Scene, door: &Door) -> Result<Trace> {
        match self {
            Self::Marker => {
                let marker = door.marker().await?;
                Ok(Trace::Marker(marker.first_start, marker.starts))
            }
            Self::Variable => {
                let value = scene.namespace.clone();
                door.set_variable(&key(scene).await?, VARIABLE, &value).await?;
                Ok(Trace::Variable(value))
            }
        }
    }
}

impl Trace {
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
