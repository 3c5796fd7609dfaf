//! Logs: one line an event, as text for people or as JSON for machines.

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For machines; control characters in names and messages are escaped.
    Json,
}

/// The client warns of every answer that is not the API server's own, such as that of a group of kinds that is not installed;
/// what it is about is told by whoever asked.
const QUIET: &str = "kube_client::client=error,kube_runtime::watcher=error";

/// Begins to log, as `RUST_LOG` says, or else from `info`.
pub fn start(format: Format) {
    let told = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_default();
    let filter = EnvFilter::try_new(quiet(&told)).unwrap_or_else(|_| EnvFilter::new(quiet("")));
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        Format::Text => registry.with(fmt::layer().with_writer(std::io::stderr)).init(),
        Format::Json => registry.with(fmt::layer().json().with_writer(std::io::stderr)).init(),
    }
}

/// Whoever says more than a level gets what he says.
fn quiet(told: &str) -> String {
    match told.trim() {
        "" => format!("info,{QUIET}"),
        level if ["info", "warn"].contains(&level.to_ascii_lowercase().as_str()) => {
            format!("{level},{QUIET}")
        }
        more => more.to_owned(),
    }
}

#[test]
fn a_level_alone_leaves_out_what_is_told_elsewhere() {
    assert_eq!(quiet(""), "info,kube_client::client=error,kube_runtime::watcher=error");
    assert_eq!(quiet("info"), "info,kube_client::client=error,kube_runtime::watcher=error");
    for more in ["debug", "error", "info,kube_client=trace", "nonsense=?"] {
        assert_eq!(quiet(more), more);
    }
}
