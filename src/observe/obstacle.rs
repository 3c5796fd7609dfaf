//! Something that is in the way, in words for people and one word for machines.

use std::fmt::Write as _;

/// Something that is in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// One CamelCase word.
    pub reason: &'static str,
    /// What is, why, and what to do; never the value of a Secret.
    pub message: String,
    /// Whether it is more than a matter of waiting.
    pub abnormal: bool,
}

impl Obstacle {
    /// Something that needs a person, or another object.
    #[must_use]
    pub fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, message: cut(&message.into()), abnormal: true }
    }

    /// Something that passes by itself.
    #[must_use]
    pub fn passing(reason: &'static str, message: impl Into<String>) -> Self {
        Self { abnormal: false, ..Self::new(reason, message) }
    }

    /// An object of somebody else that has the name of a child.
    #[must_use]
    pub fn conflict(kind: &str, name: &str) -> Self {
        // What is in a claim or a Secret cannot be made again, so that is nothing to recommend.
        let deletable = !matches!(kind, "PersistentVolumeClaim" | "Secret");
        let or = if deletable {
            let word = kind.to_ascii_lowercase();
            format!(
                ", or delete it where nobody else needs it, as where it was the operator's own and has lost its owner: kubectl delete {word} {name}"
            )
        } else {
            String::new()
        };
        Self::new(
            "NameConflict",
            format!(
                "{kind} \"{name}\" exists and is not owned by this instance; rename one of the two{or}. It was not touched."
            ),
        )
    }
}

/// The longest message that a status carries.
const LONGEST: usize = 1000;

/// Cuts a message to what a status can carry, and takes control characters out of it.
#[must_use]
pub fn cut(message: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    if message.chars().count() <= LONGEST {
        return message.chars().map(clean).collect();
    }
    let mut short: String = message.chars().take(LONGEST).map(clean).collect();
    let _ = write!(short, "…");
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_to_delete_what_cannot_be_made_again() {
        let told = |kind| Obstacle::conflict(kind, "dev-x").message;
        assert!(told("StatefulSet").contains("kubectl delete statefulset dev-x"));
        for kind in ["PersistentVolumeClaim", "Secret"] {
            assert!(!told(kind).contains("delete"), "{kind}");
        }
    }
}
