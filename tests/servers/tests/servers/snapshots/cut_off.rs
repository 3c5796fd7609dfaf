//! Work that is cut off at every point at which it waits for anything.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

/// A point at which work may be cut off though it waits for nothing: a disk keeps its thread.
pub async fn step() {
    tokio::task::yield_now().await;
}

/// Does the work again and again, cut off one poll later each time, until it is done; whoever comes next looks after each
/// cut. Says how many there were.
pub async fn all_cuts<W: Future<Output = ()>>(
    work: impl Fn() -> W,
    looked: impl AsyncFn(),
) -> usize {
    for polls in 1.. {
        if after(polls, work()).await {
            return polls - 1;
        }
        looked().await;
    }
    unreachable!("nothing is done in more polls than there are numbers")
}

/// Whether it is done within so many polls; else it is dropped.
async fn after(polls: usize, work: impl Future<Output = ()>) -> bool {
    let (mut work, mut done) = (pin!(work), 0);
    poll_fn(|context| {
        done += 1;
        match work.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(true),
            Poll::Pending if done >= polls => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
