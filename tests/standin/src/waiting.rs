//! Lets what is not asynchronous wait for what is: the store is changed under a lock, in handlers and in threads alike.

use std::{
    io,
    sync::{OnceLock, mpsc},
};

use tokio::runtime::{Builder, Runtime};

/// Runs a future to its end and waits for it. It has a runtime of its own, so that whoever waits keeps nobody from working
/// whom he waits for.
///
/// # Errors
/// Where there are no more threads, or the future panics.
pub fn wait<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> io::Result<T> {
    static RUNTIME: OnceLock<io::Result<Runtime>> = OnceLock::new();
    let runtime =
        RUNTIME.get_or_init(|| Builder::new_multi_thread().worker_threads(1).enable_all().build());
    let runtime = runtime.as_ref().map_err(|error| io::Error::other(error.to_string()))?;
    let (answer, answered) = mpsc::channel();
    runtime.spawn(async move {
        // Whoever waited for it is there until it comes.
        let _ = answer.send(future.await);
    });
    answered.recv().map_err(io::Error::other)
}

/// An error with everything that led to it, as one line.
#[must_use]
pub fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_handler_may_wait_for_a_future() {
        assert_eq!(wait(async { tokio::task::yield_now().await }).ok(), Some(()));
    }

    #[test]
    fn a_future_that_panics_is_an_error() {
        assert!(wait(async { assert!(std::env::args().count() == 0) }).is_err());
    }
}
