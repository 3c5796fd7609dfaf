use statemachine::{Observed, Wish, pins::Snapshot};

use super::*;
use crate::{
    fixtures::{all_is_well, world},
    observe::{Obstacle, jobs::again::Again},
    plan::names::Errand,
};

fn looks(phase: Phase, trouble: Option<Obstacle>, refused: bool) -> Option<Duration> {
    let mut world = world(all_is_well());
    world.trouble = trouble;
    soonest(&statemachine::step(phase, &world.facts), &world, None, refused)
}

#[test]
fn what_passes_by_itself_is_looked_at_soon_and_rest_only_costs_the_poll() {
    let pending = || Some(Obstacle::passing("VolumePending", "no pod has asked for it yet"));
    assert_eq!(looks(Phase::Ready, pending(), false), Some(PASSING));
    assert_eq!(looks(Phase::Ready, None, false), None);
    assert_eq!(looks(Phase::Ready, pending(), true), None, "it is refused again");
}

#[test]
fn a_window_that_opens_soon_is_looked_at_when_it_opens() {
    let mut world = world(all_is_well());
    let step = statemachine::step(Phase::Ready, &world.facts);
    let due = world.now + chrono::TimeDelta::seconds(3);
    world.control.restart = Some(due);
    assert_eq!(soonest(&step, &world, None, false), Some(Duration::from_secs(3)));
    world.now = due;
    assert_eq!(soonest(&step, &world, None, false), None, "it is being done");
}

#[test]
fn another_worker_is_started_when_its_time_has_come() {
    let mut world = world(all_is_well());
    let step = statemachine::step(Phase::Ready, &world.facts);
    let mut looks = |pause| {
        let (errand, of) = (Errand::Copy, Snapshot::default());
        world.again = Some(Again { errand, of, number: 2, pause: Duration::from_secs(pause) });
        soonest(&step, &world, None, false)
    };
    assert_eq!([7, 0].map(&mut looks), [Some(Duration::from_secs(7)), None]);
}

#[test]
fn secrets_are_read_within_seconds_and_by_many_instances_no_oftener_than_the_api_server_bears() {
    assert_eq!([0, 1, 100].map(poll), [SECRETS; 3]);
    assert_eq!(poll(200), Duration::from_secs(20));
    assert_eq!([300, usize::MAX].map(poll), [LONGEST_PAUSE; 2]);
}

#[test]
fn a_backend_that_answers_badly_is_asked_later_and_later() {
    let mut world = world(all_is_well());
    let step = statemachine::step(Phase::Ready, &world.facts);
    let mut asks = |since| {
        world.unanswered = Some(Duration::from_secs(since));
        soonest(&step, &world, None, false).map(|it| it.as_secs())
    };
    assert_eq!([0, 1, 4, 600].map(&mut asks), [1, 1, 4, 15].map(Some));
}

#[test]
fn a_deployment_that_does_not_do_what_it_is_asked_for_is_asked_later_and_later() {
    let goes_on = |since: Option<u64>| {
        let unasked_for = since.map(Duration::from_secs);
        goes_on(&Applied { asked: true, unasked_for, ..Applied::default() }).unwrap()
    };
    assert!(goes_on(None) <= ASK_AGAIN && goes_on(Some(0)) <= ASK_AGAIN);
    assert!((1..50).any(|_| goes_on(Some(600)) > ASK_AT_LAST / 2));
    assert!((1..50).all(|_| goes_on(Some(600)) >= ASK_AT_LAST / 10));
}

/// A volume that waits for its first pod waits for as long as the instance is suspended.
#[test]
fn a_suspended_instance_rests() {
    let mut world = world(Observed {
        wish: Wish { suspend: true, ..all_is_well().wish },
        stopped: true,
        pods: Vec::new(),
        asked: None,
        ..all_is_well()
    });
    world.answer = None;
    world.trouble = Some(Obstacle::passing("VolumePending", "no pod has asked for it yet"));
    let step = statemachine::step(Phase::Suspended, &world.facts);
    assert_eq!(step.phase, Phase::Suspended);
    assert_eq!(soonest(&step, &world, None, false), None);
}

#[test]
fn delays_grow_to_a_minute_and_start_anew_after_a_success() {
    let backoffs = Backoffs::default();
    let mut now = Instant::now();
    for doublings in 0..12 {
        let ceiling = Duration::from_secs(1 << doublings).min(LONGEST);
        let delay = backoffs.next_at("a", now);
        assert!((ceiling / 10..=ceiling).contains(&delay), "{doublings}: {delay:?}");
        now += delay;
    }
    backoffs.reset("a");
    assert!(backoffs.next_at("a", now) <= Duration::from_secs(1));
}

/// What is made of a new instance makes a dozen watches tell of it within a second or two.
#[test]
fn passes_that_watches_ask_for_before_the_delay_is_over_do_not_make_it_longer() {
    let backoffs = Backoffs::default();
    let now = Instant::now();
    let first = backoffs.next_at("a", now);
    for tenth in 1..10 {
        let later = first * tenth / 10;
        let rest = backoffs.next_at("a", now + later);
        assert_eq!(Some(rest), first.checked_sub(later), "the rest of it");
    }
    assert!(backoffs.next_at("a", now + first) <= Duration::from_secs(2), "it is the second one");
}

#[test]
fn one_instance_does_not_slow_another_down() {
    let backoffs = Backoffs::default();
    let mut now = Instant::now();
    for _ in 0..12 {
        now += backoffs.next_at("a", now);
    }
    assert!(backoffs.next_at("b", now) <= Duration::from_secs(1));
}
