use std::time::Duration;

use icegate_runtime::config::{Queue, WalCompression};
use icegate_wal::WriterConfig;
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};

/// Attempts of a put that fit into the deadline of a write even where the first ones are not answered.
const PUTS_PER_DEADLINE: u32 = 2;

/// How the configuration wants segments to be written.
#[must_use]
pub fn writer_config(queue: &Queue) -> WriterConfig {
    let (common, write) = (&queue.common, &queue.write);
    WriterConfig {
        channel_capacity: common.channel_capacity,
        max_row_group_size: common.max_row_group_size,
        write_retries: write.write_retries,
        compression: codec(write.compression),
        records_per_flush_multiplier: write.records_per_flush_multiplier,
        max_bytes_per_flush: write.max_bytes_per_flush,
        flush_interval: Duration::from_millis(write.flush_interval_ms),
        put_timeout: Duration::from_millis(write.deadline_ms) / PUTS_PER_DEADLINE,
        write_deadline: Duration::from_millis(write.deadline_ms),
        ..WriterConfig::default()
    }
}

/// The fastest level of each codec: a segment lives for seconds.
fn codec(compression: WalCompression) -> Compression {
    match compression {
        WalCompression::None => Compression::UNCOMPRESSED,
        WalCompression::Snappy => Compression::SNAPPY,
        WalCompression::Gzip => Compression::GZIP(GzipLevel::default()),
        WalCompression::Brotli => Compression::BROTLI(BrotliLevel::default()),
        WalCompression::Lz4 => Compression::LZ4_RAW,
        // lzo is refused when the configuration is checked.
        WalCompression::Lzo | WalCompression::Zstd => Compression::ZSTD(ZstdLevel::default()),
    }
}
