//! The snapshots beside a snapshot, and which of them are no longer wanted.

use std::io;

use chrono::{DateTime, Utc};

use super::Location;

/// Another snapshot that is kept where this one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// What the operator calls it.
    pub id: String,
    /// The UID of the instance that it was made for, where that was told.
    pub instance: Option<String>,
    /// The size of its archive, in bytes.
    pub bytes: u64,
    /// When it was judged whole.
    pub time: DateTime<Utc>,
    /// Its archive is there: else it was cut off while it was taken away.
    pub whole: bool,
}

/// Which snapshots stay beside a new one.
#[derive(Clone, Copy, Debug)]
pub struct Keep<'a> {
    /// What the operator calls the new one.
    pub new: &'a str,
    /// The UID of the instance that it was made for.
    pub instance: &'a str,
    /// How many of the newest, the new one among them.
    pub newest: usize,
    /// Those that are needed, however old.
    pub needed: &'a [String],
}

/// Takes away every snapshot of ours beside this one but those to keep and those of later attempts, and says which ones are left, newest first. What
/// stays is decided by what is there and not by what anybody remembers. One that cannot be taken away is told in the
/// log and tried again by the next run: the snapshot that is there now is none the worse.
///
/// # Errors
/// They cannot be listed.
pub async fn prune(of: &impl Location, keep: Keep<'_>) -> io::Result<Vec<String>> {
    let mut left = Vec::new();
    let mut place = 1;
    for neighbour in of.others().await? {
        place += usize::from(neighbour.whole);
        let stays = place <= keep.newest || keep.needed.contains(&neighbour.id);
        // A worker that comes late knows nothing of what was needed since; and what an instance before this one has left, maybe
        // in another cluster, says nothing of before and after.
        let ours = neighbour.instance.as_deref().is_none_or(|it| it == keep.instance);
        let later = ours && !is_before(&neighbour.id, keep.new);
        if later || neighbour.whole && stays {
            left.push(neighbour.id);
            continue;
        }
        match of.remove(&neighbour).await {
            Ok(()) => {
                tracing::info!(
                    snapshot = neighbour.id,
                    "a snapshot that is not wanted any more is gone"
                );
            }
            Err(error) => {
                tracing::warn!(snapshot = neighbour.id, %error, "a snapshot could not be taken away");
                left.push(neighbour.id);
            }
        }
    }
    Ok(left)
}

/// Whether one attempt was begun before another, by what they are called: the `resourceVersion` that the upgrade began with,
/// which only grows in a cluster (<https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions>), and the
/// number of the try. Of what is called otherwise nobody can tell.
fn is_before(one: &str, other: &str) -> bool {
    let order = |id: &str| -> Option<(u128, u32)> {
        let (of, number) = id.rsplit_once('-')?;
        Some((of.parse().ok()?, number.parse().ok()?))
    };
    order(one).zip(order(other)).is_some_and(|(one, other)| one < other)
}
