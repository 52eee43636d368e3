use std::sync::Arc;

use icegate_lake::Lake;
use icegate_tables::{Change, Tables};
use prometheus_client::registry::Registry;

use crate::cli::Place;
use crate::error::ProcessError;
use crate::print;

/// `icegate maintain migrate create`.
pub(crate) async fn create(place: &Place, dry_run: bool) -> Result<(), ProcessError> {
    report(&tables(place).await?.migrate_create(dry_run).await?, dry_run)
}

/// `icegate maintain migrate upgrade`.
pub(crate) async fn upgrade(place: &Place, dry_run: bool) -> Result<(), ProcessError> {
    report(&tables(place).await?.migrate_upgrade(dry_run).await?, dry_run)
}

async fn tables(place: &Place) -> Result<Arc<Tables>, ProcessError> {
    Ok(Lake::open(place.config()?, &mut Registry::default())?.tables()?)
}

fn report(changes: &[Change], dry_run: bool) -> Result<(), ProcessError> {
    if changes.is_empty() {
        return print("nothing to do: the tables are up to date");
    }
    let prefix = if dry_run { "would " } else { "" };
    changes.iter().try_for_each(|change| print(&format!("{prefix}{change}")))
}
