use std::collections::{BinaryHeap, HashMap};

use arrow::array::RecordBatch;
use datafusion::dataframe::DataFrame;
use datafusion::prelude::col;
use futures::StreamExt;
use icegate_model::{TimeRange, Timestamp};
use icegate_schema::columns::{BODY, TIMESTAMP, TIMESTAMP_NANOS};
use icegate_series::Labels;

use crate::ast::LogExpr;
use crate::plan::{Aim, Plan, Trust};
use crate::rows::{NameCache, Names, RowReader, StreamCache, TextColumn, Times};
use crate::stage::{Row, Wanted};
use crate::{Direction, Entry, LogqlError, OpenRows, QueryParams, Source, Stream};

/// The lines of a log query.
pub(crate) async fn answer(logs: &LogExpr, params: &QueryParams, rows: &dyn OpenRows) -> Result<Vec<Stream>, LogqlError> {
    if params.limit == 0 {
        return Err(LogqlError::NoEntries);
    }
    if params.limit > params.limits.entries {
        return Err(LogqlError::TooManyEntries { asked: params.limit, limit: params.limits.entries });
    }
    let range = time(params)?;
    let source = rows.open(range).await?;
    let plan = plan(logs, params, Trust::Streams)?;
    let found = lines(&plan, params, &source).await?;
    if !plan.is_undecided() {
        return Ok(streams(found));
    }
    let plan = self::plan(logs, params, Trust::Rows)?;
    Ok(streams(lines(&plan, params, &source).await?))
}

/// What columns decide, and what is left.
pub(crate) fn plan(logs: &LogExpr, params: &QueryParams, trust: Trust) -> Result<Plan, LogqlError> {
    let aim = Aim { range: time(params)?, limits: &params.limits, trust, wanted: Wanted::All, now: params.now.nanos() };
    Plan::new(&logs.selector, &logs.stages, &aim)
}

/// The time that a log query asks for.
pub(crate) fn time(params: &QueryParams) -> Result<TimeRange, LogqlError> {
    TimeRange::new(params.start, params.end).map_err(|error| LogqlError::InvalidRange {
        start: error.start.nanos(),
        end: error.end.nanos(),
        step: 0,
    })
}

/// The scan of a log query: in order where that can end early.
pub(crate) fn frame(plan: &Plan, params: &QueryParams, source: &Source) -> Result<DataFrame, LogqlError> {
    let frame = plan.scan_columns(source, plan.columns())?;
    let first_is_least = params.direction == Direction::Forward;
    let ordered = |frame: DataFrame| {
        frame.sort([TIMESTAMP, TIMESTAMP_NANOS].map(|name| col(name).sort(first_is_least, first_is_least)).to_vec())
    };
    Ok(if !params.interval.is_zero() {
        ordered(frame)?
    } else if plan.is_exact() {
        ordered(frame)?.limit(0, Some(params.limit))?
    } else {
        frame
    })
}

/// A line and its stream.
pub(super) struct Line {
    stream: Labels,
    entry: Entry,
}

impl Line {
    pub(super) fn of(row: Row<'_>, at: i64) -> Self {
        let entry = Entry {
            timestamp: Timestamp::from_nanos(at),
            line: row.line.into_owned(),
            metadata: row.labels.metadata_labels(),
            parsed: row.labels.parsed_labels(),
        };
        Self { stream: row.labels.stream, entry }
    }
}

/// The first lines in the direction asked for, in order.
async fn lines(plan: &Plan, params: &QueryParams, source: &Source) -> Result<Vec<Line>, LogqlError> {
    let mut batches = frame(plan, params, source)?.execute_stream().await?;
    let mut kept = First::new(params);
    let mut caches = Caches { streams: StreamCache::default(), columns: plan.names(), names: Names::default() };
    while let Some(batch) = batches.next().await {
        take(&batch?, plan, &mut kept, &mut caches)?;
        if kept.is_done() {
            break;
        }
    }
    Ok(kept.into_lines())
}

/// What is kept from batch to batch.
struct Caches {
    streams: StreamCache,
    columns: NameCache,
    names: Names,
}

fn take(batch: &RecordBatch, plan: &Plan, kept: &mut First, caches: &mut Caches) -> Result<(), LogqlError> {
    let times = Times::of(batch)?;
    let body = TextColumn::of(batch, BODY)?;
    let mut reader = RowReader::new(batch, &mut caches.streams, &mut caches.columns)?;
    for index in 0..batch.num_rows() {
        let at = times.get(index);
        if !kept.wants(at) {
            continue;
        }
        if let Some(row) = plan.run(body.text(index), at, reader.labels(index), &mut caches.names) {
            kept.push(at, Line::of(row, at));
        }
    }
    Ok(())
}

/// The first `limit` lines of a direction.
struct First {
    limit: usize,
    forward: bool,
    /// Not zero: lines come in order, and each is at least this much after the one before.
    interval: i64,
    last: Option<i64>,
    /// The last of the lines kept is on top: rank, order of coming, place in `lines`.
    heap: BinaryHeap<(i64, u64, usize)>,
    lines: Vec<Option<Line>>,
    come: u64,
}

impl First {
    fn new(params: &QueryParams) -> Self {
        Self {
            limit: params.limit,
            forward: params.direction == Direction::Forward,
            interval: i64::try_from(params.interval.as_nanos()).unwrap_or(i64::MAX),
            last: None,
            heap: BinaryHeap::new(),
            lines: Vec::new(),
            come: 0,
        }
    }

    /// Lower comes first.
    const fn rank(&self, at: i64) -> i64 {
        if self.forward { at } else { !at }
    }

    fn wants(&self, at: i64) -> bool {
        if self.interval > 0 {
            return self.last.is_none_or(|last| at.abs_diff(last) >= self.interval.unsigned_abs());
        }
        self.heap.len() < self.limit || self.heap.peek().is_some_and(|worst| self.rank(at) < worst.0)
    }

    fn is_done(&self) -> bool {
        self.interval > 0 && self.heap.len() >= self.limit
    }

    fn push(&mut self, at: i64, line: Line) {
        if self.is_done() {
            return;
        }
        self.last = Some(at);
        let place = if self.heap.len() < self.limit {
            self.lines.push(Some(line));
            self.lines.len() - 1
        } else {
            let Some((_, _, place)) = self.heap.pop() else { return };
            self.lines[place] = Some(line);
            place
        };
        self.heap.push((self.rank(at), self.come, place));
        self.come += 1;
    }

    fn into_lines(mut self) -> Vec<Line> {
        let mut order: Vec<_> = self.heap.into_vec();
        order.sort_unstable();
        order.into_iter().filter_map(|(_, _, place)| self.lines[place].take()).collect()
    }
}

/// Lines by stream, streams by their labels.
pub(super) fn streams(lines: Vec<Line>) -> Vec<Stream> {
    let mut index: HashMap<Labels, usize> = HashMap::new();
    let mut streams: Vec<Stream> = Vec::new();
    for line in lines {
        let at = *index.entry(line.stream.clone()).or_insert_with(|| {
            streams.push(Stream { labels: line.stream, entries: Vec::new() });
            streams.len() - 1
        });
        streams[at].entries.push(line.entry);
    }
    streams.sort_by(|a, b| a.labels.cmp(&b.labels));
    streams
}
