use icegate_lake::Lake;
use icegate_runtime::{Telemetry, stop_on_signal};
use prometheus_client::registry::Registry;

use crate::cli::MaintainArgs;
use crate::error::ProcessError;
use crate::print;

/// `icegate maintain run`: on a schedule until a signal, or once.
pub(crate) async fn run(task: &MaintainArgs) -> Result<(), ProcessError> {
    let config = task.place.config()?;
    let telemetry = Telemetry::start(&config.tracing)?;
    let mut registry = Registry::with_prefix("icegate");
    let lake = Lake::open(config, &mut registry)?;
    let maintainer = lake.maintainer(&lake.tables()?, &mut registry);
    let ended = if task.once || task.dry_run {
        once(&maintainer, task.dry_run).await
    } else {
        let stop = stop_on_signal().map_err(|source| ProcessError::Signals { source })?;
        maintainer.run(stop).await;
        Ok(())
    };
    telemetry.finish();
    ended
}

/// A line for each table; then the error of those that failed.
async fn once(maintainer: &icegate_maintain::Maintainer, dry_run: bool) -> Result<(), ProcessError> {
    let mut failed = Vec::new();
    for (table, report) in maintainer.run_once(dry_run).await {
        match report {
            Ok(report) => {
                print(&format!("{table}: {report}"))?;
                if dry_run {
                    report
                        .swept
                        .orphans
                        .iter()
                        .try_for_each(|(path, bytes)| print(&format!("{table}: {path} ({bytes} bytes)")))?;
                }
            }
            Err(error) => failed.push((table, error)),
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(ProcessError::Maintain { failed }) }
}
