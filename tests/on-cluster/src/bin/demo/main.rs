//! The life of an instance, shown as it happens: on a local cluster, or on one of the user's own.

mod acts;
mod choice;
mod evidence;
mod house;
mod image;
mod local;
mod own;
mod permission;
mod scene;
mod story;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Parser;

use crate::{choice::Choice, house::House, story::Story};

#[tokio::main]
async fn main() -> ExitCode {
    match show(&Choice::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn show(choice: &Choice) -> Result<()> {
    let mut story = Story::begin();
    let house = House::open(choice, &mut story).await?;
    let outcome = tokio::select! {
        outcome = acts::play(&house, choice, &mut story) => outcome,
        _ = tokio::signal::ctrl_c() => bail_after_interrupt(),
    };
    // Whatever happened, nothing stays behind; what failed first is told first.
    let left = house.leave(choice).await;
    outcome?;
    story.end(&left?);
    Ok(())
}

fn bail_after_interrupt() -> Result<()> {
    bail!("interrupted")
}
