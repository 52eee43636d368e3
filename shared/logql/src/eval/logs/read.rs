use std::sync::Arc;

use arrow::array::RecordBatch;
use icegate_model::Timestamp;
use icegate_schema::columns::BODY;

use super::line::{First, Line, ordered};
use crate::eval::drive::Consume;
use crate::plan::Plan;
use crate::rows::{NameCache, Names, RowReader, StreamCache, TextColumn, Times};
use crate::{Direction, Entry, LogqlError};

/// Runs the pipeline on rows; what it knows of names and streams stays from batch to batch.
pub(in crate::eval) struct Reader {
    plan: Arc<Plan>,
    streams: StreamCache,
    columns: NameCache,
    sieve: Option<SieveReader>,
    names: Names,
}

/// Reads the labels that decide whether a line stays, and counts how many do.
struct SieveReader {
    streams: StreamCache,
    columns: NameCache,
    asked: usize,
    stayed: usize,
}

/// Rows after which a sieve that most of them pass is left out: it only makes the same labels twice.
const SIEVE_TRIAL: usize = 4096;

impl SieveReader {
    fn new(columns: NameCache) -> Self {
        Self { streams: StreamCache::default(), columns, asked: 0, stayed: 0 }
    }

    fn pays(&self) -> bool {
        self.asked < SIEVE_TRIAL || self.stayed * 2 < self.asked
    }
}

impl Reader {
    pub(in crate::eval) fn new(plan: &Arc<Plan>) -> Self {
        Self {
            plan: Arc::clone(plan),
            streams: StreamCache::default(),
            columns: plan.names(),
            sieve: plan.sieve_names().map(SieveReader::new),
            names: Names::default(),
        }
    }

    /// Hands the lines that stay to `keep`, of those whose times it wants.
    pub(in crate::eval) fn read<K: Keep>(&mut self, batch: &RecordBatch, keep: &mut K) -> Result<(), LogqlError> {
        let times = Times::of(batch)?;
        let body = TextColumn::of(batch, BODY)?;
        let mut reader = RowReader::new(batch, &mut self.streams, &mut self.columns)?;
        let mut sieve = match &mut self.sieve {
            Some(SieveReader { streams, columns, asked, stayed }) => {
                Some((RowReader::new(batch, streams, columns)?, asked, stayed))
            }
            None => None,
        };
        for index in 0..batch.num_rows() {
            let at = times.get(index);
            if !keep.wants(at) {
                continue;
            }
            if let Some((reader, asked, stayed)) = &mut sieve {
                **asked += 1;
                if !self.plan.passes(body.text(index), at, reader.labels(index), &mut self.names) {
                    continue;
                }
                **stayed += 1;
            }
            if let Some(row) = self.plan.run(body.text(index), at, reader.labels(index), &mut self.names) {
                let entry = Entry {
                    timestamp: Timestamp::from_nanos(at),
                    line: row.line.into_owned(),
                    metadata: row.labels.metadata_labels(),
                    parsed: row.labels.parsed_labels(),
                };
                keep.push(Line { stream: row.labels.stream, entry, observed: reader.observed(index) });
            }
        }
        self.sieve = self.sieve.take().filter(SieveReader::pays);
        Ok(())
    }
}

/// Decides which lines are part of the answer.
pub(in crate::eval) trait Keep {
    /// Whether a line of this time may be.
    fn wants(&self, at: i64) -> bool;
    /// Takes a line.
    fn push(&mut self, line: Line);
}

/// Every line.
impl Keep for Vec<Line> {
    fn wants(&self, _at: i64) -> bool {
        true
    }

    fn push(&mut self, line: Line) {
        Self::push(self, line);
    }
}

impl Keep for First {
    fn wants(&self, at: i64) -> bool {
        Self::wants(self, at)
    }

    fn push(&mut self, line: Line) {
        Self::push(self, line);
    }
}

/// Keeps the first lines of rows in any order.
pub(super) struct Unordered {
    pub(super) reader: Reader,
    pub(super) first: First,
}

impl Consume for Unordered {
    fn consume(&mut self, batch: &RecordBatch) -> Result<(), LogqlError> {
        self.reader.read(batch, &mut self.first)
    }
}

/// Lines that are at least an interval apart, of rows in order of time.
pub(super) struct Spaced {
    interval: u64,
    limit: usize,
    direction: Direction,
    lines: Vec<Line>,
    /// The next line, unless another of its time comes before it.
    next: Option<Line>,
}

impl Spaced {
    pub(super) const fn new(interval: u64, limit: usize, direction: Direction) -> Self {
        Self { interval, limit, direction, lines: Vec::new(), next: None }
    }

    pub(super) fn read(&mut self, reader: &mut Reader, batch: &RecordBatch) -> Result<(), LogqlError> {
        reader.read(batch, self)
    }

    /// No other line of the time of the last one comes.
    pub(super) fn settle(&mut self) {
        self.lines.extend(self.next.take().filter(|_| self.lines.len() < self.limit));
    }

    pub(super) const fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) const fn is_full(&self) -> bool {
        self.lines.len() >= self.limit
    }

    pub(super) fn into_lines(self) -> Vec<Line> {
        self.lines
    }
}

impl Keep for Spaced {
    fn wants(&self, at: i64) -> bool {
        let last = self.next.as_ref().or(self.lines.last()).map(Line::at);
        let is_apart = last.is_none_or(|last| at.abs_diff(last) >= self.interval);
        !self.is_full() && (is_apart || self.next.as_ref().is_some_and(|next| next.at() == at))
    }

    fn push(&mut self, line: Line) {
        match &mut self.next {
            Some(next) if next.at() == line.at() => {
                if ordered(self.direction, line.order(next)).is_lt() {
                    *next = line;
                }
            }
            _ => {
                self.settle();
                self.next = Some(line);
            }
        }
    }
}
