use std::sync::Arc;
use std::time::Duration;

use icegate_wal::{Metrics, Writer, WriterConfig};
use parquet::basic::Compression;

use crate::life::Life;

/// Takes requests until it is killed or everything is over.
pub(crate) async fn ingest(life: Arc<Life>, number: usize) {
    let config = WriterConfig {
        write_retries: 2,
        max_row_group_size: 4,
        records_per_flush_multiplier: 2,
        compression: Compression::UNCOMPRESSED,
        flush_interval: Duration::from_millis(200),
        ..WriterConfig::default()
    };
    let (writer, _task) = Writer::start(life.wal(), config, Arc::clone(&life.clock), Arc::clone(&life.ids), Metrics::default());
    life.world.set_ingester(number, Some((writer, life.link.dead.clone())));
    while !life.world.is_calm() {
        life.pause(Duration::from_secs(1)).await;
    }
    life.world.set_ingester(number, None);
}
