//! The migration worker: it begins once the server listens, and says in the log what upstream's says.

use std::{io, sync::Arc, time::Duration};

use crate::{
    steering::{Fault, Steering},
    store::Store,
};

/// Upstream's first pause after a failure, and its longest.
const PAUSES: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(1));

/// Why a step fails.
#[derive(Debug, thiserror::Error)]
enum MigrationError {
    #[error("migration to {0} failed, as a test asked")]
    Steered(u32),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Brings the data to the format `binary`, a step at a time. A store that is ahead is left as it is.
pub async fn run(store: Arc<Store>, steering: Steering, binary: u32) {
    let mut pause = PAUSES.0;
    while let Err(error) = attempt(&store, &steering, binary).await {
        tracing::error!("Migration worker failed, sleeping {pause:?}: {error}");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

async fn attempt(store: &Store, steering: &Steering, binary: u32) -> Result<(), MigrationError> {
    tracing::info!("Attempting migration");
    let persisted = store.read(|state| state.metadata_version);
    if persisted > binary {
        tracing::warn!(
            "persisted db metadata version is ahead at {persisted}, this binary is at {binary}"
        );
        return Ok(());
    }
    for step in persisted + 1..=binary {
        tracing::info!("Migrating to {step}");
        tracing::warn!("Executing Migration {step}/{binary}. Wait for log line 'Migrated {step}'");
        if steering.has(Fault::MigrationStalls) {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(steering.migration_delay).await;
        if steering.has(Fault::MigrationFails) {
            return Err(MigrationError::Steered(step));
        }
        store.change(|state| {
            state.metadata_version = step;
            io::Result::Ok(())
        })?;
        tracing::info!("Migrated {step}");
    }
    tracing::info!("db metadata version up to date at {binary}");
    tracing::info!("Migration complete");
    Ok(())
}
