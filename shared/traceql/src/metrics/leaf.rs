use std::collections::HashMap;

use icegate_series::{Block, Labels, Measure, Row, Windows};

use super::compare::Comparison;
use super::exemplars::{Exemplars, raised};
use super::frame::Frame;
use super::label::Grouped;
use super::{Exemplar, MetricsLimits, MetricsOptions, label, log2, weight};
use crate::ast::{MetricsFunction, MetricsQuery};
use crate::eval::{Pipeline, Subject};
use crate::plan::{self, Needs, Plan};
use crate::{Trace, TraceqlError, Value};

/// The label of a bucket of a histogram.
const BUCKET: &str = "__bucket";
/// The label of a quantile.
const QUANTILE: &str = "p";

/// One function over a pipeline, under way.
#[derive(Debug)]
pub(super) struct Leaf {
    pipeline: Pipeline,
    plan: Plan,
    function: MetricsFunction,
    grouped: Grouped,
    /// Series by what tells them apart, so that their labels are made once.
    known: HashMap<Box<str>, (Labels, usize)>,
    key: String,
    frame: Frame,
    limits: MetricsLimits,
    extrapolates: bool,
    windows: Windows,
    compared: Option<Comparison>,
    exemplars: Exemplars,
}

/// What a leaf answers.
pub(super) struct Answer {
    pub(super) block: Block,
    pub(super) exemplars: Vec<(Labels, Vec<Exemplar>)>,
}

impl Leaf {
    pub(super) fn new(
        leaf: &MetricsQuery,
        frame: Frame,
        options: &MetricsOptions,
        extrapolates: bool,
    ) -> Result<Self, TraceqlError> {
        let (function, by) = (&leaf.function, &leaf.by);
        check(function, by.len())?;
        let compared = match function {
            MetricsFunction::Compare(compare) => Some(Comparison::new(compare, frame, options.limits)?),
            _ => None,
        };
        Ok(Self {
            pipeline: Pipeline::new(&leaf.pipeline)?,
            plan: plan::of_metrics(leaf),
            function: function.clone(),
            grouped: Grouped::new(by, ungrouped(function)),
            known: HashMap::new(),
            key: String::new(),
            frame,
            limits: options.limits,
            extrapolates,
            windows: Windows::new(frame.grid, frame.width, 0, measure(function)),
            compared,
            exemplars: Exemplars::new(options.exemplars),
        })
    }

    pub(super) const fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(super) fn add(&mut self, trace: &Trace) -> Result<(), TraceqlError> {
        for spanset in self.pipeline.run(trace)? {
            for index in spanset.spans {
                if let Some(subject) = Subject::of(trace, index) {
                    self.observe(subject)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn add_span(&mut self, subject: Subject<'_>) -> Result<(), TraceqlError> {
        if self.plan.needs != Needs::Spans || self.plan.facts && !subject.has_facts() {
            return Err(TraceqlError::NeedsTraces);
        }
        match self.pipeline.keeps(subject)? {
            Some(true) => self.observe(subject),
            Some(false) => Ok(()),
            None => Err(TraceqlError::NeedsTraces),
        }
    }

    fn observe(&mut self, subject: Subject<'_>) -> Result<(), TraceqlError> {
        if self.frame.point(subject.span.start).is_none() {
            return Ok(());
        }
        if let Some(compared) = &mut self.compared {
            return compared.add(subject);
        }
        let weight = if self.extrapolates { weight::of(&subject.span.trace_state) } else { 1.0 };
        let Some((amount, measured, bucket)) = self.measured(subject, weight) else { return Ok(()) };
        let series = self.series(subject, bucket);
        self.windows.add(series, subject.span.start, amount);
        if self.exemplars.are_wanted()
            && let Some((labels, _)) = self.known.get(&*self.key)
        {
            let exemplar = Exemplar { trace_id: subject.trace_id(), time: subject.span.start, value: measured };
            self.exemplars.add(labels, &self.frame, exemplar);
        }
        self.bounded()
    }

    /// The series of a span, which `key` tells apart from then on.
    fn series(&mut self, subject: Subject<'_>, bucket: Option<f64>) -> usize {
        self.key.clear();
        self.grouped.key(subject, &mut self.key);
        if let Some(bound) = bucket {
            label::encode_into(&mut self.key, &Value::Float(bound));
        }
        if let Some((_, series)) = self.known.get(&*self.key) {
            return *series;
        }
        let mut labels = self.grouped.labels(subject);
        if let Some(bound) = bucket {
            labels = label::with(&labels, BUCKET, &Value::Float(bound));
        }
        let series = self.windows.series(labels.clone());
        self.known.insert(self.key.as_str().into(), (labels, series));
        series
    }

    /// What is added to the series, what was measured, and in which bucket it is. Nothing where the span has no number.
    fn measured(&self, subject: Subject<'_>, weight: f64) -> Option<(f64, f64, Option<f64>)> {
        let Some(field) = self.function.field() else { return Some((weight, 1.0, None)) };
        let value = subject.get_first(field);
        let scale = if matches!(*value, Value::Duration(_)) { 1e9 } else { 1.0 };
        let number = value.number()? / scale;
        if matches!(self.function, MetricsFunction::QuantileOverTime(..) | MetricsFunction::HistogramOverTime(_)) {
            let exponent = log2::exponent(value.whole()?)?;
            return Some((weight, number, Some(f64::from(exponent).exp2() / scale)));
        }
        Some((number, number, None))
    }

    fn bounded(&self) -> Result<(), TraceqlError> {
        if self.windows.len() > self.limits.series {
            return Err(TraceqlError::TooManySeries { limit: self.limits.series });
        }
        if self.windows.held() > self.limits.cells {
            return Err(TraceqlError::TooManyCells { limit: self.limits.cells });
        }
        Ok(())
    }

    pub(super) fn merge(&mut self, other: Self) -> Result<(), TraceqlError> {
        self.windows.merge(other.windows);
        self.exemplars.merge(other.exemplars, &self.frame);
        if let (Some(mine), Some(other)) = (&mut self.compared, other.compared) {
            mine.merge(other)?;
        }
        self.bounded()
    }

    pub(super) fn finish(self) -> Answer {
        let Self { function, grouped, frame, windows, compared, exemplars, .. } = self;
        if let Some(compared) = compared {
            return Answer { block: compared.finish(), exemplars: Vec::new() };
        }
        let mut block = windows.finish(|value| value);
        match &function {
            MetricsFunction::Rate | MetricsFunction::CountOverTime => {
                if block.series.is_empty() && grouped.is_by_nothing() {
                    let labels = grouped.otherwise().clone();
                    block.series.push(Row { labels, values: vec![None; frame.grid.len()] });
                }
                let seconds = if matches!(function, MetricsFunction::Rate) { frame.seconds } else { 1.0 };
                let filled = zero_filled(block, seconds);
                let raise = |row: &Row| (row.labels.clone(), raised(exemplars.of(&row.labels), row, &frame));
                let exemplars = filled.series.iter().map(raise).collect();
                Answer { block: filled, exemplars }
            }
            MetricsFunction::HistogramOverTime(_) => told(zero_filled(block, 1.0), &exemplars),
            MetricsFunction::QuantileOverTime(_, quantiles) => of_quantiles(&block, quantiles, &exemplars),
            _ => told(block, &exemplars),
        }
    }
}

/// Functions whose series have labels of their own say no name.
fn ungrouped(function: &MetricsFunction) -> Labels {
    match function {
        MetricsFunction::QuantileOverTime(..) | MetricsFunction::HistogramOverTime(_) => Labels::empty(),
        _ => label::one(label::NAME, &Value::text(function.name())),
    }
}

fn check(function: &MetricsFunction, labels: usize) -> Result<(), TraceqlError> {
    let limit = match function {
        MetricsFunction::QuantileOverTime(..) | MetricsFunction::HistogramOverTime(_) | MetricsFunction::AvgOverTime(_) => 4,
        _ => 5,
    };
    if labels > limit {
        return Err(TraceqlError::TooManyGroups { labels, limit });
    }
    let MetricsFunction::QuantileOverTime(_, quantiles) = function else { return Ok(()) };
    match quantiles.iter().find(|quantile| !(0.0..=1.0).contains(*quantile)) {
        Some(quantile) => Err(TraceqlError::Quantile { quantile: quantile.to_string() }),
        None => Ok(()),
    }
}

const fn measure(function: &MetricsFunction) -> Measure {
    match function {
        MetricsFunction::MinOverTime(_) => Measure::Min,
        MetricsFunction::MaxOverTime(_) => Measure::Max,
        MetricsFunction::AvgOverTime(_) => Measure::Avg,
        _ => Measure::Sum,
    }
}

fn zero_filled(mut block: Block, divisor: f64) -> Block {
    for cell in block.series.iter_mut().flat_map(|row| &mut row.values) {
        *cell = Some(cell.unwrap_or_default() / divisor);
    }
    block
}

fn told(block: Block, exemplars: &Exemplars) -> Answer {
    let exemplars = block.series.iter().map(|row| (row.labels.clone(), exemplars.of(&row.labels))).collect();
    Answer { block, exemplars }
}

/// One series of each quantile for the buckets of each group.
fn of_quantiles(block: &Block, quantiles: &[f64], exemplars: &Exemplars) -> Answer {
    let mut groups: std::collections::BTreeMap<Labels, Vec<(f64, &Row)>> = std::collections::BTreeMap::new();
    for row in &block.series {
        let bound = row.labels.get(BUCKET).and_then(|bound| label::decode(bound).number()).unwrap_or_default();
        groups.entry(row.labels.filtered(&[BUCKET.to_owned()], false)).or_default().push((bound, row));
    }
    let mut answer = Answer { block: Block::empty(block.grid), exemplars: Vec::new() };
    for (group, mut buckets) in groups {
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        let of_point = |point: usize| -> Vec<(f64, f64)> {
            buckets.iter().map(|(bound, row)| (*bound, row.values.get(point).copied().flatten().unwrap_or_default())).collect()
        };
        let points: Vec<_> = (0..block.grid.len()).map(of_point).collect();
        for quantile in quantiles {
            let labels = label::with(&group, QUANTILE, &Value::Float(*quantile));
            let values = points.iter().map(|buckets| Some(log2::quantile(*quantile, buckets))).collect();
            answer.exemplars.push((labels.clone(), buckets.iter().flat_map(|(_, row)| exemplars.of(&row.labels)).collect()));
            answer.block.series.push(Row { labels, values });
        }
    }
    answer
}
