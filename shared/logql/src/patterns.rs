//! What lines have in common: words that vary are replaced by `<_>`, so that a pattern fits its lines as `|> "…"` does.
//!
//! Each line becomes a mask first ([`mask`]): its words, with those replaced that have a digit. Masks are counted while rows stream
//! by, at most [`MAX_MASKS`] of them; then masks that differ in few words are made one ([`cluster`]). What is beyond a bound counts
//! for the pattern `<_>`, so that all patterns together count every line.

mod cluster;
mod mask;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::RecordBatch;
use icegate_model::Timestamp;
use icegate_schema::columns::{BODY, DETECTED_LEVEL};

use crate::ast::{LogExpr, LogRange};
use crate::eval::drive::{Consume, drive};
use crate::eval::logs;
use crate::plan::{self, Aim, Plan, Trust};
use crate::rows::{NameCache, Names, RowReader, StreamCache, TextColumn, Times};
use crate::{LogqlError, OpenRows, QueryParams};

/// Masks that are kept apart while lines are read.
const MAX_MASKS: usize = 4_096;
/// Patterns of an answer.
const MAX_PATTERNS: usize = 300;
/// The pattern of all lines but empty ones.
const ANY: &str = "<_>";

/// Lines that have something in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What they have in common; `<_>` stands for what varies.
    pub pattern: String,
    /// Their detected level.
    pub level: String,
    /// How many there are, by the start of a step.
    pub samples: BTreeMap<Timestamp, u64>,
}

/// Lines by level and step.
type Counts = HashMap<Arc<str>, BTreeMap<i64, u64>>;

/// The patterns of the lines that a query selects, the most frequent first; steps are multiples of `params.step`.
///
/// # Errors
/// As [`crate::evaluate`]; [`LogqlError::TooManyCells`] with more patterns times steps than `limits.cells`.
pub async fn patterns(logs: &LogExpr, params: &QueryParams, rows: &dyn OpenRows) -> Result<Vec<Pattern>, LogqlError> {
    let source = rows.open(logs::time(params)?).await?;
    let range = LogRange { selector: logs.selector.clone(), stages: logs.stages.clone(), unwrap: None, nanos: 1, offset: 0 };
    let by = [DETECTED_LEVEL.to_owned()];
    let plan = |trust| {
        let wanted = plan::wanted(&range, Some(&by));
        let aim = Aim { range: logs::time(params)?, limits: &params.limits, trust, wanted, now: params.now.nanos() };
        Plan::new(&logs.selector, &logs.stages, &aim).map(Arc::new)
    };
    let (step, cells) = (i64::try_from(params.step.as_nanos()).unwrap_or(i64::MAX).max(1), params.limits.cells);
    let make = |plan: &Arc<Plan>| Masks { lines: Lines::new(plan), masks: HashMap::new(), step, cells, held: 0 };
    let decided = plan(Trust::Streams)?;
    let mut parts = drive(decided.scan_columns(&source, decided.columns())?, || make(&decided)).await?;
    if decided.is_undecided() {
        let plan = plan(Trust::Rows)?;
        parts = drive(plan.scan_columns(&source, plan.columns())?, || make(&plan)).await?;
    }
    let mut all = make(&decided);
    for (mask, counts) in parts.into_iter().flat_map(|part| part.masks) {
        for (level, steps) in counts {
            steps.into_iter().try_for_each(|(at, count)| all.add(&mask, &level, at, count))?;
        }
    }
    Ok(named(cluster::clusters(all.masks), step))
}

/// Patterns as they are shown, the most frequent first.
fn named(clusters: Vec<(String, Counts)>, step: i64) -> Vec<Pattern> {
    let mut found: BTreeMap<(String, Arc<str>), BTreeMap<i64, u64>> = BTreeMap::new();
    for (index, (mask, counts)) in clusters.into_iter().enumerate() {
        let pattern = if index < MAX_PATTERNS - 1 { mask::shown(&mask) } else { ANY.to_owned() };
        for (level, steps) in counts {
            let held = found.entry((pattern.clone(), level)).or_default();
            steps.into_iter().for_each(|(at, count)| *held.entry(at).or_default() += count);
        }
    }
    let mut found: Vec<_> = found.into_iter().map(|(name, steps)| (steps.values().sum::<u64>(), name, steps)).collect();
    found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let at = |at: i64| Timestamp::from_nanos(at.saturating_mul(step));
    let pattern = |(_, (pattern, level), steps): (u64, (String, Arc<str>), BTreeMap<i64, u64>)| Pattern {
        pattern,
        level: level.to_string(),
        samples: steps.into_iter().map(|(step, count)| (at(step), count)).collect(),
    };
    found.into_iter().map(pattern).collect()
}

/// What rows are read with.
struct Lines {
    plan: Arc<Plan>,
    columns: NameCache,
    names: Names,
    streams: StreamCache,
}

impl Lines {
    fn new(plan: &Arc<Plan>) -> Self {
        Self { plan: Arc::clone(plan), columns: plan.names(), names: Names::default(), streams: StreamCache::default() }
    }
}

/// Counts lines by mask.
struct Masks {
    lines: Lines,
    masks: HashMap<String, Counts>,
    step: i64,
    cells: usize,
    held: usize,
}

impl Masks {
    fn add(&mut self, mask: &str, level: &Arc<str>, step: i64, count: u64) -> Result<(), LogqlError> {
        let mask = if self.masks.len() < MAX_MASKS || self.masks.contains_key(mask) { mask } else { mask::ANY };
        if !self.masks.contains_key(mask) {
            self.masks.insert(mask.to_owned(), Counts::new());
        }
        let steps = self.masks.get_mut(mask).and_then(|counts| {
            if !counts.contains_key(level) {
                counts.insert(Arc::clone(level), BTreeMap::new());
            }
            counts.get_mut(level)
        });
        let Some(steps) = steps else { return Ok(()) };
        let before = steps.len();
        *steps.entry(step).or_default() += count;
        self.held += steps.len() - before;
        if self.held > self.cells { Err(LogqlError::TooManyCells { limit: self.cells }) } else { Ok(()) }
    }
}

impl Consume for Masks {
    fn consume(&mut self, batch: &RecordBatch) -> Result<(), LogqlError> {
        let (times, body) = (Times::of(batch)?, TextColumn::of(batch, BODY)?);
        let plan = Arc::clone(&self.lines.plan);
        let mut found = Vec::new();
        let mut reader = RowReader::new(batch, &mut self.lines.streams, &mut self.lines.columns)?;
        for index in 0..batch.num_rows() {
            let at = times.get(index);
            if let Some(row) = plan.run(body.text(index), at, reader.labels(index), &mut self.lines.names) {
                let level: Arc<str> = row.labels.get(DETECTED_LEVEL).unwrap_or("unknown").into();
                found.push((mask::mask(&row.line), level, at.div_euclid(self.step)));
            }
        }
        found.into_iter().try_for_each(|(mask, level, step)| self.add(&mask, &level, step, 1))
    }
}
