//! Invoked by CloudFormation as a custom resource, or by hand with an [`Action`], brings the tables to this release's schema.
//!
//! Row 7, an adapter over `tables`' migrations. It never drops anything: that a resource is deleted only means that a stack no longer
//! looks after the tables. CloudFormation gets an answer before Lambda's deadline, whatever happens before: a deployment that gets none
//! waits for an hour.

mod action;

use std::sync::Arc;
use std::time::Duration;

use icegate_function_host::events::custom_resource::{Change, Request};
use icegate_function_host::events::{Handler, HandlerError, Invocation};
use icegate_lake::{Lake, Surroundings};
use icegate_model::Clock;
use icegate_runtime::Config;
use icegate_tables::{Tables, TablesError};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use tokio::time::timeout_at;

pub use action::{Action, Plan};

/// What is left of the time for CloudFormation's answer when a migration is given up.
const FOR_ANSWER: Duration = Duration::from_secs(15);
/// What is left of the time after the answer.
const MARGIN: Duration = Duration::from_secs(2);

/// Migrates when it is invoked.
#[derive(Debug)]
pub struct Migrate {
    tables: Arc<Tables>,
    clock: Arc<dyn Clock>,
}

impl Migrate {
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
    /// As [`Migrate::open`].
    pub async fn open_in(config: Config, surroundings: Surroundings, registry: &mut Registry) -> Result<Self, HandlerError> {
        let lake = Lake::open_in(config, surroundings, registry)?;
        Ok(Self { tables: lake.tables()?, clock: Arc::clone(lake.clock()) })
    }

    /// Carries a plan out, and names what it did or would do.
    async fn migrate(&self, plan: Plan) -> Result<Vec<String>, TablesError> {
        let changes = match plan.action {
            Action::Create => self.tables.migrate_create(plan.dry_run).await?,
            Action::Upgrade => self.tables.migrate_upgrade(plan.dry_run).await?,
        };
        for change in &changes {
            tracing::info!(%change, dry_run = plan.dry_run, "migrated");
        }
        Ok(changes.iter().map(ToString::to_string).collect())
    }

    async fn deploy(&self, request: &Request, invocation: &Invocation) -> Result<Value, HandlerError> {
        let until = invocation.deadline.work_until(self.clock.as_ref(), FOR_ANSWER);
        let outcome = match &request.change {
            Err(error) => Err(error.to_string()),
            Ok(Change::Delete) => {
                tracing::info!(resource = request.logical_id, "the tables stay as they are");
                Ok(json!({}))
            }
            Ok(Change::Create | Change::Update) => match timeout_at(until, self.migrate(Plan::DEPLOYED)).await {
                Ok(Ok(changes)) => Ok(json!({ "Changes": changes.len() })),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err("the function's time is up before the tables are migrated; deploying again goes on".to_owned()),
            },
        };
        if let Err(reason) = &outcome {
            tracing::error!(resource = request.logical_id, reason, "the deployment fails");
        }
        // The same for the life of the resource: another one would make CloudFormation delete what it takes for the old one.
        let physical_id = request.physical_id.clone().unwrap_or_else(|| format!("icegate-{}", request.logical_id));
        let status = if outcome.is_ok() { "SUCCESS" } else { "FAILED" };
        let until = invocation.deadline.work_until(self.clock.as_ref(), MARGIN);
        request.answer(&physical_id, outcome, until).await?;
        Ok(json!({ "Status": status, "PhysicalResourceId": physical_id }))
    }
}

impl Handler for Migrate {
    async fn handle(&self, event: Value, invocation: &Invocation) -> Result<Value, HandlerError> {
        if let Some(request) = Request::read(&event)? {
            return self.deploy(&request, invocation).await;
        }
        let plan = Plan::read(&event)?;
        let until = invocation.deadline.work_until(self.clock.as_ref(), MARGIN);
        let changes = timeout_at(until, self.migrate(plan)).await.map_err(|_| "the time is up; repeating it goes on")??;
        Ok(json!({ "action": plan.action.name(), "dry_run": plan.dry_run, "changes": changes }))
    }
}
