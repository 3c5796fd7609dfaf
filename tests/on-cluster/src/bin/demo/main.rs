//! The life of an instance, shown as it happens: on a local cluster, or on one of the user's own.

mod acts;
mod choice;
mod client;
mod content;
mod evidence;
mod house;
mod image;
mod local;
mod own;
mod permission;
mod sample;
mod scene;
mod showing;
mod story;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

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
    let mut story = Story::begin(acts::count(choice));
    let house = House::open(choice, &mut story).await?;
    let outcome = tokio::select! {
        outcome = acts::play(&house, choice, &mut story) => outcome,
        signalled = told_to_end() => signalled,
    };
    story.over();
    // Whatever happened, nothing stays behind; what failed first is told first.
    let left = house.leave(choice).await;
    outcome?;
    story.end(&left?);
    Ok(())
}

/// Waits for SIGINT or SIGTERM, neither of which may leave a cluster behind.
async fn told_to_end() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    bail!("interrupted")
}
