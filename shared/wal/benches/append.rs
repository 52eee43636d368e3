//! How fast rows become a durable segment, without a store's latency: encoding is what is left.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use divan::counter::BytesCount;
use icegate_model::{RandomIds, RequestId, SystemClock, Table};
use icegate_storage::Root;
use icegate_wal::conformance::{rows, scope};
use icegate_wal::{Metrics, Request, Wal, Writer, WriterConfig};

fn main() {
    divan::main();
}

/// A request whose rows are at least `bytes` as Arrow holds them.
fn request(bytes: usize) -> (Request, usize) {
    let (tenant, account) = scope("team-a", None).unwrap();
    let row = rows(Table::Logs, &tenant, None, &(0..100).collect::<Vec<_>>()).unwrap().get_array_memory_size() / 100;
    let times: Vec<i64> = (0..i64::try_from(bytes / row).unwrap()).collect();
    let batch = rows(Table::Logs, &tenant, None, &times).unwrap();
    let bytes = batch.get_array_memory_size();
    (Request { id: RequestId(1), tenant, account, batches: vec![(Table::Logs, batch)] }, bytes)
}

mod wal {
    mod append {
        use super::super::*;

        #[divan::bench(name = "1MiB")]
        fn one_mebibyte(bencher: divan::Bencher<'_, '_>) {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let _entered = runtime.enter();
            let config = WriterConfig { flush_interval: Duration::ZERO, ..WriterConfig::default() };
            let wal = Arc::new(Wal::new(Root::memory()));
            let (writer, task) = Writer::start(wal, config, Arc::new(SystemClock), Arc::new(RandomIds), Metrics::new());
            let (request, bytes) = request(1 << 20);
            bencher
                .counter(BytesCount::new(bytes))
                .with_inputs(|| request.clone())
                .bench_values(|request| runtime.block_on(writer.append(request)).unwrap());
            runtime.block_on(task.close());
        }
    }
}
