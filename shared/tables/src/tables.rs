use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use icegate_model::{Clock, IdGenerator, Table, Timestamp};
use icegate_storage::aws::AwsOptions;
use icegate_storage::{Root, Stores};

use crate::cache::Decoded;
use crate::catalog::{
    Catalog, GlueCatalog, GlueOptions, Loaded, MemoryCatalog, ObjectStoreCatalog, RestCatalog, RestOptions, S3TablesCatalog,
};
use crate::data_file::DataFile;
use crate::error::TablesError;
use crate::layout::Layout;
use crate::ledger::RecordedLedger;
use crate::snapshot::Snapshot;
use crate::time::Reading;

/// How far back ledgers are read where nobody asks for more.
const LEDGER_HORIZON: Duration = Duration::from_secs(24 * 60 * 60);
/// How far the clocks of two machines may differ.
pub(crate) const CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);
/// First pause after a lost attempt; doubles with each.
const PAUSE: Duration = Duration::from_millis(20);
/// Longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The four tables: a catalog that says which metadata is the newest and where each table's files are.
///
/// Cheap to share behind an `Arc`; keeps decoded manifests and ledgers of the newest snapshot.
pub struct Tables {
    catalog: Box<dyn Catalog>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    horizon: Duration,
    asks_the_store: bool,
    states: [TableState; Table::ALL.len()],
}

/// What is remembered of one table.
#[derive(Default)]
pub(crate) struct TableState {
    newest: Mutex<Option<Loaded>>,
    time: Mutex<Option<Reading>>,
    pub(crate) built: Mutex<Option<Arc<Snapshot>>>,
    /// Held while a snapshot is built, so that queries that start together read its manifests once.
    pub(crate) building: tokio::sync::Mutex<()>,
    pub(crate) manifests: Decoded<Vec<Arc<DataFile>>>,
    pub(crate) ledgers: Decoded<RecordedLedger>,
}

impl Tables {
    /// Tables whose catalog is the warehouse itself: no server at all.
    #[must_use]
    pub fn object_store(warehouse: Root, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>) -> Self {
        Self::new(Box::new(ObjectStoreCatalog::new(warehouse, Arc::clone(&clock))), clock, ids)
    }

    /// Tables whose catalog is lost with this value; files still go to the warehouse.
    #[must_use]
    pub fn memory(warehouse: Root, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>) -> Self {
        Self::new(Box::new(MemoryCatalog::new(warehouse, Arc::clone(&clock))), clock, ids)
    }

    /// Tables of an Iceberg REST catalog; their files are opened with `stores`. Makes no request.
    ///
    /// # Errors
    /// [`TablesError::Catalog`] for headers and tokens that can't be sent.
    pub fn rest(
        options: RestOptions,
        stores: Stores,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
    ) -> Result<Self, TablesError> {
        let catalog = RestCatalog::new(options, stores, Arc::clone(&clock), Arc::clone(&ids))?;
        Ok(Self::new(Box::new(catalog), clock, ids))
    }

    /// Tables of AWS Glue; their files are opened with `stores`. Makes no request.
    #[must_use]
    pub fn glue(options: GlueOptions, stores: Stores, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>) -> Self {
        let catalog = GlueCatalog::new(options, stores, Arc::clone(&clock), Arc::clone(&ids));
        Self::new(Box::new(catalog), clock, ids)
    }

    /// Tables of AWS S3 Tables in the table bucket of this ARN; their files are opened with `stores`. Makes no request.
    #[must_use]
    pub fn s3_tables(
        table_bucket_arn: String,
        aws: AwsOptions,
        stores: Stores,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
    ) -> Self {
        let catalog = S3TablesCatalog::new(table_bucket_arn, aws, stores, Arc::clone(&clock), Arc::clone(&ids));
        Self::new(Box::new(catalog), clock, ids)
    }

    fn new(catalog: Box<dyn Catalog>, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>) -> Self {
        Self { catalog, clock, ids, horizon: LEDGER_HORIZON, asks_the_store: true, states: Default::default() }
    }

    /// Reads ledgers this far back instead of 24 hours.
    #[must_use]
    pub fn with_ledger_horizon(mut self, horizon: Duration) -> Self {
        self.horizon = horizon;
        self
    }

    /// Believes its own clock instead of the store's: for a test that moves the one and can't move the other.
    #[must_use]
    pub fn believing_its_clock(mut self) -> Self {
        self.asks_the_store = false;
        self
    }

    pub(crate) fn asks_the_store(&self) -> bool {
        self.asks_the_store
    }

    /// Whether the catalog's service removes what no snapshot needs. Then nobody else may list or delete files of the tables.
    #[must_use]
    pub fn is_managed(&self) -> bool {
        self.catalog.is_managed()
    }

    pub(crate) fn catalog(&self) -> &dyn Catalog {
        self.catalog.as_ref()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    pub(crate) fn ids(&self) -> &dyn IdGenerator {
        self.ids.as_ref()
    }

    /// From when on ledgers matter to somebody who holds segments made at `oldest` and later: such a segment is in no ledger
    /// before it was made, and repeats no request that is older by more than the horizon.
    pub(crate) fn ledgers_since(&self, oldest: Timestamp) -> Timestamp {
        oldest.min(self.clock.now()) - self.horizon - CLOCK_SKEW
    }

    pub(crate) fn horizon(&self) -> Duration {
        self.horizon
    }

    pub(crate) fn state(&self, table: Table) -> &TableState {
        &self.states[table.index()]
    }

    pub(crate) fn reading(&self, table: Table) -> Option<Reading> {
        *self.state(table).time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_reading(&self, table: Table, reading: Reading) {
        *self.state(table).time.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
    }

    /// Where the table's files were when it was last loaded.
    pub(crate) fn known_layout(&self, table: Table) -> Option<Arc<Layout>> {
        let newest = self.state(table).newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.as_ref().map(|loaded| Arc::clone(&loaded.layout))
    }

    /// The newest metadata, asked of the catalog now.
    pub(crate) async fn newest(&self, table: Table) -> Result<Loaded, TablesError> {
        let known = self.state(table).newest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let newest = self.catalog.load(table, known.as_ref()).await?.ok_or(TablesError::NoTable { table })?;
        self.remember(table, newest.clone());
        Ok(newest)
    }

    /// Keeps metadata as the starting point of the next look.
    pub(crate) fn remember(&self, table: Table, loaded: Loaded) {
        let mut newest = self.state(table).newest.lock().unwrap_or_else(PoisonError::into_inner);
        if !newest.as_ref().is_some_and(|known| known.is_after(&loaded)) {
            *newest = Some(loaded);
        }
    }

    /// Waits before the next attempt, longer with each, differently in each process.
    pub(crate) async fn pause(&self, attempt: u32) {
        let longest = PAUSE.saturating_mul(1 << attempt.min(16)).min(LONGEST_PAUSE);
        let share = f64::from(u32::try_from(self.ids.unique().0 & 0xffff).unwrap_or(0)) / f64::from(0x1_0000);
        tokio::time::sleep(longest.mul_f64(share)).await;
    }
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables").field("catalog", &self.catalog).finish_non_exhaustive()
    }
}
