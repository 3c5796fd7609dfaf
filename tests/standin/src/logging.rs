//! The log on standard output: `RUST_LOG` (default `info`) and `LOG_FORMAT` (`compact`, `json` or `pretty`).

use tracing_subscriber::EnvFilter;

use crate::environment::Environment;

/// Installs the log for the life of the process.
pub fn install(env: &Environment) {
    let filter =
        EnvFilter::try_new(env.or("RUST_LOG", "info")).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    match env.get("LOG_FORMAT") {
        Some("json") => log.json().init(),
        Some("pretty") => log.pretty().init(),
        _ => log.compact().init(),
    }
}
