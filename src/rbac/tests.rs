//! What the table must never allow, and that the committed files say what it says.

use std::path::Path;

use super::{RULES, Rule, Scope, Verb, cluster_role, lease_role, markdown, rules};

/// Compares a committed file with what it is made of; `UPDATE_GENERATED=1` writes it instead.
fn is_committed(path: &str, expected: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&file, expected).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == expected, "{path} is stale: run `UPDATE_GENERATED=1 cargo test rbac`");
}

fn allowed(resource: &str) -> Vec<Verb> {
    let concerns = |rule: &&Rule| rule.resources.contains(&resource);
    RULES.iter().filter(concerns).flat_map(|rule| rule.verbs.iter().copied()).collect()
}

#[test]
fn the_chart_and_the_documentation_say_what_the_table_says() {
    let header = "# Rendered from src/rbac/table.rs; a test compares them.\n";
    for (scope, file) in
        [(Scope::Watched, "watched"), (Scope::Cluster, "cluster"), (Scope::Own, "own")]
    {
        let path = format!("charts/convex-operator/files/rules-{file}.yaml");
        is_committed(&path, &format!("{header}{}", rules(&[scope])));
    }
    is_committed("docs/rbac.md", &markdown());
}

#[test]
fn secrets_are_read_by_name_only() {
    let verbs = allowed("secrets");
    assert!(verbs.contains(&Verb::Get));
    assert!(!verbs.contains(&Verb::List) && !verbs.contains(&Verb::Watch), "{verbs:?}");
}

#[test]
fn nobody_becomes_more_than_the_operator_through_it() {
    for rule in RULES {
        assert!(!rule.group.contains('*') && rule.group != "rbac.authorization.k8s.io", "{rule:?}");
        for resource in rule.resources {
            let ways_in =
                ["pods/exec", "pods/attach", "pods/portforward", "serviceaccounts/token", "nodes"];
            assert!(!resource.contains('*') && !ways_in.contains(resource), "{rule:?}");
        }
    }
}

#[test]
fn an_instance_is_never_created_or_deleted_by_its_operator() {
    let verbs = allowed("convexinstances");
    assert!(!verbs.contains(&Verb::Create) && !verbs.contains(&Verb::Delete), "{verbs:?}");
}

#[test]
fn every_row_gives_its_reason_in_whole_sentences() {
    for rule in RULES {
        assert!(rule.reason.ends_with('.') && !rule.reason.contains('|'), "{rule:?}");
        assert!(!rule.verbs.is_empty() && !rule.resources.is_empty(), "{rule:?}");
    }
}

#[test]
fn roles_are_whole_documents_with_each_rule_under_its_reason() {
    let document = cluster_role();
    assert!(document.starts_with(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: convex-operator\nrules:\n# What"
    ));
    assert!(!document.contains("leases"));
    let rule = "- apiGroups: [\"coordination.k8s.io\"]\n  resources: [\"leases\"]\n  \
                resourceNames: [\"convex-operator\"]\n  verbs: [\"get\", \"patch\"]\n";
    assert!(lease_role().ends_with(rule), "{}", lease_role());
}
