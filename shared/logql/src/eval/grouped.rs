use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use datafusion::dataframe::DataFrame;
use datafusion::functions::string::expr_fn::octet_length;
use datafusion::prelude::col;
use icegate_schema::columns::{BODY, STREAM_LABELS, TIMESTAMP, TIMESTAMP_NANOS};
use icegate_series::{LabelsBuilder, Windows};

use super::drive::Consume;
use super::range::OCTETS;
use crate::plan::{Owner, Plan, owner};
use crate::rows::{TextColumn, Times, octets, parse_stream};
use crate::stage::Step;
use crate::{Limits, LogqlError, Source};

/// The labels of a group and the columns that decide them.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    /// Columns named as their labels.
    columns: Vec<&'static str>,
    /// Labels of the stream.
    stream: Vec<String>,
}

/// The columns that decide the groups; `None` where rows have to be looked at.
pub(crate) fn keys(plan: &Plan, by: &[String], bytes: bool) -> Option<Keys> {
    if !plan.matchers.is_empty() {
        return None;
    }
    let mut gone: Vec<&str> = Vec::new();
    for step in &plan.steps {
        match step {
            Step::Select(select) => gone.extend(select.dropped()?),
            // Nobody asks for a label that it could give, nor whether it fails.
            step if step.is_idle(bytes) => {}
            _ => return None,
        }
    }
    let mut keys = Keys { columns: Vec::new(), stream: Vec::new() };
    for name in by.iter().filter(|name| !gone.contains(&name.as_str())) {
        match owner(name) {
            // Nothing here makes errors.
            _ if name.starts_with("__error") => {}
            Owner::Column(column) if keys.columns.contains(&column) => {}
            Owner::Column(column) => keys.columns.push(column),
            Owner::Stream => keys.stream.push(name.clone()),
            Owner::Id(_) | Owner::Row => return None,
        }
    }
    Some(keys)
}

/// Only the columns that count.
pub(crate) fn frame(plan: &Plan, keys: &Keys, bytes: bool, source: &Source) -> Result<DataFrame, LogqlError> {
    let mut columns = vec![col(TIMESTAMP), col(TIMESTAMP_NANOS)];
    columns.extend(keys.columns.iter().copied().map(col));
    if !keys.stream.is_empty() {
        columns.push(col(STREAM_LABELS));
    }
    if bytes {
        columns.push(octet_length(col(BODY)).alias(OCTETS));
    }
    Ok(plan.scan(source)?.select(columns)?)
}

/// Counts rows by a few columns. Nothing is allocated or hashed for a row whose columns are those of the row before.
pub(crate) struct Grouped {
    windows: Windows,
    keys: Keys,
    bytes: bool,
    undecided: Arc<AtomicBool>,
    limits: Limits,
    known: HashMap<String, usize>,
    key: String,
}

impl Grouped {
    pub(crate) fn new(windows: Windows, keys: Keys, bytes: bool, undecided: Arc<AtomicBool>, limits: Limits) -> Self {
        Self { windows, keys, bytes, undecided, limits, known: HashMap::new(), key: String::new() }
    }

    pub(crate) fn into_windows(self) -> Windows {
        self.windows
    }

    /// The series of a row's columns.
    fn series(&mut self, columns: &[TextColumn], row: usize) -> Result<usize, LogqlError> {
        self.key.clear();
        for column in columns {
            // Lengths keep `a` `bc` apart from `ab` `c`.
            let text = column.text(row);
            self.key.push_str(text);
            self.key.push('\0');
            self.key.push_str(itoa(text.len(), &mut [0; 20]));
            self.key.push('\0');
        }
        if let Some(series) = self.known.get(&self.key) {
            return Ok(*series);
        }
        let mut labels = LabelsBuilder::default();
        for (name, column) in self.keys.columns.iter().zip(columns) {
            labels.set(*name, column.text(row));
        }
        if let Some(column) = columns.get(self.keys.columns.len()) {
            let stream = parse_stream(column.text(row)).build();
            for name in &self.keys.stream {
                match stream.get(name) {
                    Some(value) => labels.set(name.as_str(), value),
                    None => self.undecided.store(true, Ordering::Relaxed),
                }
            }
        }
        let series = self.windows.series(labels.build());
        self.limits.check(&self.windows)?;
        self.known.insert(self.key.clone(), series);
        Ok(series)
    }
}

/// Digits without allocating.
fn itoa(mut number: usize, into: &mut [u8; 20]) -> &str {
    let mut at = into.len();
    loop {
        at -= 1;
        into[at] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        if number == 0 || at == 0 {
            return std::str::from_utf8(&into[at..]).unwrap_or_default();
        }
    }
}

impl Consume for Grouped {
    fn consume(&mut self, batch: &RecordBatch) -> Result<(), LogqlError> {
        // The rest would be thrown away.
        if self.undecided.load(Ordering::Relaxed) {
            return Ok(());
        }
        let times = Times::of(batch)?;
        let mut columns = self.keys.columns.iter().map(|name| TextColumn::of(batch, name)).collect::<Result<Vec<_>, _>>()?;
        if !self.keys.stream.is_empty() {
            columns.push(TextColumn::of(batch, STREAM_LABELS)?);
        }
        let lengths = if self.bytes { Some(octets(batch, OCTETS)?) } else { None };
        let mut last: Option<(usize, usize)> = None;
        for row in 0..batch.num_rows() {
            let series = match last {
                Some((before, series)) if columns.iter().all(|column| column.text(before) == column.text(row)) => series,
                _ => self.series(&columns, row)?,
            };
            last = Some((row, series));
            let amount = lengths.as_ref().map_or(1, |lengths| lengths.get(row).unwrap_or_default());
            self.windows.add(series, times.get(row), f64::from(amount));
        }
        Ok(())
    }
}
