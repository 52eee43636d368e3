use std::time::Duration;

use parquet::basic::{Compression, ZstdLevel};

/// Which requests share a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gathering {
    /// Those that arrive within [`WriterConfig::flush_interval`]: for a host that takes many at once.
    #[default]
    Together,
    /// None: each becomes a segment of its own at once, and the id in the segment's name is the request's. For a host that takes one
    /// request at a time, where waiting for another is waiting for nothing.
    Alone,
}

/// How a [`crate::Writer`] gathers requests into segments, and its bounds.
#[derive(Clone, Debug)]
pub struct WriterConfig {
    /// Which requests share a segment.
    pub gathering: Gathering,
    /// Most requests that wait for their rows to be durable; further ones are refused.
    pub channel_capacity: usize,
    /// Most rows of a row group.
    pub max_row_group_size: usize,
    /// How often a failed put is repeated.
    pub write_retries: u32,
    /// Codec of every column.
    pub compression: Compression,
    /// A segment is written as soon as this many full row groups are gathered.
    pub records_per_flush_multiplier: usize,
    /// A segment is written as soon as this many bytes are gathered, counted as Arrow holds them. A single request of more is
    /// still one segment.
    pub max_bytes_per_flush: usize,
    /// How long the first gathered request waits for others.
    pub flush_interval: Duration,
    /// Most bytes, counted as Arrow holds them, that wait over all tables; requests beyond it are refused. A request that is
    /// larger by itself is taken when nothing else waits.
    pub max_buffered_bytes: usize,
    /// How long one attempt of a put may take, what the store repeats by itself included.
    pub put_timeout: Duration,
    /// How long writing may take from the end of gathering, waits for earlier segments, all attempts and the waits between them
    /// included. So an append is answered within [`WriterConfig::flush_interval`] and this, whatever the store does.
    pub write_deadline: Duration,
}

impl Default for WriterConfig {
    fn default() -> Self {
        Self {
            gathering: Gathering::Together,
            channel_capacity: 1_024,
            max_row_group_size: 8_192,
            write_retries: 5,
            compression: Compression::ZSTD(ZstdLevel::default()),
            records_per_flush_multiplier: 1,
            max_bytes_per_flush: 64 << 20,
            flush_interval: Duration::from_millis(200),
            max_buffered_bytes: 128 << 20,
            put_timeout: Duration::from_millis(4_250),
            write_deadline: Duration::from_millis(8_500),
        }
    }
}

impl WriterConfig {
    /// How long a request waits for others at most.
    pub(crate) fn wait(&self) -> Duration {
        match self.gathering {
            Gathering::Together => self.flush_interval,
            Gathering::Alone => Duration::ZERO,
        }
    }

    pub(crate) fn max_rows_per_flush(&self) -> usize {
        self.max_row_group_size.saturating_mul(self.records_per_flush_multiplier).max(1)
    }
}
