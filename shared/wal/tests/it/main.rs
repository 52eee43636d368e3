//! The write-ahead log as shifters, queries and ingest see it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alone;
mod coalescing;
mod corrupt;
mod failures;
mod faulty;
mod large;
mod pressure;
mod round_trip;
mod stores;

use std::sync::Arc;

use icegate_model::{RequestId, Table, Timestamp};
use icegate_storage::Root;
use icegate_testkit::{ManualClock, SeededIds};
use icegate_wal::conformance::{rows, scope};
use icegate_wal::{Footer, Metrics, Request, Segment, Wal, Writer, WriterConfig, WriterTask};

/// A writer on `root`, at a fixed time and with ids that repeat.
fn start(root: &Root, config: WriterConfig) -> (Arc<Wal>, Writer, WriterTask) {
    start_counted(root, config, Metrics::new())
}

fn start_counted(root: &Root, config: WriterConfig, metrics: Metrics) -> (Arc<Wal>, Writer, WriterTask) {
    let wal = Arc::new(Wal::new(root.clone()));
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_700_000_000)));
    let (writer, task) = Writer::start(Arc::clone(&wal), config, clock, Arc::new(SeededIds::new(1)), metrics);
    (wal, writer, task)
}

/// A request of one tenant with a row of `logs` for each time.
fn logs(id: u128, tenant: &str, times: &[i64]) -> Request {
    let (tenant, account) = scope(tenant, None).unwrap();
    let batches = vec![(Table::Logs, rows(Table::Logs, &tenant, account.as_ref(), times).unwrap())];
    Request { id: RequestId(id), tenant, account, batches }
}

async fn segments(wal: &Wal, table: Table) -> Vec<(Segment, Footer)> {
    let mut found = Vec::new();
    for segment in wal.list(table).await.unwrap().segments {
        let footer = wal.footer(&segment).await.unwrap();
        found.push((segment, footer));
    }
    found
}

/// The requests of each segment.
async fn requests(wal: &Wal, table: Table) -> Vec<Vec<u128>> {
    let ids = |footer: Footer| footer.requests.iter().map(|run| run.id.0).collect();
    segments(wal, table).await.into_iter().map(|(_, footer)| ids(footer)).collect()
}
