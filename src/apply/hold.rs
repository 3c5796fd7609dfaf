//! What is asked of the deployment itself, which knows no resourceVersion: only after a fresh look at the instance, whose
//! fence is still the one of this pass.

use kube::{ResourceExt, core::Status};

use super::Doer;
use crate::{
    api::ConvexInstance,
    convex::deployment::{self, Deployment},
    observe::hold,
};

impl Doer<'_> {
    /// Pauses the deployment, or lets it go on. What it says of it is looked at in the next pass.
    pub(super) async fn pause(&mut self, pause: bool) -> kube::Result<()> {
        let Some(deployment) = self.deployment() else { return Ok(()) };
        self.is_current().await?;
        match deployment.pause(pause).await {
            Ok(()) => {
                self.applied.asked = true;
                self.applied.flows |= !pause && self.world.service_flows();
            }
            Err(error) => {
                self.unasked(&error);
                let why = Some(error.to_string());
                *(if pause { &mut self.applied.unheld } else { &mut self.applied.unresumed }) = why;
            }
        }
        Ok(())
    }

    /// Ends imports that nobody waits for any more.
    pub(super) async fn cancel(&mut self, imports: &[String]) -> kube::Result<()> {
        let Some(deployment) = self.deployment() else { return Ok(()) };
        self.is_current().await?;
        for import in imports {
            match deployment.cancel_import(import).await {
                Ok(()) => self.applied.asked = true,
                Err(error) => self.unasked(&error),
            }
        }
        Ok(())
    }

    fn deployment(&self) -> Option<Deployment> {
        hold::deployment(self.instance, &self.world.children, self.world.keys.as_ref())
    }

    /// A backend that does not answer now is asked again, later and later: what holds is observed, never assumed.
    fn unasked(&mut self, error: &deployment::Error) {
        let (namespace, name) = (self.instance.namespace(), self.instance.name_any());
        tracing::info!(namespace, name, %error, "the deployment was not paused, unpaused or told to stop an import");
        self.applied.unasked = true;
    }

    /// The instance as it is now, past every cache, is the one that this pass is about.
    async fn is_current(&self) -> kube::Result<()> {
        let now = self.api::<ConvexInstance>().get(&self.instance.name_any()).await?;
        let pins = now.status.as_ref().and_then(|it| it.lifecycle.as_ref());
        let same = now.uid() == self.instance.uid()
            && pins.is_some_and(|it| it.fence == self.world.facts.pins.fence);
        if same {
            return Ok(());
        }
        let status = Status::failure("a newer pass has moved on", "Conflict").with_code(409);
        Err(kube::Error::Api(status.boxed()))
    }
}
