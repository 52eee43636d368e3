use std::collections::HashMap;
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
    /// By scope, where there is none of intrinsics, and key.
    counted: [HashMap<Arc<str>, Counted>; 3],
    cells: usize,
    value: String,
}

/// Where attributes come from, in the order of [`Comparison::counted`].
const SOURCES: [Option<Scope>; 3] = [Some(Scope::Resource), Some(Scope::Span), None];

/// One attribute.
#[derive(Clone, Debug)]
struct Counted {
    /// As queries write it.
    name: Arc<str>,
    /// Of spans that aren't selected, and of those that are.
    sides: [Counts; 2],
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
            counted: Default::default(),
            cells: 0,
            value: String::new(),
        })
    }

    pub(super) fn add(&mut self, subject: Subject<'_>) -> Result<(), TraceqlError> {
        let span = subject.span;
        let Some(point) = self.frame.point(span.start) else { return Ok(()) };
        let in_range = self.range.is_none_or(|(start, end)| (start..end).contains(&span.start));
        let selected = in_range && self.selection.holds(subject)?;
        for (source, attributes) in [&*span.resource, &span.attributes].into_iter().enumerate() {
            for (key, value) in attributes.iter() {
                self.count(source, key, value, selected, point);
            }
        }
        for intrinsic in INTRINSICS {
            let value = subject.get(&Field::Intrinsic(intrinsic, false));
            if *value != Value::text("") && !value.is_nil() {
                self.count(2, &Arc::from(intrinsic.name(false)), &value, selected, point);
            }
        }
        self.bounded()
    }

    fn count(&mut self, source: usize, key: &Arc<str>, value: &Value, selected: bool, point: usize) {
        let mut text = std::mem::take(&mut self.value);
        text.clear();
        label::encode_into(&mut text, value);
        let points = self.frame.grid.len();
        let (most, cells) = (self.limits.compared_values, &mut self.cells);
        let counts = side(&mut self.counted, source, key, selected);
        counts.total.resize_with(points, || {
            *cells += 1;
            0.0
        });
        counts.total[point] += 1.0;
        if let Some(row) = counts.row(&text, points, most, cells) {
            row[point] += 1.0;
        }
        self.value = text;
    }

    fn bounded(&self) -> Result<(), TraceqlError> {
        if self.cells > self.limits.cells {
            return Err(TraceqlError::TooManyCells { limit: self.limits.cells });
        }
        Ok(())
    }

    pub(super) fn merge(&mut self, other: Self) -> Result<(), TraceqlError> {
        let (points, most) = (self.frame.grid.len(), self.limits.compared_values);
        for (source, all) in other.counted.into_iter().enumerate() {
            for (key, counted) in all {
                for (selected, counts) in [false, true].into_iter().zip(counted.sides) {
                    side(&mut self.counted, source, &key, selected).merge(counts, points, most, &mut self.cells);
                }
            }
        }
        self.bounded()
    }

    /// The most frequent values of each attribute, and how many spans have the attribute at all.
    pub(super) fn finish(self) -> Block {
        let mut series = Vec::new();
        let of_key = |(_, counted): (Arc<str>, Counted)| {
            let [others, selected] = counted.sides;
            [("baseline", others), ("selection", selected)].map(|(kind, counts)| (kind, Arc::clone(&counted.name), counts))
        };
        let all = self.counted.into_iter().flatten().flat_map(of_key);
        for (kind, name, counts) in all.filter(|(_, _, counts)| !counts.total.is_empty()) {
            counts.tell(kind, &name, self.top, &mut series);
        }
        Block { grid: self.frame.grid, series }
    }
}

/// What is counted of an attribute of selected spans, or of the others.
fn side<'a>(counted: &'a mut [HashMap<Arc<str>, Counted>; 3], source: usize, key: &Arc<str>, selected: bool) -> &'a mut Counts {
    let new = || {
        let name = match SOURCES[source] {
            Some(scope) => Field::attribute(Some(scope), &**key).to_string().into(),
            None => Arc::clone(key),
        };
        Counted { name, sides: Default::default() }
    };
    &mut counted[source].entry(Arc::clone(key)).or_insert_with(new).sides[usize::from(selected)]
}

impl Counts {
    /// The counts of a value; nothing where there are too many values.
    fn row(&mut self, value: &str, points: usize, most: usize, cells: &mut usize) -> Option<&mut Vec<f64>> {
        if self.overflown {
            return None;
        }
        if !self.values.contains_key(value) {
            if self.values.len() >= most {
                self.overflow(points, cells);
                return None;
            }
            *cells += points;
            self.values.insert(value.into(), vec![0.0; points]);
        }
        self.values.get_mut(value)
    }

    fn overflow(&mut self, points: usize, cells: &mut usize) {
        *cells -= points * self.values.len();
        (self.overflown, self.values) = (true, HashMap::new());
    }

    fn merge(&mut self, other: Self, points: usize, most: usize, cells: &mut usize) {
        if self.total.is_empty() && !other.total.is_empty() {
            *cells += points;
            self.total = vec![0.0; points];
        }
        self.total.iter_mut().zip(other.total).for_each(|(mine, other)| *mine += other);
        if other.overflown {
            self.overflow(points, cells);
        }
        for (value, counts) in other.values {
            if let Some(row) = self.row(&value, points, most, cells) {
                row.iter_mut().zip(counts).for_each(|(mine, other)| *mine += other);
            }
        }
    }

    /// Adds the series of the most frequent values, and that of all.
    fn tell(self, kind: &str, name: &Arc<str>, top: usize, series: &mut Vec<Row>) {
        let nil = label::encode(&Value::Nil);
        let row = |kind: &str, error: Option<&str>, value: Arc<str>, counts: Vec<f64>| {
            let mut labels = LabelsBuilder::default();
            labels.set(META_TYPE, label::encode(&Value::text(kind)));
            if let Some(error) = error {
                labels.set(META_ERROR, label::encode(&Value::text(error)));
            }
            labels.set(Arc::clone(name), value);
            Row { labels: labels.build(), values: counts.into_iter().map(Some).collect() }
        };
        if self.overflown {
            series.push(row(kind, Some(TOO_MANY_VALUES), Arc::clone(&nil), vec![0.0; self.total.len()]));
        }
        let mut values: Vec<_> = self.values.into_iter().map(|(value, row)| (row.iter().sum::<f64>(), value, row)).collect();
        values.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        values.truncate(top);
        series.extend(values.into_iter().map(|(_, value, counts)| row(kind, None, value, counts)));
        series.push(row(&format!("{kind}_total"), None, nil, self.total));
    }
}
