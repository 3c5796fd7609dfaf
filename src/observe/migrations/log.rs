//! Reading the log of a container through the API server, a piece at a time.

use std::time::{Duration, Instant};

use futures::AsyncReadExt;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, ResourceExt, api::LogParams};

use crate::{
    api::ConvexInstance,
    context::Context,
    convex::{Migrations, Reading},
    observe::{Obstacle, answer, trouble::redacted, uid},
    plan::backend::CONTAINER,
};

/// The most that is read at a time: more than a kubelet keeps of a log where nobody has set that up.
const MOST: i64 = 16 * 1024 * 1024;
/// How long one reading may take.
const READ: Duration = Duration::from_secs(10);
/// How much more is read than was written since: a node's clock and its log are not that exact.
const OVERLAP: u64 = 5;

/// Why reading failed.
#[derive(Debug, thiserror::Error)]
enum LogUnread {
    #[error("{0}")]
    Refused(#[from] kube::Error),
    #[error("it broke off: {0}")]
    BrokenOff(#[from] std::io::Error),
}

/// What is known of this very container after one more reading.
pub(super) async fn told(
    ctx: &Context,
    instance: &ConvexInstance,
    pod: &Pod,
) -> Result<Migrations, Obstacle> {
    let (instance, container) = (uid(instance), answer::container(pod));
    let known = ctx.memory.heard(&instance, &container);
    if let Some((over @ (Migrations::Done { .. } | Migrations::Ahead { .. }), _)) = known {
        return Ok(over);
    }
    let (before, since) = known.unzip();
    let before = before.unwrap_or_default();
    let now = Instant::now();
    let reading = read(ctx, pod, before.clone(), since);
    let why = match tokio::time::timeout(READ, reading).await {
        Ok(Ok(told)) => {
            ctx.memory.hear(&instance, &container, (told.clone(), now));
            return Ok(told);
        }
        Ok(Err(error)) => Some(error),
        Err(_late) => None,
    };
    // A failure stays one for as long as no success was heard.
    match before {
        failed @ Migrations::Failed { .. } => Ok(failed),
        _ => Err(unreadable(&pod.name_any(), why.as_ref())),
    }
}

async fn read(
    ctx: &Context,
    pod: &Pod,
    before: Migrations,
    since: Option<Instant>,
) -> Result<Migrations, LogUnread> {
    let since = since.map(|it| it.elapsed().as_secs().saturating_add(OVERLAP));
    let wish = LogParams {
        container: Some(CONTAINER.to_owned()),
        limit_bytes: Some(MOST),
        since_seconds: since.and_then(|it| i64::try_from(it).ok()),
        ..LogParams::default()
    };
    let namespace = pod.namespace().unwrap_or_default();
    let pods: Api<Pod> = Api::namespaced(ctx.client.clone(), &namespace);
    let mut log = Box::pin(pods.log_stream(&pod.name_any(), &wish).await?);
    let mut reading = Reading::from(before);
    let mut piece = vec![0; 16 * 1024];
    loop {
        match log.read(&mut piece).await? {
            0 => return Ok(reading.told()),
            length => reading.feed(&piece[..length]),
        }
    }
}

/// What cannot be read is not silent: it is said, and holds the upgrade.
fn unreadable(pod: &str, failed: Option<&LogUnread>) -> Obstacle {
    let why = failed.map_or_else(
        || format!("it did not come within {} s", READ.as_secs()),
        |error| redacted(&error.to_string()),
    );
    let told = format!(
        "the log of pod {pod} cannot be read, and nothing else tells whether its migrations are finished: {why}"
    );
    match failed {
        Some(LogUnread::Refused(kube::Error::Api(status))) if status.is_forbidden() => {
            Obstacle::new(
                "LogUnreadable",
                format!("{told}. Give the operator the rights of its chart: get pods/log"),
            )
        }
        _ => Obstacle::passing("LogUnreadable", told),
    }
}
