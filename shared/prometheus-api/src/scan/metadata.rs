//! Which metrics there are.

use std::collections::HashSet;

use arrow::array::Array;
use icegate_engine::Opened;
use icegate_model::{Table, TimeRange};
use icegate_promql::PromqlError;
use icegate_schema::columns;

use super::columns::{boolean, text, text_at};
use super::condition::frame;
use super::gather::{Asked, read, storage};
use crate::translate::{self, Kind, Metric, Translation};

/// Bytes that a metric takes beside its texts.
const METRIC_BYTES: usize = 128;

/// A metric, as it was described.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MetricText {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) kind: Kind,
    pub(crate) description: String,
    /// The type that a remote write says; empty for OTLP.
    pub(crate) written: String,
}

impl MetricText {
    /// Its name in Prometheus.
    pub(crate) fn translated(&self, translation: &Translation) -> Option<String> {
        translate::name(translation, &self.metric())
    }

    fn metric(&self) -> Metric<'_> {
        Metric { name: &self.name, unit: &self.unit, kind: self.kind, written: &self.written }
    }

    /// What is added to its name for each of its series.
    pub(super) fn endings(&self, translation: &Translation) -> &'static [&'static str] {
        if self.metric().is_written() { &[""] } else { self.kind.endings(translation.histograms_to_nhcb) }
    }

    /// Name, type and unit as Prometheus describes the family that it belongs to; `None` where nothing is said of it.
    pub(crate) fn family(&self, translation: &Translation) -> Option<(String, String, String)> {
        if !self.metric().is_written() {
            return Some((self.translated(translation)?, self.kind.prometheus().to_owned(), translate::unit(&self.unit)));
        }
        let endings: &[&str] = match self.written.as_str() {
            "histogram" => &["_bucket", "_count", "_sum"],
            "gaugehistogram" => &["_bucket", "_gcount", "_gsum"],
            "summary" => &["_count", "_sum"],
            "unknown" if self.unit.is_empty() && self.description.is_empty() => return None,
            _ => &[],
        };
        let name = endings.iter().find_map(|ending| self.name.strip_suffix(ending)).unwrap_or(&self.name);
        Some((name.to_owned(), self.written.clone(), self.unit.clone()))
    }
}

/// All metrics of a tenant.
pub(crate) async fn metadata(asked: Asked<'_>, warnings: &mut Vec<String>) -> Result<Vec<MetricText>, PromqlError> {
    let opened = asked.engine.open(Table::Metrics, asked.tenant, TimeRange::ALL).await.map_err(storage)?;
    warnings.extend(opened.report.warnings());
    texts(asked, &opened, TimeRange::ALL, true).await
}

/// The metrics that have points in a range, each description once where they are wanted.
pub(super) async fn texts(
    asked: Asked<'_>,
    opened: &Opened,
    range: TimeRange,
    with_descriptions: bool,
) -> Result<Vec<MetricText>, PromqlError> {
    let mut wanted =
        vec![columns::METRIC_NAME, columns::METRIC_TYPE, columns::UNIT, columns::IS_MONOTONIC, columns::PROMETHEUS_TYPE];
    if with_descriptions {
        wanted.push(columns::DESCRIPTION);
    }
    let rows = frame(opened, range, &wanted).and_then(|frame| Ok(frame.distinct()?)).map_err(storage)?;
    let (mut found, mut bytes) = (HashSet::new(), 0);
    read(asked, rows, |batch| {
        let column = |name| text(batch, name).map_err(storage);
        let (names, types, units) = (column(columns::METRIC_NAME)?, column(columns::METRIC_TYPE)?, column(columns::UNIT)?);
        let descriptions = if with_descriptions { Some(column(columns::DESCRIPTION)?) } else { None };
        let written = column(columns::PROMETHEUS_TYPE)?;
        let monotonic = boolean(batch, columns::IS_MONOTONIC).map_err(storage)?;
        for row in 0..batch.num_rows() {
            let is_monotonic = monotonic.is_valid(row) && monotonic.value(row);
            let Some(kind) = Kind::of(text_at(types, row), is_monotonic) else { continue };
            let description = descriptions.map_or("", |column| text_at(column, row)).to_owned();
            let (name, unit) = (text_at(names, row).to_owned(), text_at(units, row).to_owned());
            let metric = MetricText { name, unit, kind, description, written: text_at(written, row).to_owned() };
            bytes += METRIC_BYTES + metric.name.len() + metric.unit.len() + metric.description.len();
            if bytes > asked.limits.bytes {
                return Err(PromqlError::TooManyBytes { limit: asked.limits.bytes });
            }
            found.insert(metric);
        }
        Ok(())
    })
    .await?;
    Ok(found.into_iter().collect())
}
