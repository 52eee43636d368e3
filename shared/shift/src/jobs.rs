//! What shifters leave for each other and for operators.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use icegate_model::{Table, Timestamp};
use icegate_storage::Root;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use tokio::time::timeout;

use crate::job_state::JobState;
use crate::lease::{Claim, Known};
use crate::{Codec, Metrics};

/// How a shifter deals with the others.
#[derive(Clone, Debug)]
pub struct JobsConfig {
    /// Names this shifter and no other one; shown to operators.
    pub holder: String,
    /// How job state is written.
    pub codec: Codec,
    /// How long a table is one shifter's unless it renews.
    pub lease: Duration,
    /// How long one request to the store may take.
    pub request_timeout: Duration,
}

impl JobsConfig {
    /// The defaults for a shifter of this name.
    #[must_use]
    pub fn named(holder: impl Into<String>) -> Self {
        Self {
            holder: holder.into(),
            codec: Codec::Json,
            lease: Duration::from_secs(60),
            request_timeout: Duration::from_secs(5),
        }
    }
}

/// The place of leases and job state, below one root:
///
/// ```text
/// leases/{table}/{epoch}.json    {"holder":"…","until-micros":…}   create-only; the highest epoch counts
/// state/{table}.json or .cbor    what was done last, by whom, and how much waits
/// ```
///
/// Epochs have 20 digits. Who takes or renews a lease creates the next epoch and deletes the ones before it, so that there is
/// about one object a table. Creating a name that is taken fails on every store, which is all that this needs.
#[derive(Debug)]
pub struct Jobs {
    pub(crate) root: Root,
    pub(crate) config: JobsConfig,
    known: [Mutex<Known>; Table::ALL.len()],
}

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobsError {
    #[error(transparent)]
    Store(#[from] object_store::Error),
    #[error("no answer in {0:?}")]
    Timeout(Duration),
    #[error("{path} is not what a shifter writes: {reason}")]
    Corrupt { path: Path, reason: String },
}

impl Jobs {
    /// Leases and job state below `root`.
    #[must_use]
    pub fn new(root: Root, config: JobsConfig) -> Self {
        Self { root, config, known: Default::default() }
    }

    /// What the shifters last said of a table; none where nothing was done yet. Reads both codecs.
    ///
    /// # Errors
    /// Those of the store; an object that is not job state.
    pub async fn state(&self, table: Table) -> Result<Option<JobState>, object_store::Error> {
        let mut newest: Option<JobState> = None;
        for codec in [Codec::Json, Codec::Cbor] {
            let path = self.state_path(table, codec);
            let bytes = match self.root.store.get(&path).await {
                Ok(found) => found.bytes().await?,
                Err(error) if icegate_storage::is_not_found(&error) => continue,
                Err(error) => return Err(error),
            };
            let state =
                codec.decode(&bytes).map_err(|reason| object_store::Error::Generic { store: "jobs", source: reason.into() })?;
            newest = newest.into_iter().chain([state]).max_by_key(|state| state.at_micros);
        }
        Ok(newest)
    }

    /// Whether this shifter may work on a table: it is nobody else's. Counts what it finds.
    pub(crate) async fn claim(&self, table: Table, now: Timestamp, metrics: &Metrics) -> Claim {
        let known = *self.known(table);
        let (claim, learnt) = self.look(table, known, now).await;
        *self.known(table) = learnt;
        metrics.count_claim(table, claim, known.is_mine(now));
        claim
    }

    /// Gives a table back, so that nobody waits for the lease's end.
    pub(crate) async fn give_back(&self, table: Table, now: Timestamp) {
        let known = std::mem::take(&mut *self.known(table));
        if let Err(error) = self.end(table, known, now).await {
            tracing::debug!(%table, %error, "lease not given back, it ends by itself");
        }
    }

    /// Leaves word for operators. A failure costs nothing but that.
    pub(crate) async fn leave(&self, table: Table, state: &JobState, metrics: &Metrics) {
        let path = self.state_path(table, self.config.codec);
        let written = match self.config.codec.encode(state) {
            Ok(bytes) => self.within(self.root.store.put(&path, PutPayload::from(bytes))).await.map(drop),
            Err(reason) => Err(JobsError::Corrupt { path, reason }),
        };
        if let Err(error) = written {
            metrics.state_failures.get_or_create(&Metrics::labels(table)).inc();
            tracing::warn!(%table, %error, "job state not written");
        }
    }

    pub(crate) async fn within<T>(&self, request: impl Future<Output = object_store::Result<T>>) -> Result<T, JobsError> {
        let limit = self.config.request_timeout;
        Ok(timeout(limit, request).await.map_err(|_| JobsError::Timeout(limit))??)
    }

    fn state_path(&self, table: Table, codec: Codec) -> Path {
        self.root.path("state").join(format!("{table}.{}", codec.extension()))
    }

    fn known(&self, table: Table) -> std::sync::MutexGuard<'_, Known> {
        self.known[table.index()].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
