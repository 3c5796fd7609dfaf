//! What an upgrade waits for that could begin: a person, a clock, or the others.

use chrono::SecondsFormat;
use kube::ResourceExt;
use statemachine::{Waiting, observed::Leave};

use super::short;
use crate::{
    api::ConvexInstance,
    observe::{Obstacle, Turn, World},
    plan::labels::APPROVE,
};

/// How many instances are named.
const NAMED: usize = 3;

/// What is told about it, with what to do; none where nothing of the kind is waited for.
pub(super) fn waits(instance: &ConvexInstance, world: &World) -> Option<Obstacle> {
    let to = short(&instance.spec.version);
    Some(match world.control.leave {
        Leave::Given => return None,
        Leave::ForApproval => approval(instance, world, &to),
        Leave::ForWindow => world.control.misread.clone().unwrap_or_else(|| window(world, &to)),
        Leave::ForTurn => turn(&world.control.turn, &to),
    })
}

fn approval(instance: &ConvexInstance, world: &World, to: &str) -> Obstacle {
    let plan = world.control.plan.as_deref().unwrap_or_default();
    let given = instance.annotations().contains_key(APPROVE);
    let other = if given { " (what is approved now is another plan)" } else { "" };
    Obstacle::new(
        Waiting::ForApproval.reason(),
        format!(
            "the upgrade to {to} waits for approval{other}; status.plan says what it does. To let it begin: kubectl annotate convexinstance {} --namespace {} --overwrite {APPROVE}={plan}",
            instance.name_any(),
            instance.namespace().unwrap_or_default(),
        ),
    )
}

fn window(world: &World, to: &str) -> Obstacle {
    let opens = world.control.hours.opens.map_or_else(
        || "within the next years not at all".to_owned(),
        |at| format!("at {}", at.to_rfc3339_opts(SecondsFormat::Secs, true)),
    );
    Obstacle::passing(
        Waiting::ForWindow.reason(),
        format!(
            "the upgrade to {to} waits for the maintenance window, which opens {opens}. To let it begin sooner, change spec.maintenance.window or remove it."
        ),
    )
}

fn turn(turn: &Turn, to: &str) -> Obstacle {
    let room = turn.upgrading.len() < turn.limit;
    let (who, are) = if room {
        (&turn.before, "to begin before it")
    } else {
        (&turn.upgrading, "being upgraded now")
    };
    Obstacle::passing(
        Waiting::ForTurn.reason(),
        format!(
            "the upgrade to {to} waits for its turn, for {} may be under way at a time (maxConcurrentUpgrades); {are}: {}. It begins by itself.",
            turn.limit,
            named(who)
        ),
    )
}

fn named(all: &[String]) -> String {
    let named = all.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::{
        fixtures::{all_is_well, instance, world},
        observe::{Control, Hours},
    };

    fn told(instance: &ConvexInstance, control: Control) -> Obstacle {
        let mut world = world(all_is_well());
        world.control = Control { plan: Some("0123456789".to_owned()), ..control };
        waits(instance, &world).unwrap()
    }

    #[test]
    fn who_is_to_approve_is_told_the_command() {
        let control = Control { leave: Leave::ForApproval, ..Control::default() };
        let obstacle = told(&instance(), control.clone());
        let command = "kubectl annotate convexinstance dev --namespace shop --overwrite convex.icod.de/approve=0123456789";
        assert!(obstacle.message.ends_with(command), "{}", obstacle.message);
        assert!(obstacle.abnormal, "a person has to do something");
        let mut approving = instance();
        approving.annotations_mut().insert(APPROVE.to_owned(), "9876543210".to_owned());
        let message = told(&approving, control).message;
        assert!(message.contains("what is approved now is another plan"), "{message}");
    }

    #[test]
    fn a_closed_window_is_told_with_the_time_at_which_it_opens() {
        let now = world(all_is_well()).now;
        let opens = Some(now + TimeDelta::hours(2));
        let hours = Hours { is_open: false, opens };
        let control = Control { leave: Leave::ForWindow, hours, ..Control::default() };
        let obstacle = told(&instance(), control);
        assert!(obstacle.message.contains("opens at 2027-01-15T10:00:00Z"), "{obstacle:?}");
        assert!(!obstacle.abnormal);
        let misread = Obstacle::new("WindowInvalid", "no such zone");
        let control = Control {
            leave: Leave::ForWindow,
            misread: Some(misread.clone()),
            ..Control::default()
        };
        assert_eq!(told(&instance(), control), misread);
    }

    #[test]
    fn who_waits_for_a_turn_is_told_for_whom() {
        let turn = |upgrading: &[&str], before: &[&str]| {
            let names = |it: &[&str]| it.iter().map(|it| (*it).to_owned()).collect();
            let turn = Turn { limit: 2, upgrading: names(upgrading), before: names(before) };
            told(&instance(), Control { leave: Leave::ForTurn, turn, ..Control::default() }).message
        };
        let full = turn(&["shop/a", "shop/b"], &["shop/c"]);
        assert!(full.contains("being upgraded now: shop/a, shop/b."), "{full}");
        let room = turn(&["shop/a"], &["shop/c", "shop/d", "shop/e", "shop/f"]);
        assert!(room.contains("begin before it: shop/c, shop/d, shop/e and 1 more."), "{room}");
    }
}
