//! Woken by a schedule, looks after the tables until its time is up.
//!
//! Row 7, an adapter over `icegate_maintain`. What is not finished is no failure as long as some table was: the next run begins with
//! another table, and what was removed stays removed.

use std::sync::Arc;
use std::time::Duration;

use icegate_function_host::events::wake::Wake;
use icegate_function_host::events::{EventError, Handler, HandlerError, Invocation};
use icegate_lake::{Lake, Surroundings};
use icegate_maintain::Maintainer;
use icegate_model::Clock;
use icegate_runtime::Config;
use prometheus_client::registry::Registry;
use serde_json::{Map, Value, json};

/// What is left of the time when maintenance ends.
const MARGIN: Duration = Duration::from_secs(3);

/// Looks after the tables when it is woken.
#[derive(Debug)]
pub struct Maintain {
    maintainer: Maintainer,
    clock: Arc<dyn Clock>,
}

/// Tables that were not looked after.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("; "))]
struct Unfinished(Vec<String>);

impl Maintain {
    /// Opens what the configuration names. Makes no request.
    ///
    /// # Errors
    /// Where it can't be opened.
    pub async fn open(config: Config, registry: &mut Registry) -> Result<Self, HandlerError> {
        Self::open_in(config, Surroundings::default(), registry).await
    }

    /// The same with the host's own clock, names and wrapping of stores.
    ///
    /// # Errors
    /// As [`Maintain::open`].
    pub async fn open_in(config: Config, surroundings: Surroundings, registry: &mut Registry) -> Result<Self, HandlerError> {
        let lake = Lake::open_in(config, surroundings, registry)?;
        let maintainer = lake.maintainer(&lake.tables()?, registry);
        Ok(Self { maintainer, clock: Arc::clone(lake.clock()) })
    }
}

impl Handler for Maintain {
    async fn handle(&self, event: Value, invocation: &Invocation) -> Result<Value, HandlerError> {
        let Wake::Schedule = Wake::read(&event)? else {
            return Err(Box::new(EventError::Foreign { expected: "a scheduled event or {}" }));
        };
        let until = invocation.deadline.work_until(self.clock.as_ref(), MARGIN);
        let (mut tables, mut left, mut failed) = (Map::new(), Vec::new(), Vec::new());
        for (table, outcome) in self.maintainer.run_until(until).await {
            match outcome {
                Some(Ok(report)) => {
                    tracing::info!(%table, %report, "maintained");
                    tables.insert(table.name().to_owned(), json!(report.to_string()));
                }
                Some(Err(error)) => {
                    tracing::error!(%table, %error, kind = %error.kind(), "maintenance failed");
                    failed.push(format!("{table}: {error}"));
                }
                None => {
                    tracing::warn!(%table, "the time is up, the table is left to the next run");
                    left.push(table.name());
                }
            }
        }
        if failed.is_empty() && tables.is_empty() {
            failed.push("the time is up before any table is done".to_owned());
        }
        if failed.is_empty() { Ok(json!({ "tables": tables, "left": left })) } else { Err(Box::new(Unfinished(failed))) }
    }
}
