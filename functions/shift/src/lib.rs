//! Woken by S3's notifications through a queue, or by a schedule, shifts what the WAL holds.
//!
//! Row 7, an adapter: an event only says which tables to look at. What has to be shifted is the WAL's listing minus the ledgers
//! (`icegate_shift`), so events that are repeated, late, in another order or lost change nothing: the schedule looks at all tables.
//!
//! - A message that can't be read is a failure of that message: the queue keeps it, and parks it after the set tries.
//! - A table that can't be shifted fails the messages that woke it, and no others.
//! - A round ends before Lambda's deadline, and says what is left. What is left is no failure as long as something was brought in.

mod place;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use icegate_function_host::events::notification::Object;
use icegate_function_host::events::wake::{Message, Wake, failures};
use icegate_function_host::events::{Handler, HandlerError, Invocation};
use icegate_lake::{Lake, Surroundings};
use icegate_model::{Clock, Table};
use icegate_runtime::Config;
use icegate_shift::{GIVE_BACK, Round, Shifter};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use serde_json::Value;

use crate::place::Place;
use crate::report::{Unfinished, report};

/// What is left of the time when a round ends: to give the tables back, to reply and to write metrics.
const MARGIN: Duration = GIVE_BACK.saturating_add(Duration::from_secs(3));

/// Shifts when it is woken.
#[derive(Debug)]
pub struct Shift {
    shifter: Shifter,
    place: Place,
    clock: Arc<dyn Clock>,
    bad: Counter,
}

impl Shift {
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
    /// As [`Shift::open`].
    pub async fn open_in(config: Config, surroundings: Surroundings, registry: &mut Registry) -> Result<Self, HandlerError> {
        let lake = Lake::open_in(config, surroundings, registry)?;
        let bad = Counter::default();
        registry.register("shift_bad_messages", "Messages that could not be read", bad.clone());
        let tables = lake.tables()?;
        let shifter = lake.shifter(&tables, registry)?;
        Ok(Self { shifter, place: Place::of(lake.wal().root()), clock: Arc::clone(lake.clock()), bad })
    }

    /// Shifts these tables and logs what became of it.
    async fn round(&self, tables: &BTreeSet<Table>, invocation: &Invocation) -> Vec<Round> {
        if tables.is_empty() {
            return Vec::new();
        }
        let tables: Vec<_> = tables.iter().copied().collect();
        let until = invocation.deadline.work_until(self.clock.as_ref(), MARGIN);
        let rounds = self.shifter.round(&tables, until).await;
        for round in &rounds {
            if round.is_failure() {
                tracing::error!(table = %round.table, %round, "table is not shifted");
            } else {
                tracing::info!(table = %round.table, %round, "shifted");
            }
        }
        rounds
    }

    /// The reply to a batch names the messages that the queue shall keep.
    async fn messages(&self, messages: Vec<Message>, invocation: &Invocation) -> Value {
        let mut failed = BTreeSet::new();
        let mut waking: BTreeMap<Table, BTreeSet<String>> = BTreeMap::new();
        for Message { id, receives, bytes, objects } in messages {
            match objects {
                Ok(objects) => {
                    for table in self.tables_of(&objects) {
                        waking.entry(table).or_default().insert(id.clone());
                    }
                }
                Err(error) => {
                    self.bad.inc();
                    tracing::warn!(message_id = id, receives, bytes, %error, "message can't be read, it is left to the queue");
                    failed.insert(id);
                }
            }
        }
        let rounds = self.round(&waking.keys().copied().collect(), invocation).await;
        for round in rounds.iter().filter(|round| round.is_failure()) {
            failed.extend(waking.remove(&round.table).unwrap_or_default());
        }
        failures(failed.iter().map(String::as_str))
    }

    fn tables_of(&self, objects: &[Object]) -> BTreeSet<Table> {
        let made = objects.iter().filter(|object| object.created);
        let tables = made.filter_map(|object| {
            let table = self.place.table_of(object);
            if table.is_none() {
                tracing::debug!(bucket = object.bucket, "an object that is no segment of this WAL wakes nobody");
            }
            table
        });
        tables.collect()
    }
}

impl Handler for Shift {
    async fn handle(&self, event: Value, invocation: &Invocation) -> Result<Value, HandlerError> {
        let tables = match Wake::read(&event)? {
            Wake::Messages(messages) => return Ok(self.messages(messages, invocation).await),
            Wake::Objects(objects) => self.tables_of(&objects),
            Wake::Schedule => Table::ALL.into(),
        };
        let rounds = self.round(&tables, invocation).await;
        if rounds.iter().any(Round::is_failure) { Err(Box::new(Unfinished::of(&rounds))) } else { Ok(report(&rounds)) }
    }
}
