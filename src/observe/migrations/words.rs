//! What people are told about migrations.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

use crate::{
    convex::Migrations,
    observe::{Obstacle, outside::Hidden, trouble::redacted},
};

/// The longest quotation of a log.
const QUOTED: usize = 300;

/// What stands in the way as far as this is known; nothing where the migrations are finished.
pub(super) fn of(pod: &Pod, told: &Migrations, hidden: &Hidden) -> Option<Obstacle> {
    let name = pod.name_any();
    let running = |words: String| {
        Obstacle::passing("MigrationsRunning", format!("pod {name} serves and {words}"))
    };
    Some(match told {
        Migrations::Done { .. } => return None,
        Migrations::Untold => running("has not told yet whether its data is to be migrated".into()),
        Migrations::Running { step: None, .. } => running("migrates its data".into()),
        Migrations::Running { step: Some(step), of } => {
            let of = of.map(|of| format!(" of {of}")).unwrap_or_default();
            running(format!("migrates its data: step {step}{of}"))
        }
        Migrations::Failed { step, line } => {
            failed(&name, *step, &quote(line, hidden), told.are_hopeless())
        }
        Migrations::Ahead { line } => Obstacle::new(
            "MetadataAhead",
            format!(
                "the data was migrated by a newer version than this one (\"{}\"), and nobody promises that this one reads it right: set spec.version to that one or a newer one",
                quote(line, hidden)
            ),
        ),
    })
}

fn failed(pod: &str, step: Option<u32>, line: &str, hopeless: bool) -> Obstacle {
    let step = step.map_or_else(|| "a migration".to_owned(), |it| format!("migration {it}"));
    let next = if hopeless {
        "The data is older than this version knows the way from: choose an older version first, one that migrates it further".to_owned()
    } else {
        format!(
            "The backend tries again by itself, later and later; once the cause is gone, `kubectl delete pod {pod}` has it try at once"
        )
    };
    Obstacle::new("MigrationFailed", format!("{step} failed (\"{line}\"). {next}"))
}

/// Cut only once nothing is left in it that could be cut in two.
fn quote(line: &str, hidden: &Hidden) -> String {
    redacted(&hidden.taken_out(line)).chars().take(QUOTED).collect()
}
