//! The limit of upgrades that are under way at a time: who is at it, and whose turn comes first.

use chrono::{DateTime, Utc};
use k8s_openapi::jiff::Timestamp;
use kube::{Resource, ResourceExt};
use statemachine::{Phase, observed::Leave};

use super::alone;
use crate::{
    api::ConvexInstance,
    context::{Context, Settings},
    observe::{phase, pins, uid, wish},
    plan::labels,
};

/// What guards say of an instance that may stand in line: the others refuse it for good.
const IN_LINE: [&str; 3] = ["UpgradeApproved", "WindowOpen", "TurnGiven"];

/// Who is being upgraded, and who comes first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// How many upgrades may be under way at a time; 0 for any number.
    pub limit: usize,
    /// The other instances that are being upgraded.
    pub upgrading: Vec<String>,
    /// The other instances that want to begin and come before this one.
    pub before: Vec<String>,
}

impl Turn {
    /// Whether there is room for this one, and for all that come before it.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.limit == 0 || self.upgrading.len() + self.before.len() < self.limit
    }
}

/// The order of the line: the oldest instance first. It is the same in every pass and after every restart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    born: Option<Timestamp>,
    namespace: String,
    name: String,
}

impl Place {
    fn of(instance: &ConvexInstance) -> Self {
        Self {
            born: instance.creation_timestamp().map(|it| it.0),
            namespace: instance.namespace().unwrap_or_default(),
            name: instance.name_any(),
        }
    }
}

/// What another instance is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Business {
    Upgrades,
    Asks,
}

/// Whose turn it is, as far as the watches tell.
pub(super) fn read(ctx: &Context, instance: &ConvexInstance, now: DateTime<Utc>) -> Turn {
    let limit = ctx.settings.max_concurrent_upgrades;
    if limit == 0 {
        return Turn::default();
    }
    let all = ctx.stores.instances.state();
    let readable = all.iter().filter_map(|it| it.0.as_ref().ok());
    let others = readable.filter(|it| uid(it) != uid(instance));
    let seen = others.filter_map(|it| Some((Place::of(it), business(ctx, it, now)?)));
    line(limit, &Place::of(instance), seen)
}

fn line(limit: usize, own: &Place, others: impl Iterator<Item = (Place, Business)>) -> Turn {
    let mut turn = Turn { limit, ..Turn::default() };
    let mut others: Vec<_> = others.collect();
    others.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (place, business) in others {
        let called = format!("{}/{}", place.namespace, place.name);
        match business {
            Business::Upgrades => turn.upgrading.push(called),
            Business::Asks if place < *own => turn.before.push(called),
            Business::Asks => {}
        }
    }
    turn
}

/// Who asked and has just been written to may have begun, which the watch is about to tell. Who asks and has no
/// pass that comes to its end does not keep the others waiting.
fn business(ctx: &Context, other: &ConvexInstance, now: DateTime<Utc>) -> Option<Business> {
    if matches!(phase(other), Phase::Upgrading(_)) {
        return Some(Business::Upgrades);
    }
    if !asks(other, &ctx.settings, now) {
        return None;
    }
    let revision = other.meta().resource_version.as_deref();
    if ctx.memory.is_outdated(&uid(other), revision) {
        return Some(Business::Upgrades);
    }
    (!ctx.backoffs.has_failed(&uid(other))).then_some(Business::Asks)
}

/// Whether nothing but its turn keeps an instance from beginning, as far as its own object tells.
fn asks(other: &ConvexInstance, settings: &Settings, now: DateTime<Utc>) -> bool {
    let (pins, wish) = (pins(other), wish::of(other, settings));
    let stays = wish.suspend || wish.deletion || labels::is_paused(other);
    if phase(other) != Phase::Ready || stays {
        return false;
    }
    let control = alone(other, (&pins, &wish), now);
    control.plan.is_some() && control.leave == Leave::Given && may_stand(other)
}

/// What was said about the spec as it is now; about a new one nothing is known yet.
fn may_stand(other: &ConvexInstance) -> bool {
    let Some(status) = &other.status else { return true };
    let told = status.observed_generation == other.meta().generation.unwrap_or_default();
    let blocked = status.blocked_by.first().filter(|_| told);
    blocked.is_none_or(|it| IN_LINE.contains(&it.guard.as_str()))
}

#[cfg(test)]
mod tests {
    use kube::api::ObjectMeta;
    use serde_json::json;

    use super::*;
    use crate::{
        api::{Blocked, ConvexInstanceStatus},
        fixtures::instance_with,
    };

    fn place(born: i64, name: &str) -> Place {
        Place {
            born: Some(Timestamp::from_second(born).unwrap()),
            namespace: "shop".to_owned(),
            name: name.to_owned(),
        }
    }

    fn given(limit: usize, own: &Place, others: &[(Place, Business)]) -> bool {
        line(limit, own, others.iter().cloned()).is_given()
    }

    #[test]
    fn of_all_that_ask_at_once_as_many_begin_as_may() {
        let places = [place(1, "z"), place(2, "a"), place(2, "b"), place(3, "a")];
        for limit in 1..=places.len() {
            let begin = places.iter().filter(|own| {
                let others = places.iter().filter(|it| it != own);
                let others: Vec<_> = others.map(|it| (it.clone(), Business::Asks)).collect();
                given(limit, own, &others)
            });
            let begin: Vec<_> = begin.cloned().collect();
            assert_eq!(begin, places[..limit], "{limit}");
        }
    }

    #[test]
    fn whoever_is_at_it_is_counted_wherever_it_would_stand() {
        let (first, last) = (place(1, "a"), place(9, "z"));
        for other in [&first, &last] {
            let own = place(5, "m");
            assert!(!given(1, &own, &[(other.clone(), Business::Upgrades)]));
            assert!(given(2, &own, &[(other.clone(), Business::Upgrades)]));
        }
        let told = line(1, &last, [(first, Business::Upgrades)].into_iter());
        assert_eq!((told.upgrading, told.before), (vec!["shop/a".to_owned()], Vec::new()));
    }

    #[test]
    fn without_a_limit_nobody_waits() {
        assert!(Turn::default().is_given());
    }

    fn settings() -> Settings {
        Settings {
            backend_repository: "example.com/backend".to_owned(),
            dashboard_repository: String::new(),
            worker_image: "op:v0".to_owned(),
            namespace: "convex-system".to_owned(),
            max_concurrent_upgrades: 1,
        }
    }

    /// An instance that is Ready at v1 and wants v2.
    fn wanting(change: impl FnOnce(&mut serde_json::Value)) -> ConvexInstance {
        let mut instance = instance_with(|spec| {
            spec["version"] = json!("v2");
            change(spec);
        });
        let home = json!({"release": {"version": "v1", "image": "example.com/backend:v1", "engine": "sqlite"}, "store": "Original"});
        instance.status = Some(ConvexInstanceStatus {
            phase: Some("Ready".to_owned()),
            observed_generation: 3,
            lifecycle: Some(
                serde_json::from_value(json!({"fence": "5", "home": home, "served": true}))
                    .unwrap(),
            ),
            ..ConvexInstanceStatus::default()
        });
        instance
    }

    fn stands(instance: &ConvexInstance) -> bool {
        asks(instance, &settings(), DateTime::UNIX_EPOCH)
    }

    #[test]
    fn who_waits_for_a_person_or_a_clock_does_not_stand_in_line() {
        assert!(stands(&wanting(|_| {})));
        assert!(!stands(&wanting(|spec| spec["version"] = json!("v1"))));
        assert!(!stands(&wanting(|spec| spec["suspend"] = json!(true))));
        assert!(!stands(&wanting(|spec| spec["maintenance"]["approval"] = json!("Manual"))));
        let noon = json!({"schedule": "0 12 * * *", "duration": "1h"});
        assert!(!stands(&wanting(|spec| spec["maintenance"]["window"] = noon)));
    }

    /// One that can never begin must not keep the others from it.
    #[test]
    fn who_was_refused_for_another_reason_does_not_stand_in_line_until_its_spec_changes() {
        let mut instance = wanting(|_| {});
        let mut blocked = |guard: &str| {
            let blocked =
                Blocked { guard: guard.to_owned(), reason: String::new(), message: String::new() };
            instance.status.as_mut().unwrap().blocked_by = vec![blocked];
            let stood = stands(&instance);
            let changed = ObjectMeta { generation: Some(4), ..instance.metadata.clone() };
            (stood, stands(&ConvexInstance { metadata: changed, ..instance.clone() }))
        };
        assert_eq!(blocked("TurnGiven"), (true, true));
        assert_eq!(blocked("UpgradeApproved"), (true, true));
        assert_eq!(blocked("StoreNotOutgrown"), (false, true));
        assert_eq!(blocked("WayBackObtainable"), (false, true));
    }
}
