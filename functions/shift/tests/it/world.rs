//! A lake with a receiver of OTLP, and functions as other environments would have them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, AsArray};
use bytes::Bytes;
use icegate_function_host::events::{Deadline, Invocation};
use icegate_function_shift::Shift;
use icegate_http::TenantScope;
use icegate_lake::{Lake, Surroundings};
use icegate_model::{Clock, RandomIds, Signal, SystemClock, Table};
use icegate_otlp::Encoding;
use icegate_otlp_api::{Bounds, Ingest, Metrics};
use icegate_runtime::Config;
use icegate_storage::Store;
use icegate_tables::Tables;
use icegate_testkit::ClockedStore;
use icegate_wal::{Gathering, Writer, WriterConfig};
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use prometheus_client::registry::Registry;
use serde_json::json;

pub(crate) const TENANT: &str = "team-a";

/// One store that every environment reaches, each in its own way.
pub(crate) struct World {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) lake: Lake,
    pub(crate) tables: Arc<Tables>,
    config: Config,
    store: Option<Store>,
    ingest: Ingest,
}

impl World {
    /// Plain files below a folder, by the system's clock.
    pub(crate) async fn on_files(folder: &Path) -> Self {
        let data = folder.display();
        let text = format!("storage: {{ backend: !filesystem {{ root_path: \"{data}\" }} }}");
        Self::open(&text, None, Arc::new(SystemClock)).await
    }

    /// Memory, by a clock that the test moves; with more of the configuration.
    pub(crate) async fn in_memory(clock: Arc<dyn Clock>, more: &str) -> Self {
        let store: Store = Arc::new(ClockedStore::new(Arc::new(InMemory::new()), Arc::clone(&clock)));
        Self::open(&format!("storage: {{ backend: memory }}\n{more}"), Some(store), clock).await
    }

    async fn open(text: &str, store: Option<Store>, clock: Arc<dyn Clock>) -> Self {
        let config = Config::from_yaml(text, Path::new("data")).unwrap();
        let surroundings = surroundings(&clock, store.clone(), |store| store);
        let mut registry = Registry::default();
        let lake = Lake::open_in(config.clone(), surroundings, &mut registry).unwrap();
        let tables = lake.tables().unwrap();
        tables.migrate_create(false).await.unwrap();
        let (clock_too, ids) = (Arc::clone(&clock), Arc::new(RandomIds));
        let alone = WriterConfig { gathering: Gathering::Alone, ..icegate_lake::writer_config(&config.queue) };
        let (writer, task) =
            Writer::start(Arc::clone(lake.wal()), alone, clock_too, ids, icegate_wal::Metrics::register(&mut registry));
        // The tasks live as long as the runtime.
        drop(task);
        let ingest = Ingest::new(writer, Arc::clone(&clock), Bounds::default(), Metrics::default());
        Self { clock, lake, tables, config, store, ingest }
    }

    /// A new environment of the function, with something between it and the store.
    pub(crate) async fn environment(&self, wrap: impl Fn(Store) -> Store + Send + Sync + 'static) -> (Shift, Registry) {
        let surroundings = surroundings(&self.clock, self.store.clone(), wrap);
        let mut registry = Registry::with_prefix("icegate");
        let shift = Shift::open_in(self.config.clone(), surroundings, &mut registry).await.unwrap();
        (shift, registry)
    }

    /// An invocation that is killed after a while.
    pub(crate) fn invocation(&self, time: Duration) -> Invocation {
        let millis = (self.clock.now() + time).millis();
        Invocation { request_id: "invocation".to_owned(), deadline: Deadline::from_millis(u64::try_from(millis).unwrap()) }
    }

    /// Stores an OTLP request as a segment of its own.
    pub(crate) async fn send(&self, signal: Signal, body: &str) {
        let scope = TenantScope { tenant: TENANT.parse().unwrap(), account: None };
        let body = Bytes::from(body.to_owned());
        self.ingest.take(signal, &scope, Encoding::Json, body).await.unwrap();
    }

    /// The keys of a table's segments, oldest first.
    pub(crate) async fn keys(&self, table: Table) -> Vec<String> {
        let segments = self.lake.wal().list(table).await.unwrap().segments;
        segments.into_iter().map(|segment| segment.path.to_string()).collect()
    }

    pub(crate) async fn rows(&self, table: Table) -> u64 {
        self.tables.snapshot(table).await.unwrap().total_rows()
    }

    /// A text column of all rows in the table, sorted.
    pub(crate) async fn column(&self, table: Table, column: &str) -> Vec<String> {
        let snapshot = self.tables.snapshot(table).await.unwrap();
        let mut values = Vec::new();
        for file in snapshot.files() {
            let bytes = snapshot.root().store.get(&file.path).await.unwrap().bytes().await.unwrap();
            for batch in ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap() {
                let batch = batch.unwrap();
                let texts =
                    arrow::compute::cast(batch.column_by_name(column).unwrap(), &arrow::datatypes::DataType::Utf8).unwrap();
                values.extend(texts.as_string::<i32>().iter().map(|text| text.unwrap().to_owned()));
                assert_eq!(texts.null_count(), 0);
            }
        }
        values.sort();
        values
    }
}

fn surroundings(
    clock: &Arc<dyn Clock>,
    shared: Option<Store>,
    wrap: impl Fn(Store) -> Store + Send + Sync + 'static,
) -> Surroundings {
    let surroundings = Surroundings::default().with_clock(Arc::clone(clock));
    surroundings.with_wrap(move |own| wrap(shared.clone().unwrap_or(own)))
}

/// A request of one log record.
pub(crate) fn log(body: &str) -> String {
    let record = json!({ "body": { "stringValue": body }, "timeUnixNano": "1767225600000000000" });
    let resource = json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": "shop" } }] });
    json!({ "resourceLogs": [{ "resource": resource, "scopeLogs": [{ "logRecords": [record] }] }] }).to_string()
}

/// A request of one span.
pub(crate) fn span(name: &str, number: u64) -> String {
    let span = json!({
        "traceId": format!("{number:032x}"), "spanId": format!("{number:016x}"), "name": name, "kind": 2,
        "startTimeUnixNano": "1767225600000000000", "endTimeUnixNano": "1767225601000000000",
    });
    let resource = json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": "shop" } }] });
    json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "spans": [span] }] }] }).to_string()
}
