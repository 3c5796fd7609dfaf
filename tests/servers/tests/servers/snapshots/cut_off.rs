//! Work that is cut off at every point at which it waits for anything, and what holds then.
//!
//! What waits for a server does so in more polls at one time than at another: a point may be left out, and no law may be held by
//! these alone.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use chrono::Utc;
use convex_operator::worker::snapshot::{Draft, Location, Note, prune};

use super::{
    laws::{ALONE, content},
    place::{Place, manifest},
};

/// A point at which work may be cut off though it waits for nothing: a disk keeps its thread.
async fn step() {
    tokio::task::yield_now().await;
}

/// Does the work again and again, cut off one poll later each time, until it is done; whoever comes next looks after each
/// cut. Says how many there were.
async fn all_cuts<W: Future<Output = ()>>(work: impl Fn() -> W, looked: impl AsyncFn()) -> usize {
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

/// What a worker does from the first byte to the manifest.
async fn made(at: &impl Location, bytes: &[u8]) {
    let mut draft = at.draft(Some(bytes.len() as u64)).await.unwrap();
    for some in bytes.chunks(bytes.len() / 2) {
        step().await;
        draft.take(some).await.unwrap();
    }
    step().await;
    draft.end().await.unwrap();
    step().await;
    at.publish().await.unwrap();
    step().await;
    at.note(Note::Manifest, &manifest("7-1", bytes.len() as u64, Utc::now())).await.unwrap();
}

/// Whoever comes next: an archive is whole, and there where a manifest says so; seen from beside as well.
async fn is_whole_or_nothing<P: Place>(place: &P, at: &P::At, bytes: &[u8]) {
    let archive = at.archive().await;
    if let Ok(archive) = archive {
        assert_eq!(content(archive).await, bytes);
    }
    let beside = place.at("9-1").await.others().await.unwrap();
    if beside.iter().any(|it| it.whole) {
        assert_eq!(content(at.archive().await.unwrap()).await, bytes);
    }
}

pub async fn however_a_worker_is_cut_off_no_half_snapshot_is_called_whole<P: Place>(place: &P) {
    let bytes: Vec<u8> =
        (0..3_000_000u32).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect();
    let at = place.at("7-1").await;
    let cuts = all_cuts(
        || made(&at, &bytes),
        async || {
            is_whole_or_nothing(place, &at, &bytes).await;
            if at.noted::<serde_json::Value>(Note::Manifest).await.unwrap().is_some() {
                assert_eq!(content(at.archive().await.unwrap()).await, bytes);
                at.forget(Note::Manifest).await.unwrap();
            }
        },
    );
    assert!(cuts.await > 5);
    assert_eq!(content(at.archive().await.unwrap()).await, bytes);
}

pub async fn however_a_worker_is_cut_off_while_it_starts_over_no_half_snapshot_is_called_whole<
    P: Place,
>(
    place: &P,
) {
    let at = place.at("7-1").await;
    made(&at, b"PK one").await;
    let starts_over = async || {
        step().await;
        at.withdraw().await.unwrap();
        step().await;
        at.forget(Note::Manifest).await.unwrap();
    };
    let cuts = all_cuts(starts_over, async || {
        is_whole_or_nothing(place, &at, b"PK one").await;
        made(&at, b"PK one").await;
        is_whole_or_nothing(place, &at, b"PK one").await;
    });
    assert!(cuts.await >= 2);
}

/// Where an archive is there already, one of the two is, or none.
pub async fn however_a_worker_is_cut_off_while_it_makes_another_archive_it_is_the_one_or_the_other<
    P: Place,
>(
    place: &P,
) {
    let (one, other) = (b"PK one", b"PK the other one");
    let at = place.at("7-1").await;
    made(&at, one).await;
    let cuts = all_cuts(
        || made(&at, other),
        async || {
            if let Ok(archive) = at.archive().await {
                let read = content(archive).await;
                assert!(read == one || read == other, "{read:?}");
            }
            let beside = place.at("9-1").await.others().await.unwrap();
            assert!(at.archive().await.is_ok() || beside.iter().all(|it| !it.whole));
            made(&at, one).await;
            assert_eq!(content(at.archive().await.unwrap()).await, one);
        },
    );
    assert!(cuts.await > 3);
    assert_eq!(content(at.archive().await.unwrap()).await, other);
}

pub async fn however_a_worker_is_cut_off_while_it_takes_one_away_the_next_one_ends_it<P: Place>(
    place: &P,
) {
    let new = place.snapshot("7-1", 1).await;
    place.snapshot("3-1", 1).await;
    let prunes = async || {
        step().await;
        prune(&new, ALONE).await.unwrap();
    };
    let cuts = all_cuts(prunes, async || {
        // Nothing is left that nobody would find.
        let left = place.names().await.contains(&"3-1".to_owned());
        assert!(!left || place.has("3-1/manifest.json").await);
        prune(&new, ALONE).await.unwrap();
        assert_eq!(place.names().await, ["7-1"]);
        place.snapshot("3-1", 1).await;
    });
    assert!(cuts.await >= 1);
    assert_eq!(place.names().await, ["7-1"]);
}
