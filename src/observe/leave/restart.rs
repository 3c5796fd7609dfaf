//! When a backend has run for long enough to be restarted.

use chrono::{DateTime, TimeDelta, Utc};
use k8s_openapi::api::{apps::v1::StatefulSet, core::v1::Pod};
use kube::ResourceExt;
use sha2::{Digest, Sha256};

use super::span;
use crate::{
    api::ConvexInstance,
    observe::{Children, Obstacle, backend, uid},
    plan::labels::RESTARTED,
};

/// When the backend that runs is to be restarted; none where that is not wished for, or where it is not the one
/// that is meant to run: what is being replaced is not restarted on top of that.
///
/// # Errors
/// The interval cannot be read.
pub(super) fn due(
    instance: &ConvexInstance,
    children: &Children,
) -> Result<Option<DateTime<Utc>>, Obstacle> {
    let Some(interval) = &instance.spec.maintenance.restart_interval else { return Ok(None) };
    let length = span(interval).ok_or_else(|| misread(interval))?;
    let Some(pod) = settled(children) else { return Ok(None) };
    let Some(started) = started(pod) else { return Ok(None) };
    let after = spread(length, &uid(instance), &pod.uid().unwrap_or_default());
    Ok(started.checked_add_signed(after))
}

/// The one pod, made from the template as it is now.
fn settled(children: &Children) -> Option<&Pod> {
    let [pod] = &children.pods[..] else { return None };
    let set = children.stateful_set.as_deref()?;
    let made = pod.annotations().get(RESTARTED).map(String::as_str);
    let current = !backend::is_outdated(pod, Some(set)) && made == last(set);
    (current && backend::is_ready(pod)).then_some(pod)
}

/// When the template says that the backend was last restarted.
pub(super) fn last(set: &StatefulSet) -> Option<&str> {
    let template = &set.spec.as_ref()?.template;
    let annotations = template.metadata.as_ref()?.annotations.as_ref()?;
    annotations.get(RESTARTED).map(String::as_str)
}

fn started(pod: &Pod) -> Option<DateTime<Utc>> {
    let started = pod.status.as_ref()?.start_time.as_ref()?;
    DateTime::from_timestamp(started.0.as_second(), 0)
}

/// A tenth more or less, by who it is: the same in every pass, another one for every pod, and so a fleet that was
/// started at once is not restarted at once.
fn spread(interval: TimeDelta, instance: &str, pod: &str) -> TimeDelta {
    let digest = Sha256::new().chain_update(instance).chain_update([0]).chain_update(pod);
    let [high, low, ..] = <[u8; 32]>::from(digest.finalize());
    let parts = i64::from(u16::from_be_bytes([high, low]) % 2001) - 1000;
    let seconds = interval.num_seconds();
    let more = seconds.checked_mul(parts).map_or(0, |it| it / 10_000);
    TimeDelta::try_seconds(seconds.saturating_add(more)).unwrap_or(interval)
}

fn misread(interval: &str) -> Obstacle {
    Obstacle::new(
        "RestartIntervalInvalid",
        format!(
            "spec.maintenance.restartInterval \"{interval}\" is no length of time above zero, and nothing is restarted; write one such as 168h, or remove it"
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
    use serde_json::json;

    use super::*;
    use crate::fixtures::{PodWords, instance_with, pod, stateful_set};

    const DAY: i64 = 86_400;

    fn every(interval: &str) -> ConvexInstance {
        instance_with(|spec| spec["maintenance"]["restartInterval"] = json!(interval))
    }

    fn running(since: i64) -> Pod {
        let mut pod = pod("dev-backend-0").of("v1").ready();
        let started = Time(Timestamp::from_second(since).unwrap());
        pod.status.as_mut().unwrap().start_time = Some(started);
        pod
    }

    fn restarted_at(mut set: StatefulSet, at: &str) -> StatefulSet {
        let template = &mut set.spec.as_mut().unwrap().template;
        let annotations =
            template.metadata.get_or_insert_default().annotations.get_or_insert_default();
        annotations.insert(RESTARTED.to_owned(), at.to_owned());
        set
    }

    fn seen(pods: Vec<Pod>, set: StatefulSet) -> Children {
        let pods = pods.into_iter().map(Arc::new).collect();
        Children { pods, stateful_set: Some(Arc::new(set)), ..Children::default() }
    }

    #[test]
    fn a_backend_is_due_after_its_interval_give_or_take_a_tenth() {
        let children = seen(vec![running(0)], stateful_set("v1"));
        let due = due(&every("24h"), &children).unwrap().unwrap().timestamp();
        assert!((DAY * 9 / 10..=DAY * 11 / 10).contains(&due), "{due}");
    }

    #[test]
    fn the_spread_is_the_same_in_every_pass_and_another_one_for_every_pod() {
        let day = TimeDelta::seconds(DAY);
        let spreads: Vec<_> =
            (0..200).map(|pod| spread(day, "uid", &pod.to_string()).num_seconds()).collect();
        let again: Vec<_> =
            (0..200).map(|pod| spread(day, "uid", &pod.to_string()).num_seconds()).collect();
        assert_eq!(spreads, again);
        assert!(spreads.iter().all(|it| (DAY * 9 / 10..=DAY * 11 / 10).contains(it)));
        let (least, most) = (spreads.iter().min().unwrap(), spreads.iter().max().unwrap());
        assert!(most - least > DAY / 10, "{least} to {most}");
        assert_ne!(spread(day, "one", "pod"), spread(day, "other", "pod"));
    }

    #[test]
    fn nothing_is_restarted_unasked_nor_while_it_is_being_replaced() {
        let ready = || seen(vec![running(0)], stateful_set("v1"));
        assert!(due(&every("1h"), &ready()).unwrap().is_some());
        assert_eq!(due(&instance_with(|_| {}), &ready()), Ok(None));
        let asked = || restarted_at(stateful_set("v1"), "2026-01-01T00:00:00Z");
        assert_eq!(due(&every("1h"), &seen(vec![running(0)], asked())), Ok(None));
        assert_eq!(due(&every("1h"), &seen(Vec::new(), stateful_set("v1"))), Ok(None));
        let two = seen(vec![running(0), running(0)], stateful_set("v1"));
        assert_eq!(due(&every("1h"), &two), Ok(None));
        let starting = seen(vec![pod("dev-backend-0").of("v1")], stateful_set("v1"));
        assert_eq!(due(&every("1h"), &starting), Ok(None));
    }

    #[test]
    fn an_interval_that_cannot_be_read_restarts_nothing_and_says_so() {
        let misread = due(&every("weekly"), &Children::default()).unwrap_err();
        assert_eq!(misread.reason, "RestartIntervalInvalid");
        assert!(misread.message.contains("weekly"), "{}", misread.message);
    }
}
