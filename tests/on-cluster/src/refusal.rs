//! What the API server says when it does not take an object.

use std::fmt::{self, Display, Formatter};

use anyhow::{Result, bail};

/// Why an object was not taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The reasons, each with its field.
    pub causes: Vec<Cause>,
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The field, with `[]` for any place in a list; empty for the object itself.
    pub field: String,
    /// What is wrong with it and what to do.
    pub message: String,
}

impl Refusal {
    /// The refusal in an answer; none where the request succeeded.
    ///
    /// # Errors
    /// The request failed for another reason than its content.
    pub fn of<T>(answer: kube::Result<T>) -> Result<Option<Self>> {
        match answer {
            Ok(_) => Ok(None),
            Err(kube::Error::Api(status)) if status.code == 422 => {
                let causes = status.details.map(|details| details.causes).unwrap_or_default();
                let causes = causes
                    .into_iter()
                    .map(|cause| Cause { field: anywhere(&cause.field), message: cause.message });
                Ok(Some(Self { causes: causes.collect() }))
            }
            Err(error) => bail!("the request failed for another reason: {error:?}"),
        }
    }

    /// Whether it says this about that field.
    #[must_use]
    pub fn says(&self, field: &str, message: &str) -> bool {
        self.causes.iter().any(|cause| cause.field == field && cause.message.contains(message))
    }
}

impl Display for Refusal {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        self.causes.iter().try_for_each(|cause| {
            let message: String = cause.message.chars().take(240).collect();
            writeln!(to, "  {}: {message}", cause.field)
        })
    }
}

/// `env[3].name` as `env[].name`; the object itself, which the API server calls `<nil>`, as nothing.
fn anywhere(field: &str) -> String {
    let mut parts = field.split('[');
    let first = parts.next().unwrap_or_default().replace("<nil>", "");
    parts.fold(first, |path, part| {
        let rest = part.split_once(']').map_or("", |(_, rest)| rest);
        path + "[]" + rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_list_is_any_place() {
        assert_eq!(anywhere("spec.env[12].name"), "spec.env[].name");
        assert_eq!(anywhere("<nil>"), "");
    }
}
