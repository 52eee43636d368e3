//! What a host does that is woken and goes away again: all that there is to shift, or as much as its time allows.

use std::fmt;
use std::time::Duration;

use futures::{StreamExt, stream};
use icegate_model::Table;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::{Metrics, Pass, ShiftError, Shifter};

/// Passes of one sweep that a table may fail, one after the other.
const MAX_FAILURES: u32 = 3;
/// Passes that bring nothing in and leave segments, one after the other: others commit at the same time, or the store hides objects.
const MAX_IDLE: u32 = 3;
/// The first pause after a failure; it doubles.
const PAUSE: Duration = Duration::from_millis(500);
/// How long giving the tables back may take, after the time is up.
pub const GIVE_BACK: Duration = Duration::from_secs(2);

/// What a sweep did for one table.
#[derive(Debug)]
pub struct Swept {
    /// The table.
    pub table: Table,
    /// Passes, the last look included.
    pub passes: u32,
    /// Segments that were brought in.
    pub segments: usize,
    /// Rows that were added.
    pub rows: u64,
    /// Segments that waited when it was last looked.
    pub left: usize,
    /// How it ended.
    pub end: SweepEnd,
}

/// How a sweep over a table ended.
#[derive(Debug)]
pub enum SweepEnd {
    /// Nothing is left that this shifter can bring in.
    Done,
    /// Another shifter has the table's lease.
    Others,
    /// The time is up. What a pass under way had done is repeated by the next one.
    TimeUp,
    /// The last of several attempts failed.
    Failed(ShiftError),
}

impl Swept {
    const fn new(table: Table) -> Self {
        Self { table, passes: 0, segments: 0, rows: 0, left: 0, end: SweepEnd::Done }
    }

    /// Whether whoever asked for the sweep has to ask again: it failed, or had no time to bring anything in.
    #[must_use]
    pub const fn is_failure(&self) -> bool {
        match self.end {
            SweepEnd::Failed(_) => true,
            SweepEnd::TimeUp => self.segments == 0,
            SweepEnd::Done | SweepEnd::Others => false,
        }
    }
}

impl fmt::Display for Swept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} segments with {} rows in {} passes, {} left", self.segments, self.rows, self.passes, self.left)?;
        match &self.end {
            SweepEnd::Done => Ok(()),
            SweepEnd::Others => write!(f, "; another shifter has the table"),
            SweepEnd::TimeUp => write!(f, "; the time is up"),
            SweepEnd::Failed(error) => write!(f, "; {error}"),
        }
    }
}

impl Shifter {
    /// Shifts these tables until nothing is left, as many at once as [`crate::ShiftConfig::workers`] says, and gives them back. Ends
    /// by `until`: no pass is begun that is not likely to end before, and one that doesn't is given up, which loses nothing but its
    /// work. A sweep that brought something in looks once more, so that segments whose event found the table taken are seen.
    pub async fn sweep(&self, tables: &[Table], until: Instant) -> Vec<Swept> {
        // The gauge tells of this sweep's tables only.
        self.metrics.lag.clear();
        let sweeps = tables.iter().map(|table| self.sweep_table(*table, until));
        let swept = stream::iter(sweeps).buffered(self.config.workers.max(1)).collect().await;
        // A lease that is not given back ends by itself.
        let _ = timeout(GIVE_BACK, self.give_back()).await;
        swept
    }

    async fn sweep_table(&self, table: Table, until: Instant) -> Swept {
        let mut swept = Swept::new(table);
        let (mut failures, mut idle, mut longest) = (0, 0, Duration::ZERO);
        loop {
            let began = Instant::now();
            if began + longest >= until {
                swept.end = SweepEnd::TimeUp;
                return swept;
            }
            let Ok(pass) = timeout_at(until, self.pass(table)).await else {
                swept.end = SweepEnd::TimeUp;
                return swept;
            };
            longest = longest.max(began.elapsed());
            swept.passes += 1;
            match pass {
                Ok(pass) => {
                    failures = 0;
                    swept.add(&pass);
                    if pass.others {
                        swept.end = SweepEnd::Others;
                        return swept;
                    }
                    idle = if pass.committed.is_some() { 0 } else { idle + 1 };
                    if pass.committed.is_none() && (pass.left == 0 || idle >= MAX_IDLE) {
                        return swept;
                    }
                }
                Err(error) => {
                    failures += 1;
                    self.metrics.failures.get_or_create(&Metrics::labels(table)).inc();
                    let pause = PAUSE * 2_u32.pow(failures);
                    if failures >= MAX_FAILURES || Instant::now() + pause >= until {
                        tracing::error!(%table, %error, kind = %error.kind(), "shift failed");
                        swept.end = SweepEnd::Failed(error);
                        return swept;
                    }
                    tracing::warn!(%table, %error, kind = %error.kind(), "shift failed, it is tried again");
                    sleep(pause).await;
                }
            }
        }
    }
}

impl Swept {
    fn add(&mut self, pass: &Pass) {
        self.segments += pass.segments;
        self.rows += pass.committed.map_or(0, |committed| committed.rows_added);
        self.left = pass.left;
    }
}
