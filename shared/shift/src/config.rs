use std::time::Duration;

use icegate_tables::FileOptions;

/// How segments are shifted.
#[derive(Clone, Debug)]
pub struct ShiftConfig {
    /// Bytes of rows in memory that a pass works with, those it reads and encodes included; it takes at least one segment.
    pub max_input_bytes: usize,
    /// Row groups at which a pass stops taking segments.
    pub max_row_groups: usize,
    /// Segments that are read at once.
    pub read_parallelism: usize,
    /// How data files are written.
    pub files: FileOptions,
    /// A segment is shifted at the latest when it is this old.
    pub interval: Duration,
    /// How often the WAL is listed.
    pub poll_interval: Duration,
    /// How long a segment stays after its commit: longer than the longest query.
    pub grace: Duration,
    /// Tables that are shifted at once.
    pub workers: usize,
}

impl Default for ShiftConfig {
    fn default() -> Self {
        Self {
            max_input_bytes: 64 << 20,
            max_row_groups: 1024,
            read_parallelism: 8,
            files: FileOptions::default(),
            interval: Duration::from_secs(30),
            poll_interval: Duration::from_secs(1),
            grace: Duration::from_secs(600),
            workers: 1,
        }
    }
}
