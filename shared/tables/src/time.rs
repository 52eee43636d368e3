//! What time it is: the store's clock decides, not the process's.
//!
//! A process's clock may be wrong by a day, and may jump. The times at which a store received its objects are all of one clock,
//! which every process can read: from an object that it has just written. Whatever is destructive is decided by those.

use std::time::Duration;

use bytes::Bytes;
use icegate_model::{Clock, Table, Timestamp};
use object_store::path::Path;
use tokio::time::Instant;

use crate::Tables;
use crate::error::TablesError;
use crate::layout::Layout;

/// By how much a process's clock may differ from the store's before that is said.
pub(crate) const ALLOWANCE: Duration = Duration::from_secs(15 * 60);
/// How long the store's time is told from one reading of it.
const VALID: Duration = Duration::from_secs(10 * 60);
/// A process's clock that gains or loses more than this against its timer was set, or the process was frozen.
const STEP: Duration = Duration::from_millis(500);

/// The store's time as it was read once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    store: Timestamp,
    own: Timestamp,
    at: Instant,
}

impl Reading {
    /// The store's time now; `None` where that has to be asked again.
    fn now(&self, own: Timestamp) -> Option<Timestamp> {
        let elapsed = self.at.elapsed();
        let steady = own.since(self.own).abs_diff(elapsed) <= STEP;
        (elapsed < VALID && steady).then(|| self.store + elapsed)
    }
}

/// A moment of this process's life, whose age a clock that is set back doesn't hide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    clock: Timestamp,
    timer: Instant,
}

impl Moment {
    pub(crate) fn now(clock: &dyn Clock) -> Self {
        Self { clock: clock.now(), timer: Instant::now() }
    }

    /// How long ago it was, by the clock or the timer, whichever says more: a timer stands still while a machine sleeps.
    pub(crate) fn age(&self, clock: &dyn Clock) -> Duration {
        clock.now().since(self.clock).max(self.timer.elapsed())
    }
}

impl Tables {
    /// The time now by the clock of the table's store: never later than it is, and earlier by a second or two at most unless the
    /// machine was asleep. Costs two small requests now and then.
    ///
    /// # Errors
    /// [`TablesError::Store`]; those of loading the table.
    pub async fn time(&self, table: Table) -> Result<Timestamp, TablesError> {
        if !self.asks_the_store() {
            return Ok(self.clock().now());
        }
        match self.reading(table).and_then(|reading| reading.now(self.clock().now())) {
            Some(now) => Ok(now),
            None => self.ask_time(table).await,
        }
    }

    /// The same, asked of the store now.
    ///
    /// # Errors
    /// As [`Tables::time`].
    pub async fn ask_time(&self, table: Table) -> Result<Timestamp, TablesError> {
        if !self.asks_the_store() {
            return Ok(self.clock().now());
        }
        let layout = match self.known_layout(table) {
            Some(layout) => layout,
            None => self.newest(table).await?.layout,
        };
        let (path, own) = (layout.time(), self.clock().now());
        layout.write(&path, Bytes::from(own.micros().to_string())).await?;
        // Without the store's word there is no time: what is destructive must not fall back on a clock that may be wrong.
        let store = self.received(&layout, &path).await?.ok_or_else(|| {
            let source = object_store::Error::NotFound { path: path.to_string(), source: "it was written a moment ago".into() };
            TablesError::Store { doing: "read", object: path.to_string(), source }
        })?;
        if own.since(store).max(store.since(own)) > ALLOWANCE {
            let (own, store) = (own.micros(), store.micros());
            tracing::warn!(%table, own, store, "the clock of this process differs from the store's, which counts (microseconds)");
        }
        self.set_reading(table, Reading { store, own: self.clock().now(), at: Instant::now() });
        Ok(store)
    }

    /// When the store received an object, by its own clock; `None` where it isn't there.
    pub(crate) async fn received(&self, layout: &Layout, path: &Path) -> Result<Option<Timestamp>, TablesError> {
        use object_store::ObjectStoreExt;
        match layout.root.store.head(path).await {
            Ok(object) => Ok(Some(Timestamp::from_millis(object.last_modified.timestamp_millis()))),
            Err(error) if icegate_storage::is_not_found(&error) => Ok(None),
            Err(source) => Err(TablesError::Store { doing: "read", object: path.to_string(), source }),
        }
    }
}
