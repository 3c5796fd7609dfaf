//! What happens, in order.

mod amiss;
mod delete;
mod failing;
mod hosts;
mod instance;
mod left;
mod production;
mod repair;
mod upgrade;
mod upgrades;

use anyhow::{Result, anyhow};

pub use self::instance::short;
use crate::{choice::Choice, house::House, sample::Sample, story::Story};

/// How many parts there are.
#[must_use]
pub const fn count(choice: &Choice) -> usize {
    match (choice.upgrade, choice.sample) {
        (Some(_), _) => 8,
        (None, Sample::Dev) => 7,
        (None, Sample::Prod) if choice.amiss => 3 + amiss::PARTS,
        (None, Sample::Prod) => 10,
    }
}

/// Plays every part after the cluster is there.
///
/// # Errors
/// A fact did not come true in time; the message holds what was to be seen instead.
pub async fn play(house: &House, choice: &Choice, story: &mut Story) -> Result<()> {
    let scene = house.scene();
    let outcome = async {
        house.bring_operator(choice, story).await?;
        if let Some(showing) = choice.upgrade {
            return upgrades::show(scene, choice, showing, story).await;
        }
        if let (Sample::Prod, Some(cluster)) = (choice.sample, house.cluster()) {
            if choice.amiss {
                return amiss::show(scene, cluster, story).await;
            }
            return production::show(scene, cluster, choice, story).await;
        }
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
