//! What happens, in order.

mod delete;
mod instance;
mod repair;
mod upgrade;

use anyhow::{Result, anyhow};

use crate::{choice::Choice, house::House, story::Story};

/// Plays every part after the cluster is there.
///
/// # Errors
/// A fact did not come true in time; the message holds what was to be seen instead.
pub async fn play(house: &House, choice: &Choice, story: &mut Story) -> Result<()> {
    let scene = house.scene();
    let outcome = async {
        house.bring_operator(choice, story).await?;
        instance::apply(scene, choice, story).await?;
        repair::break_and_wait(scene, story).await?;
        upgrade::upgrade(scene, choice, story).await?;
        delete::delete(scene, story).await
    };
    match outcome.await {
        Ok(()) => Ok(()),
        Err(error) => Err(anyhow!("{error:#}{}", scene.witness.account().await)),
    }
}
