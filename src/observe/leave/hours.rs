//! The maintenance window: when it is open, and when it opens next.
//!
//! It opens where the schedule says so in its time zone, and stays open for as long as it is told to by a clock
//! that knows no summer time: a window of two hours is open for two hours in every night of the year. An opening
//! that falls into the hour that is left out in spring is made up for right after it; one that falls into the hour
//! that comes twice in autumn happens once.

use chrono::{DateTime, Datelike, SubsecRound, TimeDelta, Utc};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};

use super::span;
use crate::{api::Window, observe::Obstacle};

/// How far openings are looked for: the 29th of February may be eight years away.
const YEARS: i32 = 10;

/// Whether the maintenance window is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Whether it is.
    pub is_open: bool,
    /// When it opens next; none where there is no window, or none that can be read.
    pub opens: Option<DateTime<Utc>>,
}

/// No window is one that is always open.
impl Default for Hours {
    fn default() -> Self {
        Self { is_open: true, opens: None }
    }
}

impl Hours {
    /// Closed, and nobody can say until when.
    pub(super) const NEVER: Self = Self { is_open: false, opens: None };

    /// When something that is due may be done.
    pub(super) fn within(&self, due: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if due > now || self.is_open { Some(due) } else { self.opens }
    }
}

/// The window as it is now.
///
/// # Errors
/// What cannot be read, or never opens, with what to do: nothing is guessed.
pub(super) fn of(window: &Window, now: DateTime<Utc>) -> Result<Hours, Obstacle> {
    let zone = window.time_zone.as_deref().unwrap_or("UTC");
    let zone: Tz = zone.parse().map_err(|_| {
        misread(&format!(
            "timeZone \"{zone}\" is no time zone; write one by its IANA name, such as Europe/Berlin"
        ))
    })?;
    let length = span(&window.duration).ok_or_else(|| {
        misread(&format!(
            "duration \"{}\" is no length of time above zero; write one such as 2h30m",
            window.duration
        ))
    })?;
    let schedule = &window.schedule;
    let cron = cron(schedule, now.year()).map_err(|why| {
        misread(&format!("schedule \"{schedule}\" cannot be read ({why}); write minute, hour, day of month, month and day of week, such as 0 2 * * SAT"))
    })?;
    let here = now.trunc_subsecs(0).with_timezone(&zone);
    let last = cron.find_previous_occurrence(&here, true).ok();
    let next = cron.find_next_occurrence(&here, false).ok();
    if last.is_none() && next.is_none() {
        let never = format!(
            "schedule \"{schedule}\" names no day that there is, so the window never opens; choose another one"
        );
        return Err(misread(&never));
    }
    let is_open = last.is_some_and(|opened| is_within(&opened, length, now));
    Ok(Hours { is_open, opens: next.map(|it| it.to_utc()) })
}

fn is_within(opened: &DateTime<Tz>, length: TimeDelta, now: DateTime<Utc>) -> bool {
    let closes = opened.to_utc().checked_add_signed(length);
    closes.is_none_or(|closes| now < closes)
}

/// Years are no part of the five fields; they keep a search for a day that never comes from going on for millennia.
fn cron(schedule: &str, year: i32) -> Result<Cron, String> {
    let five = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    if schedule.contains('@') {
        return Err("names such as @daily are not taken".to_owned());
    }
    five.parse(schedule).map_err(|why| why.to_string())?;
    let near = format!("0 {schedule} {}-{}", year - YEARS, year + YEARS);
    let seven = CronParser::builder().seconds(Seconds::Required).year(Year::Required).build();
    seven.parse(&near).map_err(|why| why.to_string())
}

fn misread(what: &str) -> Obstacle {
    Obstacle::new(
        "WindowInvalid",
        format!(
            "spec.maintenance.window: {what}. Until then no upgrade and no restart begins; without a window they may begin at any time."
        ),
    )
}

#[cfg(test)]
mod tests;
