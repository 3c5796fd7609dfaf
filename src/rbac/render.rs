//! The table as YAML for the API server and as Markdown for people.

use super::{RULES, Rule, Scope};

/// The name of both roles, and of the `ServiceAccount` that has them.
const NAME: &str = "convex-operator";
/// The width that reasons are wrapped at in YAML, in characters.
const WIDTH: usize = 96;

/// The rules of these scopes as the items of a YAML list, each under its reason.
#[must_use]
pub fn rules(scopes: &[Scope]) -> String {
    RULES.iter().filter(|rule| scopes.contains(&rule.scope)).map(as_yaml).collect()
}

/// The `ClusterRole` for an operator that watches all namespaces, as one YAML document.
#[must_use]
pub fn cluster_role() -> String {
    role("ClusterRole", &rules(&[Scope::Watched, Scope::Cluster]))
}

/// The `Role` for the operator's own namespace, as one YAML document without a namespace.
#[must_use]
pub fn lease_role() -> String {
    role("Role", &rules(&[Scope::Own]))
}

fn role(kind: &str, rules: &str) -> String {
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: {NAME}\nrules:\n{rules}"
    )
}

fn as_yaml(rule: &Rule) -> String {
    let reason: Vec<String> =
        wrapped(rule.reason).iter().map(|line| format!("# {line}\n")).collect();
    let names = match rule.names {
        [] => String::new(),
        names => format!("  resourceNames: {}\n", quoted(names)),
    };
    format!(
        "{}- apiGroups: {}\n  resources: {}\n{names}  verbs: {}\n",
        reason.concat(),
        quoted(&[rule.group]),
        quoted(rule.resources),
        quoted(&verbs(rule)),
    )
}

fn verbs(rule: &Rule) -> Vec<String> {
    rule.verbs.iter().map(ToString::to_string).collect()
}

fn quoted(words: &[impl AsRef<str>]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("\"{}\"", word.as_ref())).collect();
    format!("[{}]", words.join(", "))
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The page `docs/rbac.md`.
#[must_use]
pub fn markdown() -> String {
    let sections = [
        ("In the namespaces that it watches", Scope::Watched),
        ("For objects without a namespace", Scope::Cluster),
        ("In its own namespace", Scope::Own),
    ];
    let sections: Vec<String> =
        sections.iter().map(|(title, scope)| section(title, *scope)).collect();
    format!(
        "# What the operator may do\n\n\
         Rendered from the table in `src/rbac/table.rs`, like the roles in the chart; a test compares them.\n\
         There is no wildcard, no permission on roles, and no way into a container.\n\n{}",
        sections.join("\n")
    )
}

fn section(title: &str, scope: Scope) -> String {
    let rows: String = RULES.iter().filter(|rule| rule.scope == scope).map(as_row).collect();
    format!("## {title}\n\n| group | resources | verbs | why |\n|---|---|---|---|\n{rows}")
}

fn as_row(rule: &Rule) -> String {
    let group = if rule.group.is_empty() { "core" } else { rule.group };
    let resources = rule.resources.join(", ");
    let only = match rule.names {
        [] => String::new(),
        names => format!(" (only {})", names.join(", ")),
    };
    format!("| {group} | {resources}{only} | {} | {} |\n", verbs(rule).join(", "), rule.reason)
}
