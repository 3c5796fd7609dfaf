//! Starts programs that end with this process, however it ends.
//!
//! The kernel tells a program that its parent has died, and takes the *thread* that started it for the parent. Threads of tests come
//! and go, so one that stays starts everything.

use std::{
    io,
    process::{Child, Command},
    sync::{
        Mutex, OnceLock,
        mpsc::{self, Sender},
    },
    thread,
};

use anyhow::{Context, Result, anyhow};

type Order = (Command, Sender<io::Result<Child>>);

/// Starts a command in the thread that stays.
///
/// # Errors
/// It cannot be started.
pub fn start(command: Command) -> Result<Child> {
    static KEEPER: OnceLock<Mutex<Sender<Order>>> = OnceLock::new();
    let keeper = KEEPER.get_or_init(|| Mutex::new(keep()));
    let (answer, answered) = mpsc::channel();
    let what = format!("starting {}", command.get_program().display());
    keeper
        .lock()
        .map_err(|_| anyhow!("somebody panicked while a program was started"))?
        .send((command, answer))
        .context("the thread that starts programs is gone")?;
    answered.recv().context("the thread that starts programs is gone")?.context(what)
}

fn keep() -> Sender<Order> {
    let (orders, taken) = mpsc::channel::<Order>();
    thread::spawn(move || {
        for (mut command, answer) in taken {
            // Whoever asked and went away meanwhile has nobody to end the program: it must not stay.
            if let Err(mpsc::SendError(Ok(mut unwanted))) = answer.send(command.spawn()) {
                let _ = unwanted.kill();
                let _ = unwanted.wait();
            }
        }
    });
    orders
}
