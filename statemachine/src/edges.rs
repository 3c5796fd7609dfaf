//! Edges derived by enumeration: nobody draws the picture, the machine does.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use crate::{phase::Phase, step, taken::Taken, worlds::worlds};

/// Enumerated once: a second or two.
static EDGES: LazyLock<BTreeSet<Taken>> = LazyLock::new(|| {
    let taken = worlds().flat_map(|seen| Phase::ALL.map(|phase| step(phase, &seen).taken));
    taken.flatten().collect()
});

/// Every edge that the machine takes in any of [`worlds`].
#[must_use]
pub fn edges() -> &'static BTreeSet<Taken> {
    &EDGES
}

/// The edges as a Mermaid state diagram, labelled with what they mean.
#[must_use]
pub fn mermaid() -> String {
    let mut labels = BTreeMap::<_, BTreeSet<_>>::new();
    for edge in edges() {
        labels.entry((node(edge.from), node(edge.to))).or_default().insert(edge.reason());
    }
    let lines = labels.into_iter().map(|((from, to), why)| {
        let why: Vec<_> = why.into_iter().collect();
        format!("    {from} --> {to}: {}\n", why.join(", "))
    });
    let stages =
        "    state Upgrading {\n        Exporting\n        Rolling\n        Importing\n    }\n";
    let head = format!("stateDiagram-v2\n    [*] --> Pending\n{stages}");
    lines.fold(head, |picture, line| picture + &line)
}

/// The edges as a CEL transition rule on `status`; a phase that nobody knows may come and go, and
/// one that is absent is Pending.
#[must_use]
pub fn cel() -> String {
    let known = Phase::ALL.into_iter().filter(|phase| *phase != Phase::Unknown);
    let mut next: BTreeMap<_, BTreeSet<_>> =
        known.map(|phase| (wire(phase), BTreeSet::from([wire(phase)]))).collect();
    for edge in edges() {
        next.entry(wire(edge.from)).or_default().insert(wire(edge.to));
    }
    let rows: Vec<_> = next
        .into_iter()
        .map(|(from, to)| {
            let to: Vec<_> = to.into_iter().map(|to| format!("'{to}'")).collect();
            format!("'{from}': [{}]", to.join(", "))
        })
        .collect();
    let rows = rows.join(", ");
    let (old, now) = (spelled("oldSelf"), spelled("self"));
    format!("!({old} in {{{rows}}}) || {now} in {{{rows}}}[{old}]")
}

/// How a status spells where it is, as one CEL expression.
fn spelled(status: &str) -> String {
    format!(
        "((has({status}.phase) ? {status}.phase : 'Pending') + (has({status}.stage) ? '/' + {status}.stage : ''))"
    )
}

fn node(phase: Phase) -> &'static str {
    if phase.stage().is_empty() { phase.name() } else { phase.stage() }
}

fn wire(phase: Phase) -> String {
    match phase.stage() {
        "" => phase.name().to_owned(),
        stage => format!("{}/{stage}", phase.name()),
    }
}
