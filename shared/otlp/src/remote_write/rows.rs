//! Series as rows.

use icegate_schema::UNKNOWN_SERVICE;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::{Exemplar, Metric};

use super::histogram::Native;
use super::labels::{Labels, Texts};
use super::samples::{self, COUNTER, Description, GAUGE_HISTOGRAM, Sample, nanos, text};
use super::wire::{Fields, WireError};
use super::{WriteVersion, Written};
use crate::cells::Cells;
use crate::check::{Cause, Scale};
use crate::error::OtlpError;
use crate::group::{ResourceText, ScopeText};
use crate::limits::Budget;
use crate::metrics::{GAUGE, SUM, TEMPORALITIES};
use crate::points::{Points, Series};
use crate::prometheus_columns::PrometheusCells;
use crate::{Limits, Origin, Rejected, Rows};

/// The label that is a series' name.
const NAME: &str = "__name__";
/// The label that is its service, as OpenTelemetry's compatibility with Prometheus has it.
const JOB: &str = "job";
/// The fields that both protocols have in the same place.
const LABELS: u32 = 1;
const SAMPLES: u32 = 2;
/// Those of remote write 2.0 alone.
const METADATA: u32 = 5;
const CREATED: u32 = 6;

/// Gathers rows, series by series.
pub(super) struct Build<'a> {
    version: WriteVersion,
    texts: Texts<'a>,
    from: &'a Origin,
    limits: &'a Limits,
    points: Points,
    budget: Budget,
    resource: ResourceText<'static>,
    scope: ScopeText<'static>,
    written: Written,
}

/// The labels of a series by name, and what is said of it.
type Described<'a> = (Vec<(&'a str, &'a str)>, Description<'a>);

/// A series before its points.
struct Head<'a> {
    owner: Result<Described<'a>, Cause>,
    /// When counting began, where its points don't say.
    created: i64,
    samples: u64,
    histograms: u64,
    exemplars: u64,
}

/// What the points of a series have in common.
struct Owner {
    metric: Metric,
    kind: &'static str,
    attributes: Vec<KeyValue>,
    service: String,
    created: i64,
    /// Bytes that it puts into each row beside its attributes.
    bytes: usize,
}

/// How a row's value is to be understood.
#[derive(Clone, Copy)]
struct Shape {
    metric_type: &'static str,
    temporality: Option<&'static str>,
    monotonic: Option<bool>,
}

impl Shape {
    const GAUGE: Self = Self { metric_type: GAUGE, temporality: None, monotonic: None };
    const COUNTER: Self = Self { metric_type: SUM, temporality: Some(TEMPORALITIES[2]), monotonic: Some(true) };

    fn of(kind: &str) -> Self {
        if kind == COUNTER { Self::COUNTER } else { Self::GAUGE }
    }
}

impl<'a> Build<'a> {
    pub(super) fn new(version: WriteVersion, texts: Texts<'a>, from: &'a Origin, limits: &'a Limits) -> Self {
        let mut points = Points::new(0, 0);
        let resource = ResourceText::new(None, "", limits, &mut points.scratch);
        let scope = ScopeText::new(&resource, None, "", limits, &mut points.scratch);
        let (budget, written) = (Budget::new(limits), Written::default());
        Self { version, texts, from, limits, points, budget, resource, scope, written }
    }

    fn failed(&self) -> impl Fn(WireError) -> OtlpError + use<> {
        let message = self.version.message();
        move |source| OtlpError::RemoteWrite { message, source }
    }

    fn rejected(&mut self) -> &mut Rejected {
        &mut self.written.rows.rejected
    }

    /// The rows of a series.
    pub(super) fn series(&mut self, at: usize, bytes: &'a [u8]) -> Result<(), OtlpError> {
        let Head { owner, created, samples, histograms, exemplars } = self.head(bytes).map_err(self.failed())?;
        let all = samples + histograms + exemplars;
        let owner = owner.and_then(|(labels, description)| Owner::of(&labels, &description, created));
        let owner = match owner {
            Ok(_) if all == 0 && self.version == WriteVersion::V2 => Err(Cause::EmptySeries),
            owner => owner,
        };
        let owner = match owner {
            Ok(owner) => owner,
            Err(cause) => {
                self.rejected().add(all.max(1), || format!("timeseries[{at}]: {cause}"));
                return Ok(());
            }
        };
        let last = self.values(at, &owner, bytes)?;
        if exemplars > 0 { self.exemplars(at, &owner, last, bytes) } else { Ok(()) }
    }

    fn head(&self, bytes: &'a [u8]) -> Result<Head<'a>, WireError> {
        let (mut labels, mut description) = (Labels::new(self.limits), Ok(Description::default()));
        let (mut created, mut samples, mut histograms, mut exemplars) = (0, 0, 0, 0);
        for field in Fields::of("TimeSeries", bytes) {
            let field = field?;
            match (field.number, self.version) {
                (LABELS, _) => labels.add(&field, self.texts)?,
                (SAMPLES, _) => samples += 1,
                (number, version) if number == version.histograms() => histograms += 1,
                (number, version) if number == version.exemplars() => exemplars += 1,
                (METADATA, WriteVersion::V2) => description = Description::of_series(field.bytes()?, self.texts)?,
                (CREATED, WriteVersion::V2) => created = field.int()?,
                _ => {}
            }
        }
        let owner = labels.finish(self.texts).and_then(|labels| Ok((labels, description?)));
        Ok(Head { owner, created, samples, histograms, exemplars })
    }

    /// Samples and histograms; the time of the last that became a row.
    fn values(&mut self, at: usize, owner: &Owner, bytes: &[u8]) -> Result<Option<i64>, OtlpError> {
        let (version, failed) = (self.version, self.failed());
        let (mut last, mut samples, mut histograms) = (None, 0_usize, 0_usize);
        for field in Fields::of("TimeSeries", bytes) {
            let field = field.map_err(&failed)?;
            if field.number == SAMPLES {
                let sample = Sample::read(field.bytes().map_err(&failed)?).map_err(&failed)?;
                match self.sample(owner, sample)? {
                    Ok(()) => last = last.max(Some(sample.at)),
                    Err(cause) => self.rejected().add(1, || format!("timeseries[{at}].samples[{samples}]: {cause}")),
                }
                samples += 1;
            } else if field.number == version.histograms() {
                let bytes = field.bytes().map_err(&failed)?;
                match self.histogram(owner, bytes)? {
                    Ok(time) => last = last.max(Some(time)),
                    Err(cause) => self.rejected().add(1, || format!("timeseries[{at}].histograms[{histograms}]: {cause}")),
                }
                histograms += 1;
            }
        }
        Ok(last)
    }

    fn sample(&mut self, owner: &Owner, sample: Sample) -> Result<Result<(), Cause>, OtlpError> {
        let Sample { value, at, start } = sample;
        let own = PrometheusCells { kind: owner.kind, ..PrometheusCells::default() };
        let cells = Cells { value_double: Some(value), prometheus: Some(own), ..Cells::default() };
        let put = self.row(owner, Shape::of(owner.kind), (at, start), cells)?;
        self.written.samples += u64::from(put.is_ok());
        Ok(put)
    }

    fn histogram(&mut self, owner: &Owner, bytes: &[u8]) -> Result<Result<i64, Cause>, OtlpError> {
        let limit = self.limits.record_bytes;
        if bytes.len() > limit {
            return Ok(Err(Cause::TooLarge { bytes: bytes.len(), limit }));
        }
        let native = Native::read(bytes).map_err(self.failed())?;
        let (at, start) = (native.at, native.start);
        let row = match native.row(self.limits) {
            Ok(row) => row,
            Err(cause) => return Ok(Err(cause)),
        };
        let is_gauge = row.is_gauge() || owner.kind == GAUGE_HISTOGRAM;
        let temporality = Some(TEMPORALITIES[if is_gauge { 0 } else { 2 }]);
        let shape = Shape { metric_type: row.metric_type(), temporality, monotonic: None };
        let put = self.row(owner, shape, (at, start), row.cells(owner.kind))?;
        self.written.histograms += u64::from(put.is_ok());
        Ok(put.map(|()| at))
    }

    /// Each is a row without a value, at its own time.
    fn exemplars(&mut self, at: usize, owner: &Owner, last: Option<i64>, bytes: &[u8]) -> Result<(), OtlpError> {
        let (version, failed, mut number) = (self.version, self.failed(), 0_usize);
        for field in Fields::of("TimeSeries", bytes) {
            let field = field.map_err(&failed)?;
            if field.number != version.exemplars() {
                continue;
            }
            let read = samples::exemplar(field.bytes().map_err(&failed)?, self.texts, last, self.limits).map_err(&failed)?;
            let put = match read {
                Ok(exemplar) => self.exemplar(owner, exemplar)?,
                Err(cause) => Err(cause),
            };
            match put {
                Ok(()) => self.written.exemplars += 1,
                Err(cause) => self.rejected().add(1, || format!("timeseries[{at}].exemplars[{number}]: {cause}")),
            }
            number += 1;
        }
        Ok(())
    }

    fn exemplar(&mut self, owner: &Owner, exemplar: Exemplar) -> Result<Result<(), Cause>, OtlpError> {
        let own = PrometheusCells { kind: owner.kind, ..PrometheusCells::default() };
        let time = exemplar.time_unix_nano;
        let cells = Cells { time, exemplars: std::slice::from_ref(&exemplar), prometheus: Some(own), ..Cells::default() };
        self.put(owner, Shape::of(owner.kind), cells)
    }

    /// What is said of a metric apart from its series: a row without a value, at the time of ingest.
    pub(super) fn description(&mut self, at: usize, bytes: &[u8]) -> Result<(), OtlpError> {
        let read = Description::of_metric(bytes).map_err(self.failed())?;
        let put = match read {
            Ok(description) => {
                let owner = Owner::named(description.name, &[], &description, 0);
                let own = PrometheusCells { kind: owner.kind, ..PrometheusCells::default() };
                let time = u64::try_from(self.from.ingested.nanos()).unwrap_or_default();
                self.put(&owner, Shape::of(owner.kind), Cells { time, prometheus: Some(own), ..Cells::default() })?
            }
            Err(cause) => Err(cause),
        };
        if let Err(cause) = put {
            self.rejected().add(1, || format!("metadata[{at}]: {cause}"));
        }
        Ok(())
    }

    fn row(
        &mut self,
        owner: &Owner,
        shape: Shape,
        (at, start): (i64, i64),
        cells: Cells<'_>,
    ) -> Result<Result<(), Cause>, OtlpError> {
        let start = if start == 0 { owner.created } else { start };
        match nanos(at) {
            // A start that no time can be says nothing.
            Ok(time) => self.put(owner, shape, Cells { time, start: nanos(start).unwrap_or_default(), ..cells }),
            Err(cause) => Ok(Err(cause)),
        }
    }

    fn put(&mut self, owner: &Owner, shape: Shape, cells: Cells<'_>) -> Result<Result<(), Cause>, OtlpError> {
        let cells = Cells { attributes: &owner.attributes, ..cells };
        let bytes = match cells.check(Scale::new(self.limits)) {
            Ok(bytes) => bytes,
            Err(cause) => return Ok(Err(cause)),
        };
        self.budget.row(bytes, owner.bytes)?;
        let Shape { metric_type, temporality, monotonic } = shape;
        let (resource, scope, metric) = (&self.resource, &self.scope, &owner.metric);
        let service_name = owner.service.as_str();
        let series = Series { resource, service_name, scope, metric, kind: metric_type, temporality, monotonic };
        self.points.append(&series, &cells)?;
        Ok(Ok(()))
    }

    pub(super) fn finish(self) -> Result<Written, OtlpError> {
        let Self { points, from, written, .. } = self;
        let Written { rows: Rows { rejected, .. }, samples, histograms, exemplars } = written;
        Ok(Written { rows: points.finish(from, rejected)?, samples, histograms, exemplars })
    }
}

impl Owner {
    fn of(labels: &[(&str, &str)], description: &Description<'_>, created: i64) -> Result<Self, Cause> {
        let name = labels.iter().find(|(name, _)| *name == NAME).ok_or(Cause::NoMetricName)?.1;
        Ok(Self::named(name, labels, description, created))
    }

    fn named(name: &str, labels: &[(&str, &str)], description: &Description<'_>, created: i64) -> Self {
        let Description { kind, help, unit, .. } = *description;
        let service = labels.iter().find(|(name, _)| *name == JOB).map_or(UNKNOWN_SERVICE, |(_, value)| *value);
        let attributes = labels.iter().filter(|(name, _)| *name != NAME).map(|(name, value)| text(name, value)).collect();
        let (name, description, unit) = (name.to_owned(), help.to_owned(), unit.to_owned());
        let bytes = name.len() + description.len() + unit.len() + service.len();
        let metric = Metric { name, description, unit, ..Metric::default() };
        Self { metric, kind, attributes, service: service.to_owned(), created, bytes }
    }
}
