use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use icegate_series::{Block, LabelsBuilder, Row};

use super::frame::Frame;
use super::{MetricsLimits, label};
use crate::ast::{Compare, Field, Intrinsic, Scope};
use crate::eval::{Expr, Subject};
use crate::{TraceqlError, Value};

const META_TYPE: &str = "__meta_type";
const META_ERROR: &str = "__meta_error";
const TOO_MANY_VALUES: &str = "__too_many_values__";

/// Intrinsics that are compared as attributes are.
const INTRINSICS: [Intrinsic; 6] = [
    Intrinsic::Name,
    Intrinsic::Kind,
    Intrinsic::Status,
    Intrinsic::StatusMessage,
    Intrinsic::RootName,
    Intrinsic::RootServiceName,
];

/// Counts the values of all attributes, of spans that are selected and of the others.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    selection: Expr,
    range: Option<(i64, i64)>,
    top: usize,
    frame: Frame,
    limits: MetricsLimits,
    /// By whether they are selected, and by attribute.
    counts: BTreeMap<(bool, Arc<str>), Counts>,
    cells: usize,
    /// Labels of attributes by scope and name, so that each is made once.
    names: HashMap<(Scope, Arc<str>), Arc<str>>,
}

/// What is counted of one attribute.
#[derive(Clone, Debug, Default)]
struct Counts {
    total: Vec<f64>,
    values: HashMap<Arc<str>, Vec<f64>>,
    /// More values came than may be counted; none is told then.
    overflown: bool,
}

impl Comparison {
    pub(super) fn new(compare: &Compare, frame: Frame, limits: MetricsLimits) -> Result<Self, TraceqlError> {
        Ok(Self {
            selection: Expr::new(&compare.selection)?,
            range: compare.range,
            top: compare.top,
            frame,
            limits,
            counts: BTreeMap::new(),
            cells: 0,
            names: HashMap::new(),
        })
    }

    pub(super) fn add(&mut self, subject: Subject<'_>) -> Result<(), TraceqlError> {
        let span = subject.span;
        let Some(point) = self.frame.point(span.start) else { return Ok(()) };
        let in_range = self.range.is_none_or(|(start, end)| (start..end).contains(&span.start));
        let selected = in_range && self.selection.holds(subject)?;
        for intrinsic in INTRINSICS {
            let value = subject.get(&Field::Intrinsic(intrinsic, false));
            if *value != Value::text("") && !value.is_nil() {
                self.count(selected, intrinsic.name(false).into(), label::encode(&value), point, 1.0);
            }
        }
        for (scope, attributes) in [(Scope::Resource, &*span.resource), (Scope::Span, &span.attributes)] {
            for (key, value) in attributes.iter() {
                let name = self.names.entry((scope, Arc::clone(key)));
                let name = Arc::clone(name.or_insert_with(|| Field::attribute(Some(scope), &**key).to_string().into()));
                self.count(selected, name, label::encode(value), point, 1.0);
            }
        }
        self.bounded()
    }

    fn count(&mut self, selected: bool, name: Arc<str>, value: Arc<str>, point: usize, amount: f64) {
        let points = self.frame.grid.len();
        let counts = self.counts.entry((selected, name)).or_insert_with(|| {
            self.cells += points;
            Counts { total: vec![0.0; points], ..Counts::default() }
        });
        counts.total[point] += amount;
        if counts.overflown {
            return;
        }
        if counts.values.len() >= self.limits.compared_values && !counts.values.contains_key(&value) {
            self.cells -= points * counts.values.len();
            (counts.overflown, counts.values) = (true, HashMap::new());
            return;
        }
        let row = counts.values.entry(value).or_insert_with(|| {
            self.cells += points;
            vec![0.0; points]
        });
        row[point] += amount;
    }

    fn bounded(&self) -> Result<(), TraceqlError> {
        if self.cells > self.limits.cells {
            return Err(TraceqlError::TooManyCells { limit: self.limits.cells });
        }
        Ok(())
    }

    pub(super) fn merge(&mut self, other: Self) -> Result<(), TraceqlError> {
        for ((selected, name), counts) in other.counts {
            let mut added = vec![0.0; self.frame.grid.len()];
            for (value, row) in counts.values {
                for (point, amount) in row.into_iter().enumerate().filter(|(_, amount)| *amount > 0.0) {
                    self.count(selected, Arc::clone(&name), Arc::clone(&value), point, amount);
                    added[point] += amount;
                }
            }
            // Of values that overflowed only the total is left.
            let mine = self
                .counts
                .entry((selected, name))
                .or_insert_with(|| Counts { total: vec![0.0; added.len()], ..Counts::default() });
            for ((cell, total), added) in mine.total.iter_mut().zip(counts.total).zip(added) {
                *cell += total - added;
            }
            if counts.overflown {
                mine.overflown = true;
                mine.values.clear();
            }
        }
        self.bounded()
    }

    /// The most frequent values of each attribute, and how many spans have the attribute at all.
    pub(super) fn finish(self) -> Block {
        let mut series = Vec::new();
        for ((selected, name), counts) in self.counts {
            let kind = if selected { "selection" } else { "baseline" };
            let nil = label::encode(&Value::text("nil"));
            let row = |kind: &str, error: Option<&str>, value: Arc<str>, counts: Vec<f64>| {
                let mut labels = LabelsBuilder::default();
                labels.set(META_TYPE, label::encode(&Value::text(kind)));
                if let Some(error) = error {
                    labels.set(META_ERROR, label::encode(&Value::text(error)));
                }
                labels.set(Arc::clone(&name), value);
                Row { labels: labels.build(), values: counts.into_iter().map(Some).collect() }
            };
            if counts.overflown {
                series.push(row(kind, Some(TOO_MANY_VALUES), Arc::clone(&nil), vec![0.0; counts.total.len()]));
            }
            let mut values: Vec<_> =
                counts.values.into_iter().map(|(value, row)| (row.iter().sum::<f64>(), value, row)).collect();
            values.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
            values.truncate(self.top);
            series.extend(values.into_iter().map(|(_, value, counts)| row(kind, None, value, counts)));
            series.push(row(&format!("{kind}_total"), None, nil, counts.total));
        }
        Block { grid: self.frame.grid, series }
    }
}
