//! `$(NAME)` in values, commands and arguments.

/// Replaces every `$(NAME)` that `value_of` knows. Others stay as they are, and `$$` becomes one `$`.
pub fn expand<'v>(text: &str, value_of: impl Fn(&str) -> Option<&'v [u8]>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push(b'$');
            rest = after;
        } else if let Some((name, after)) =
            rest.strip_prefix('(').and_then(|open| open.split_once(')'))
        {
            match value_of(name) {
                Some(value) => out.extend_from_slice(value),
                None => out.extend_from_slice(format!("$({name})").as_bytes()),
            }
            rest = after;
        } else {
            out.push(b'$');
        }
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> String {
        let value_of = |name: &str| (name == "HOST").then_some(b"db".as_slice());
        String::from_utf8(expand(text, value_of)).unwrap()
    }

    #[test]
    fn known_names_are_replaced_and_unknown_ones_stay() {
        assert_eq!(expanded("pg://$(HOST):5432"), "pg://db:5432");
        assert_eq!(expanded("$(PORT) $(HOST)"), "$(PORT) db");
    }

    #[test]
    fn a_doubled_dollar_escapes() {
        assert_eq!(expanded("$$(HOST) $$$(HOST)"), "$(HOST) $db");
    }

    #[test]
    fn what_is_not_closed_or_not_opened_stays() {
        for text in ["$(HOST", "$HOST", "cost: 5$", "$"] {
            assert_eq!(expanded(text), text);
        }
    }
}
