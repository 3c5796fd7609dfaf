//! How a test asks a version to misbehave: by environment, which users of the operator can pass through the resource.
//!
//! | variable | effect |
//! |---|---|
//! | `STANDIN_START_DELAY_MS` | milliseconds between taking the data and listening |
//! | `STANDIN_CRASH_VERSIONS` | these versions end at start with code 1 |
//! | `STANDIN_CRASH_MESSAGE` | the line that they end with |
//! | `STANDIN_UNREADY_VERSIONS` | these answer `/version`, but `/instance_name` with 503 |
//! | `STANDIN_SILENT_VERSIONS` | these take the data and never listen |
//! | `STANDIN_REJECT_KEY_VERSIONS` | these call every admin key bad |
//! | `STANDIN_NO_PAUSE_VERSIONS` | these are too old to pause: 404 |
//! | `STANDIN_TABLES_UNTOLD_VERSIONS` | the query that lists tables is unknown |
//! | `STANDIN_EXPORT_STALLS_VERSIONS` | an export stays `requested` |
//! | `STANDIN_EXPORT_NEVER_COMPLETES_VERSIONS` | an export stays `in_progress` |
//! | `STANDIN_EXPORT_CANCELED_VERSIONS` | an export is `canceled` as soon as it runs, as by another administrator |
//! | `STANDIN_EXPORT_TRUNCATED_VERSIONS` | the ZIP lacks its last third, and its size says so |
//! | `STANDIN_EXPORT_EMPTY_VERSIONS` | the ZIP has every table, and no document of the app |
//! | `STANDIN_EXPORT_WRONG_CHECKSUM_VERSIONS` | the ZIP has a wrong CRC for `_tables/documents.jsonl` |
//! | `STANDIN_EXPORT_LENGTH_LIES_VERSIONS` | `Content-Length` promises 1000 bytes more than come |
//! | `STANDIN_EXPORT_SIZE_LIES_VERSIONS` | `size` of the export's document is one byte too large |
//! | `STANDIN_EXPORT_SIZE_HUGE_VERSIONS` | `size` of the export's document is more than any disk has |
//! | `STANDIN_IMPORT_UNPARSED_VERSIONS` | an import stays `uploaded` and asks for no yes |
//! | `STANDIN_IMPORT_FAILS_VERSIONS` | an import fails once it was confirmed |
//! | `STANDIN_IMPORT_STALLS_VERSIONS` | an import stays `in_progress` once it was confirmed |
//! | `STANDIN_IMPORT_MISCOUNTS_VERSIONS` | a completed import tells one row less than the ZIP has |
//! | `STANDIN_MIGRATION_FAILS_VERSIONS` | the first step fails, and again after every pause |
//! | `STANDIN_MIGRATION_STALLS_VERSIONS` | the first step never ends |
//! | `STANDIN_MIGRATION_DELAY_MS` | milliseconds that each step takes |
//! | `STANDIN_METADATA_VERSION` | format of the data: `131` for all, or `v1=128,v2=131`; else 128 |
//!
//! Lists are separated by commas and compared with `CONVEX_RELEASE_VERSION_DEV`.

use std::{collections::BTreeSet, time::Duration};

use crate::environment::Environment;

const DEFAULT_CRASH_MESSAGE: &str = "cluster url already contains db name: orders";

/// The format of the data where nothing else is asked.
const DEFAULT_METADATA_VERSION: u32 = 128;

/// What can go wrong while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Pausing is unknown.
    NoPause,
    /// Nobody is told which tables there are.
    TablesUntold,
    /// An export stays requested.
    ExportStalls,
    /// An export stays in progress.
    ExportNeverCompletes,
    /// An export is canceled while it runs.
    ExportCanceled,
    /// The ZIP is cut off.
    ExportTruncated,
    /// The ZIP lacks documents.
    ExportEmpty,
    /// The ZIP has a wrong checksum.
    ExportWrongChecksum,
    /// The download breaks off.
    ExportLengthLies,
    /// The export's document tells a wrong size.
    ExportSizeLies,
    /// The export's document tells a size beyond all disks.
    ExportSizeHuge,
    /// An import stays uploaded.
    ImportUnparsed,
    /// An import fails.
    ImportFails,
    /// An import stays in progress.
    ImportStalls,
    /// An import tells too few rows.
    ImportMiscounts,
    /// An import leaves a document out and counts it all the same.
    ImportLoses,
    /// Nobody is told which imports there are: the function fails.
    ImportsUntold,
    /// A migration fails.
    MigrationFails,
    /// A migration never ends.
    MigrationStalls,
}

const FAULTS: [(&str, Fault); 19] = [
    ("STANDIN_NO_PAUSE_VERSIONS", Fault::NoPause),
    ("STANDIN_TABLES_UNTOLD_VERSIONS", Fault::TablesUntold),
    ("STANDIN_EXPORT_STALLS_VERSIONS", Fault::ExportStalls),
    ("STANDIN_EXPORT_NEVER_COMPLETES_VERSIONS", Fault::ExportNeverCompletes),
    ("STANDIN_EXPORT_CANCELED_VERSIONS", Fault::ExportCanceled),
    ("STANDIN_EXPORT_TRUNCATED_VERSIONS", Fault::ExportTruncated),
    ("STANDIN_EXPORT_EMPTY_VERSIONS", Fault::ExportEmpty),
    ("STANDIN_EXPORT_WRONG_CHECKSUM_VERSIONS", Fault::ExportWrongChecksum),
    ("STANDIN_EXPORT_LENGTH_LIES_VERSIONS", Fault::ExportLengthLies),
    ("STANDIN_EXPORT_SIZE_LIES_VERSIONS", Fault::ExportSizeLies),
    ("STANDIN_EXPORT_SIZE_HUGE_VERSIONS", Fault::ExportSizeHuge),
    ("STANDIN_IMPORT_UNPARSED_VERSIONS", Fault::ImportUnparsed),
    ("STANDIN_IMPORT_FAILS_VERSIONS", Fault::ImportFails),
    ("STANDIN_IMPORT_STALLS_VERSIONS", Fault::ImportStalls),
    ("STANDIN_IMPORT_MISCOUNTS_VERSIONS", Fault::ImportMiscounts),
    ("STANDIN_IMPORT_LOSES_VERSIONS", Fault::ImportLoses),
    ("STANDIN_IMPORTS_UNTOLD_VERSIONS", Fault::ImportsUntold),
    ("STANDIN_MIGRATION_FAILS_VERSIONS", Fault::MigrationFails),
    ("STANDIN_MIGRATION_STALLS_VERSIONS", Fault::MigrationStalls),
];

/// What the version that runs here was asked to do wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steering {
    /// Time spent starting.
    pub start_delay: Duration,
    /// Time spent on each step of a migration.
    pub migration_delay: Duration,
    /// The line to end with at start.
    pub crash: Option<String>,
    /// `/instance_name` answers 503.
    pub unready: bool,
    /// The ports stay closed.
    pub silent: bool,
    /// Every admin key is bad.
    pub rejects_keys: bool,
    /// What goes wrong later.
    faults: BTreeSet<Fault>,
}

impl Steering {
    /// Reads the wishes that concern the version in `env`.
    #[must_use]
    pub fn of(env: &Environment) -> Self {
        let version = version(env);
        let concerns = |list: &str| env.lists(list, &version);
        let delay = |name| {
            let told = env.get(name).and_then(|text| text.trim().parse().ok());
            Duration::from_millis(told.unwrap_or_default())
        };
        Self {
            start_delay: delay("STANDIN_START_DELAY_MS"),
            migration_delay: delay("STANDIN_MIGRATION_DELAY_MS"),
            crash: concerns("STANDIN_CRASH_VERSIONS")
                .then(|| env.or("STANDIN_CRASH_MESSAGE", DEFAULT_CRASH_MESSAGE)),
            unready: concerns("STANDIN_UNREADY_VERSIONS"),
            silent: concerns("STANDIN_SILENT_VERSIONS"),
            rejects_keys: concerns("STANDIN_REJECT_KEY_VERSIONS"),
            faults: FAULTS.into_iter().filter(|it| concerns(it.0)).map(|it| it.1).collect(),
        }
    }

    /// Whether this is to go wrong.
    #[must_use]
    pub fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }
}

/// The format of the data that this version brings: tests choose it, and by default nothing ever migrates.
#[must_use]
pub fn metadata_version(env: &Environment) -> u32 {
    let version = version(env);
    let entry = |entry: &str| match entry.trim().split_once('=') {
        Some((named, number)) if named == version => number.parse().ok(),
        Some(_) => None,
        None => entry.trim().parse().ok(),
    };
    env.get("STANDIN_METADATA_VERSION")
        .and_then(|text| text.split(',').find_map(entry))
        .unwrap_or(DEFAULT_METADATA_VERSION)
}

/// What `/version` says: `CONVEX_RELEASE_VERSION_DEV` unless that is empty or `dev`, else `unknown` as official images do.
#[must_use]
pub fn version(env: &Environment) -> String {
    env.non_empty("CONVEX_RELEASE_VERSION_DEV")
        .filter(|version| *version != "dev")
        .unwrap_or("unknown")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_unknown_unless_the_environment_names_one() {
        for (value, version_seen) in [("", "unknown"), ("dev", "unknown"), ("v2", "v2")] {
            let env = Environment::from([("CONVEX_RELEASE_VERSION_DEV", value)]);
            assert_eq!(version(&env), version_seen);
        }
        assert_eq!(version(&Environment::default()), "unknown");
    }

    #[test]
    fn a_wish_concerns_only_the_versions_that_it_lists() {
        let wishes = [("STANDIN_CRASH_VERSIONS", "v2,v3"), ("STANDIN_START_DELAY_MS", "250")];
        let of = |version| {
            let mut env = wishes.to_vec();
            env.push(("CONVEX_RELEASE_VERSION_DEV", version));
            Steering::of(&env.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect())
        };
        assert_eq!(of("v1").crash, None);
        assert_eq!(of("v2").crash.as_deref(), Some(DEFAULT_CRASH_MESSAGE));
        assert_eq!(of("v1").start_delay, Duration::from_millis(250));
    }

    #[test]
    fn a_fault_concerns_only_the_versions_that_it_lists() {
        for (name, fault) in FAULTS {
            let of = |version| {
                Steering::of(&Environment::from([
                    (name, "v2"),
                    ("CONVEX_RELEASE_VERSION_DEV", version),
                ]))
            };
            assert!(of("v2").has(fault) && !of("v1").has(fault), "{name}");
        }
    }

    #[test]
    fn the_format_of_the_data_is_128_unless_a_test_chooses_for_all_or_for_one() {
        let of = |asked, version| {
            metadata_version(&Environment::from([
                ("STANDIN_METADATA_VERSION", asked),
                ("CONVEX_RELEASE_VERSION_DEV", version),
            ]))
        };
        assert_eq!(metadata_version(&Environment::default()), 128);
        assert_eq!((of("131", "v1"), of("", "v1")), (131, 128));
        assert_eq!((of("v1=129, v2=130", "v2"), of("v1=129,v2=130", "v3")), (130, 128));
    }
}
