//! What a host does that is woken and goes away again: all that there is to shift, or as much as its time allows.

use std::fmt;
use std::time::Duration;

use futures::{StreamExt, stream};
use icegate_model::Table;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::{Metrics, Pass, ShiftError, Shifter};

/// Passes of one round that a table may fail, one after the other.
const MAX_FAILURES: u32 = 3;
/// Passes that bring nothing in and leave segments, one after the other: others commit at the same time, or the store hides objects.
const MAX_IDLE: u32 = 3;
/// The first pause after a failure, which doubles, and before a segment that can't be read is tried again.
const PAUSE: Duration = Duration::from_millis(500);
/// How long giving the tables back may take, after the time is up.
pub const GIVE_BACK: Duration = Duration::from_secs(2);

/// What a round of passes did for one table.
#[derive(Debug)]
pub struct Round {
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
    pub end: RoundEnd,
}

/// How a round ended.
#[derive(Debug)]
pub enum RoundEnd {
    /// Nothing is left that this shifter can bring in.
    Done,
    /// Another shifter has the table's lease.
    Others,
    /// The time is up. What a pass under way had done is repeated by the next one.
    TimeUp,
    /// The last of several attempts failed.
    Failed(ShiftError),
}

impl Round {
    const fn new(table: Table) -> Self {
        Self { table, passes: 0, segments: 0, rows: 0, left: 0, end: RoundEnd::Done }
    }

    /// Whether whoever asked for the round has to ask again: it failed, or had no time to bring anything in.
    #[must_use]
    pub const fn is_failure(&self) -> bool {
        match self.end {
            RoundEnd::Failed(_) => true,
            RoundEnd::TimeUp => self.segments == 0,
            RoundEnd::Done | RoundEnd::Others => false,
        }
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} segments with {} rows in {} passes, {} left", self.segments, self.rows, self.passes, self.left)?;
        match &self.end {
            RoundEnd::Done => Ok(()),
            RoundEnd::Others => write!(f, "; another shifter has the table"),
            RoundEnd::TimeUp => write!(f, "; the time is up"),
            RoundEnd::Failed(error) => write!(f, "; {error}"),
        }
    }
}

impl Shifter {
    /// Shifts these tables until nothing is left, as many at once as [`crate::ShiftConfig::workers`] says, and gives them back. Ends
    /// by `until`: no pass is begun that is not likely to end before, and one that doesn't is given up, which loses nothing but its
    /// work. A round that brought something in looks once more, so that segments whose event found the table taken are seen.
    pub async fn round(&self, tables: &[Table], until: Instant) -> Vec<Round> {
        // The gauge tells of this round's tables only.
        self.metrics.lag.clear();
        let rounds = tables.iter().copied().map(|table| self.round_of(table, until));
        let rounds = stream::iter(rounds).buffered(self.config.workers.max(1)).collect().await;
        // A lease that is not given back ends by itself.
        let _ = timeout(GIVE_BACK, self.give_back()).await;
        rounds
    }

    async fn round_of(&self, table: Table, until: Instant) -> Round {
        let mut round = Round::new(table);
        let (mut failures, mut idle, mut longest) = (0, 0, Duration::ZERO);
        loop {
            let began = Instant::now();
            if began + longest >= until {
                round.end = RoundEnd::TimeUp;
                return round;
            }
            let Ok(pass) = timeout_at(until, self.pass(table)).await else {
                round.end = RoundEnd::TimeUp;
                return round;
            };
            longest = longest.max(began.elapsed());
            round.passes += 1;
            match pass {
                Ok(pass) => {
                    failures = 0;
                    round.add(&pass);
                    if pass.others {
                        round.end = RoundEnd::Others;
                        return round;
                    }
                    idle = if pass.committed.or(pass.generated).is_some() { 0 } else { idle + 1 };
                    // What can't be read is judged here and now: the next round may be another process's, which begins to count anew.
                    let in_doubt = pass.unreadable > pass.quarantined;
                    if idle >= MAX_IDLE || (idle > 0 && pass.left == 0 && !in_doubt) {
                        return round;
                    }
                    if in_doubt {
                        sleep(PAUSE).await;
                    }
                }
                Err(error) => {
                    failures += 1;
                    self.metrics.failures.get_or_create(&Metrics::labels(table)).inc();
                    let pause = PAUSE * 2_u32.pow(failures);
                    if failures >= MAX_FAILURES || Instant::now() + pause >= until {
                        round.end = RoundEnd::Failed(error);
                        return round;
                    }
                    tracing::warn!(%table, %error, kind = %error.kind(), "shift failed, it is tried again");
                    sleep(pause).await;
                }
            }
        }
    }
}

impl Round {
    fn add(&mut self, pass: &Pass) {
        self.segments += pass.segments;
        self.rows += pass.committed.map_or(0, |committed| committed.rows_added);
        self.left = pass.left;
    }
}
