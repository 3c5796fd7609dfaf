//! Who refuses first, and when it is worth another look.

use chrono::TimeDelta;
use serde_json::{Value, json};
use statemachine::Observed;

use super::*;
use crate::{
    fixtures::{all_is_well, instance_with},
    plan::labels::APPROVE,
};

const NOON: i64 = 1_800_014_400;

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(NOON, 0).unwrap()
}

/// What is said to an instance at v1 that wants v2, with this `spec.maintenance`, at noon.
fn asked(maintenance: Value, approve: Option<&str>) -> Control {
    let mut instance = instance_with(|spec| spec["maintenance"] = maintenance);
    let annotation = approve.map(|it| [(APPROVE.to_owned(), it.to_owned())].into());
    instance.metadata.annotations = annotation;
    let Observed { pins, mut wish, .. } = all_is_well();
    wish.release.version = "v2".to_owned();
    alone(&instance, (&pins, &wish), noon())
}

fn open() -> Value {
    json!({"schedule": "0 12 * * *", "duration": "1h"})
}

fn closed() -> Value {
    json!({"schedule": "30 12 * * *", "duration": "1h"})
}

#[test]
fn a_length_of_time_that_no_clock_can_count_is_none() {
    assert_eq!(span("2h30m"), Some(TimeDelta::minutes(150)));
    for text in ["", "2", "0s", "9999999999999999s", "99999999999999999999s"] {
        assert_eq!(span(text), None, "{text}");
    }
}

#[test]
fn approval_is_asked_for_before_the_window() {
    let manual = |window: Value| json!({"approval": "Manual", "window": window});
    let plan = asked(manual(closed()), None).plan.unwrap();
    assert_eq!(asked(manual(closed()), None).leave, Leave::ForApproval);
    assert_eq!(asked(manual(open()), Some("0000000000")).leave, Leave::ForApproval);
    assert_eq!(asked(manual(closed()), Some(&plan)).leave, Leave::ForWindow);
    assert_eq!(asked(manual(open()), Some(&plan)).leave, Leave::Given);
}

#[test]
fn a_window_that_cannot_be_read_lets_nothing_begin_and_is_said() {
    let control = asked(json!({"window": {"schedule": "at night", "duration": "1h"}}), None);
    assert_eq!((control.leave, control.hours), (Leave::ForWindow, Hours::NEVER));
    assert_eq!(control.misread.as_ref().unwrap().reason, "WindowInvalid");
    assert_eq!(control.look_again(noon()), None, "no clock opens it");
}

#[test]
fn it_is_looked_again_when_the_window_opens_and_no_sooner() {
    let half_an_hour = std::time::Duration::from_mins(30);
    assert_eq!(asked(json!({"window": closed()}), None).look_again(noon()), Some(half_an_hour));
    assert_eq!(asked(json!({"window": open()}), None).look_again(noon()), None);
    let manual = asked(json!({"approval": "Manual", "window": closed()}), None);
    assert_eq!(manual.look_again(noon()), None, "a person is waited for, and no clock");
}

#[test]
fn a_restart_is_looked_for_when_it_is_due() {
    let due = |seconds: i64| Control {
        restart: Some(noon() + TimeDelta::seconds(seconds)),
        ..Control::default()
    };
    assert_eq!(due(90).look_again(noon()), Some(std::time::Duration::from_secs(90)));
    assert!(!due(1).restarts(noon()));
    assert!(due(0).restarts(noon()));
    assert_eq!(due(-90).look_again(noon()), None);
}

#[test]
fn who_is_where_it_wants_to_be_has_no_plan_and_waits_for_nobody() {
    let instance = instance_with(|spec| {
        spec["maintenance"] = json!({"approval": "Manual", "window": closed()});
    });
    let Observed { pins, wish, .. } = all_is_well();
    let control = alone(&instance, (&pins, &wish), noon());
    assert_eq!((control.leave, control.plan), (Leave::Given, None));
}
