//! Every configuration is searched to its end: each invariant holds, and nothing is vacuous.
//!
//! The small budget runs on every push; `MODEL_BUDGET=large cargo test -p model` searches further.

use model::{
    configuration::{large, small},
    mutant::Mutant,
    search::search,
};

fn holds_everywhere(strategy: u8) {
    let further = std::env::var("MODEL_BUDGET").is_ok_and(|budget| budget == "large");
    let configurations = if further { large(strategy) } else { small(strategy) };
    let mut unwell = Vec::new();
    for configuration in configurations {
        let found = search(configuration, Mutant::None, 1);
        println!("{found}");
        if !found.is_well() {
            unwell.push(found.to_string());
        }
    }
    assert!(unwell.is_empty(), "{}", unwell.join("\n"));
}

#[test]
fn in_place_without_a_way_back() {
    holds_everywhere(0);
}

#[test]
fn in_place_with_an_export() {
    holds_everywhere(1);
}

#[test]
fn in_place_with_a_cold_copy() {
    holds_everywhere(2);
}

#[test]
fn export_and_import_into_the_same_store() {
    holds_everywhere(3);
}

#[test]
fn export_and_import_into_the_same_store_with_a_cold_copy_besides() {
    holds_everywhere(4);
}

#[test]
fn export_and_import_into_a_fresh_store() {
    holds_everywhere(5);
}
