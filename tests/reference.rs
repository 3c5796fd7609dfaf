//! The reference page is generated, committed, and compared here; `UPDATE_GENERATED=1` writes it anew.

use std::{env, fs, path::Path};

#[test]
fn the_reference_page_is_the_one_that_the_code_writes() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api.md");
    let generated = convex_operator::api::reference();
    if env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&page, &generated).unwrap();
    }
    assert_eq!(fs::read_to_string(&page).unwrap(), generated, "run ./justw generate");
}
