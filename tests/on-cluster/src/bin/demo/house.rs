//! Where the demo is shown.

use anyhow::Result;
use cluster::description::Description;

use crate::{choice::Choice, local::Local, own::Own, scene::Scene, story::Story};

/// The cluster, with what must be undone at the end.
pub enum House {
    /// One that was started for this.
    Local(Box<Local>),
    /// One of the user's own.
    Own(Box<Own>),
}

impl House {
    /// Tools and cluster: the first two parts.
    ///
    /// # Errors
    /// There is no such cluster; nothing of it is left.
    pub async fn open(choice: &Choice, story: &mut Story) -> Result<Self> {
        Ok(match &choice.context {
            None => Self::Local(Box::new(Local::open(choice, story).await?)),
            Some(context) => Self::Own(Box::new(Own::open(choice, context, story).await?)),
        })
    }

    /// Installs the operator: the third part.
    ///
    /// # Errors
    /// It does not become ready.
    pub async fn bring_operator(&self, choice: &Choice, story: &mut Story) -> Result<()> {
        match self {
            Self::Local(local) => local.bring_operator(story).await,
            Self::Own(own) => own.bring_operator(choice, story).await,
        }
    }

    /// The cluster, where it was started for this.
    #[must_use]
    pub const fn cluster(&self) -> Option<&Description> {
        match self {
            Self::Local(local) => Some(&local.cluster),
            Self::Own(_) => None,
        }
    }

    /// Where the instance lives.
    #[must_use]
    pub const fn scene(&self) -> &Scene {
        match self {
            Self::Local(local) => &local.scene,
            Self::Own(own) => &own.scene,
        }
    }

    /// Removes what was made, and says what is left.
    ///
    /// # Errors
    /// Something could not be removed.
    pub async fn leave(self, choice: &Choice) -> Result<String> {
        match self {
            Self::Local(local) => local.leave(choice),
            Self::Own(own) => own.leave().await,
        }
    }
}
