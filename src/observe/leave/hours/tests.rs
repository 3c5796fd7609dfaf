//! Windows around midnight and around the nights in which clocks change.

use super::*;

fn at(time: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(time).unwrap().to_utc()
}

fn window(schedule: &str, duration: &str, zone: Option<&str>) -> Window {
    Window {
        schedule: schedule.to_owned(),
        duration: duration.to_owned(),
        time_zone: zone.map(str::to_owned),
    }
}

/// Whether a window is open at a time, and when it opens next.
fn seen(schedule: &str, duration: &str, zone: &str, now: &str) -> (bool, String) {
    let hours = of(&window(schedule, duration, Some(zone)), at(now)).unwrap();
    (hours.is_open, hours.opens.unwrap().to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
}

fn is_open(schedule: &str, duration: &str, zone: &str, now: &str) -> bool {
    seen(schedule, duration, zone, now).0
}

#[test]
fn a_window_is_open_from_its_first_second_to_the_one_before_its_last() {
    for (now, open) in [
        ("2026-06-10T01:59:59Z", false),
        ("2026-06-10T02:00:00Z", true),
        ("2026-06-10T02:00:00.5Z", true),
        ("2026-06-10T04:29:59.999Z", true),
        ("2026-06-10T04:30:00Z", false),
    ] {
        assert_eq!(is_open("0 2 * * *", "2h30m", "UTC", now), open, "{now}");
    }
}

#[test]
fn a_closed_window_says_when_it_opens_and_utc_is_the_zone_that_is_not_written() {
    let next = "2026-06-13T00:00:00Z".to_owned();
    assert_eq!(seen("0 2 * * SAT", "1h", "Europe/Berlin", "2026-06-10T12:00:00Z"), (false, next));
    let hours = of(&window("0 2 * * *", "1h", None), at("2026-06-10T12:00:00Z")).unwrap();
    assert_eq!(hours, Hours { is_open: false, opens: Some(at("2026-06-11T02:00:00Z")) });
}

#[test]
fn a_window_goes_on_past_midnight_and_past_the_day_that_it_opened_on() {
    let friday_night = |now| is_open("0 22 * * FRI", "6h", "Europe/Berlin", now);
    assert!(friday_night("2026-06-12T20:00:00Z"));
    assert!(friday_night("2026-06-13T01:59:59Z"));
    assert!(!friday_night("2026-06-13T02:00:00Z"));
    assert!(!friday_night("2026-06-13T20:00:00Z"));
}

#[test]
fn a_window_that_is_longer_than_the_time_between_openings_never_closes() {
    for now in ["2026-06-10T00:00:00Z", "2026-06-10T23:59:59Z"] {
        assert!(is_open("0 12 * * *", "25h", "UTC", now));
    }
}

/// In Berlin 02:00 to 03:00 did not exist on 2026-03-29: 01:00 UTC is 03:00.
#[test]
fn an_opening_in_the_hour_that_is_left_out_is_made_up_for_right_after_it() {
    let night = |now| is_open("30 2 * * *", "1h", "Europe/Berlin", now);
    assert!(!night("2026-03-29T00:59:59Z"));
    assert!(night("2026-03-29T01:00:00Z"));
    assert!(night("2026-03-29T01:59:59Z"));
    assert!(!night("2026-03-29T02:00:00Z"));
    let next = seen("30 2 * * *", "1h", "Europe/Berlin", "2026-03-28T12:00:00Z").1;
    assert_eq!(next, "2026-03-29T01:00:00Z");
}

#[test]
fn a_window_over_the_hour_that_is_left_out_is_as_long_as_in_any_other_night() {
    let night = |now| is_open("0 1 * * *", "3h", "Europe/Berlin", now);
    assert!(night("2026-03-29T00:00:00Z"));
    assert!(night("2026-03-29T02:59:59Z"), "04:59:59 by the clock on the wall");
    assert!(!night("2026-03-29T03:00:00Z"));
}

/// In Berlin 02:00 to 03:00 came twice on 2026-10-25: at 00:00 UTC, and at 01:00 UTC again.
#[test]
fn an_opening_in_the_hour_that_comes_twice_happens_once() {
    let night = |now| is_open("30 2 * * *", "20m", "Europe/Berlin", now);
    assert!(night("2026-10-25T00:30:00Z"));
    assert!(!night("2026-10-25T00:50:00Z"));
    assert!(!night("2026-10-25T01:30:00Z"), "02:30 for the second time");
    let next = seen("30 2 * * *", "20m", "Europe/Berlin", "2026-10-25T00:50:00Z").1;
    assert_eq!(next, "2026-10-26T01:30:00Z");
}

#[test]
fn a_window_over_the_hour_that_comes_twice_is_as_long_as_in_any_other_night() {
    let night = |now| is_open("0 1 * * *", "3h", "Europe/Berlin", now);
    assert!(night("2026-10-24T23:00:00Z"));
    assert!(
        night("2026-10-25T01:59:59Z"),
        "02:59:59 by the clock on the wall, for the second time"
    );
    assert!(!night("2026-10-25T02:00:00Z"));
}

#[test]
fn the_zone_decides_on_which_day_it_is() {
    assert!(is_open("0 2 1 * *", "1h", "Pacific/Kiritimati", "2026-05-31T12:30:00Z"));
    assert!(is_open("0 2 1 * *", "1h", "America/St_Johns", "2026-06-01T04:30:00Z"));
}

#[test]
fn a_leap_day_is_found_however_far_it_is() {
    let next = seen("0 2 29 2 *", "1h", "UTC", "2096-03-01T00:00:00Z").1;
    assert_eq!(next, "2104-02-29T02:00:00Z");
}

fn refused(schedule: &str, duration: &str, zone: &str) -> String {
    let now = at("2026-06-10T02:00:00Z");
    let obstacle = of(&window(schedule, duration, Some(zone)), now).unwrap_err();
    assert_eq!((obstacle.reason, obstacle.abnormal), ("WindowInvalid", true));
    obstacle.message
}

#[test]
fn a_day_that_never_comes_is_said_to_never_come() {
    for never in ["0 2 31 2 *", "0 2 30 2 *", "0 2 31 4,6,9,11 *"] {
        let told = refused(never, "1h", "UTC");
        assert!(told.contains(never) && told.contains("never opens"), "{told}");
    }
}

#[test]
fn what_cannot_be_read_is_named_and_not_guessed_at() {
    let bad = [
        "",
        "* * *",
        "0 0 2 * * *",
        "0 2 * * * 2027",
        "60 2 * * *",
        "0 24 * * *",
        "0 2 0 * *",
        "0 2 * 13 *",
        "0 2 * * 8",
        "a b c d e",
        "@daily",
        "@daily * * * *",
        "*/0 * * * *",
        "5-1 * * * *",
        "0 2 * * SUNDAY-ISH",
        "0 2 * * * ; rm",
    ];
    for schedule in bad {
        let told = refused(schedule, "1h", "UTC");
        assert!(told.contains(&format!("schedule \"{schedule}\"")), "{told}");
    }
    assert!(refused("0 2 * * *", "two hours", "UTC").contains("duration \"two hours\""));
    for zone in ["", "Europe/Berln", "CEST", "+02:00", "europe/berlin"] {
        let told = refused("0 2 * * *", "1h", zone);
        assert!(told.contains(&format!("timeZone \"{zone}\"")), "{told}");
    }
}

#[test]
fn what_is_due_is_done_when_it_is_due_and_else_when_the_window_opens() {
    let (now, later) = (at("2026-06-10T02:00:00Z"), at("2026-06-11T02:00:00Z"));
    let closed = Hours { is_open: false, opens: Some(later) };
    assert_eq!(Hours::default().within(now, now), Some(now));
    assert_eq!(closed.within(now, now), Some(later));
    let soon = now + TimeDelta::minutes(1);
    assert_eq!(closed.within(soon, now), Some(soon), "whether it is open then is seen then");
    assert_eq!(Hours::NEVER.within(now, now), None);
}
