//! Exemplars of series.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, ListArray, RecordBatch, StructArray};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
use icegate_model::Table;
use icegate_promql::{Matcher, PromqlError};
use icegate_schema::columns;
use icegate_series::Labels;

use super::collect::Collector;
use super::columns::{Attributes, doubles, list};
use super::condition::{frame, range, services};
use super::gather::{Asked, read, storage};
use super::identity::{self, Identities};
use super::points::Part;
use crate::translate::{self, Kind, Metric, Translation};

/// How much later than its exemplars a point may be, milliseconds.
const POINT_AFTER: i64 = 3_600_000;
/// Characters that Prometheus lets an exemplar's labels have; those of OTLP's attributes are left out of a longer one.
const MAX_CHARS: usize = 128;
/// Bytes that an exemplar takes beside its texts.
const EXEMPLAR_BYTES: usize = 256;

/// One exemplar.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exemplar {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
    /// Milliseconds since the epoch.
    pub(crate) at: i64,
}

/// Exemplars by the labels of their series.
pub(crate) type Exemplars = BTreeMap<Labels, Vec<Exemplar>>;

/// Adds the exemplars from `start` to `end` of the series that fit.
pub(crate) async fn exemplars(
    asked: Asked<'_>,
    matchers: &[Matcher],
    (start, end): (i64, i64),
    found: &mut Exemplars,
    warnings: &mut Vec<String>,
) -> Result<(), PromqlError> {
    let Some(range) = range(start.saturating_sub(1), end.saturating_add(POINT_AFTER)) else { return Ok(()) };
    let opened = asked.engine.open(Table::Metrics, asked.tenant, range).await.map_err(storage)?;
    warnings.extend(opened.report.warnings());
    let wanted = [
        identity::COLUMNS.as_slice(),
        &[columns::SERVICE_NAME, columns::TIMESTAMP, columns::EXPLICIT_BOUNDS, columns::EXEMPLARS],
    ]
    .concat();
    let mut rows = frame(&opened, range, &wanted).map_err(storage)?;
    if let Some(services) = services(matchers) {
        rows = rows.filter(services).map_err(storage)?;
    }
    let mut collector = Collector::new(asked.translation, matchers, asked.limits);
    let mut bytes = 0;
    read(asked, rows, |batch| {
        of_batch(asked.translation, batch, |identities, row, key, part, exemplar| {
            if !(start..=end).contains(&exemplar.at) {
                return Ok(());
            }
            let identity = collector.identity(key, identities, row)?;
            let Some(place) = collector.place(identity, part)? else { return Ok(()) };
            bytes += EXEMPLAR_BYTES;
            if bytes > asked.limits.bytes {
                return Err(PromqlError::TooManyBytes { limit: asked.limits.bytes });
            }
            let Some(labels) = collector.labels_at(place) else { return Ok(()) };
            found.entry(labels).or_default().push(exemplar);
            Ok(())
        })
    })
    .await?;
    for exemplars in found.values_mut() {
        exemplars.sort_by(|a, b| a.at.cmp(&b.at).then(a.value.total_cmp(&b.value)).then_with(|| a.labels.cmp(&b.labels)));
        exemplars.dedup();
    }
    Ok(())
}

fn of_batch(
    translation: &Translation,
    batch: &RecordBatch,
    mut put: impl FnMut(&Identities<'_>, usize, &[u8], Part, Exemplar) -> Result<(), PromqlError>,
) -> Result<(), PromqlError> {
    let identities = Identities::of(batch).map_err(storage)?;
    let (bounds, lists) = (list(batch, columns::EXPLICIT_BOUNDS), list(batch, columns::EXEMPLARS));
    let (bounds, lists): (&ListArray, &ListArray) = (bounds.map_err(storage)?, lists.map_err(storage)?);
    let mut key = Vec::new();
    for row in (0..batch.num_rows()).filter(|row| lists.is_valid(*row)) {
        let entries = lists.value(row);
        let (Some(metric), Some(entries)) = (identities.metric(row), entries.as_struct_opt()) else { continue };
        if entries.is_empty() {
            continue;
        }
        identities.key(row, &mut key);
        let is_classic = metric.kind == Kind::Histogram && !translation.histograms_to_nhcb && !metric.is_written();
        let bounds = if is_classic { doubles(bounds, row) } else { Vec::new() };
        for exemplar in read_entries(translation, &metric, entries) {
            let bound = bounds.iter().copied().find(|bound| exemplar.value <= *bound).unwrap_or(f64::INFINITY);
            let part = if is_classic { Part::Bucket(bound.to_bits()) } else { Part::Whole };
            put(&identities, row, &key, part, exemplar)?;
        }
    }
    Ok(())
}

fn read_entries(translation: &Translation, metric: &Metric<'_>, entries: &StructArray) -> Vec<Exemplar> {
    let times =
        entries.column_by_name(columns::TIMESTAMP).and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
    let doubles = entries.column_by_name(columns::VALUE_DOUBLE).and_then(|column| column.as_primitive_opt::<Float64Type>());
    let ints = entries.column_by_name(columns::VALUE_INT).and_then(|column| column.as_primitive_opt::<Int64Type>());
    let map = entries.column_by_name(columns::ATTRIBUTES).and_then(|column| column.as_map_opt()).and_then(Attributes::new);
    let id = |name: &str, row: usize| {
        let bytes = entries.column_by_name(name).and_then(|column| column.as_binary_opt::<i32>())?;
        bytes.is_valid(row).then(|| hex::encode(bytes.value(row))).filter(|text| !text.is_empty())
    };
    let (Some(times), Some(doubles), Some(ints)) = (times, doubles, ints) else { return Vec::new() };
    let exemplar = |row: usize| {
        let ids = [("trace_id", id(columns::TRACE_ID, row)), ("span_id", id(columns::SPAN_ID, row))];
        let mut labels: BTreeMap<_, _> = ids.into_iter().filter_map(|(name, id)| Some((name.to_owned(), id?))).collect();
        let own = map.as_ref().map(|map| map.at(row).collect::<Vec<_>>()).unwrap_or_default();
        let own = translate::exemplar(translation, metric, &own);
        let chars = |labels: &BTreeMap<String, String>| -> usize {
            labels.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum()
        };
        if metric.is_written() || chars(&labels) + chars(&own) <= MAX_CHARS {
            labels.extend(own);
        }
        #[allow(clippy::cast_precision_loss, reason = "Prometheus has doubles alone")]
        let value = if doubles.is_valid(row) {
            doubles.value(row)
        } else if ints.is_valid(row) {
            ints.value(row) as f64
        } else {
            0.0
        };
        Exemplar { labels, value, at: times.value(row).div_euclid(1_000) }
    };
    (0..entries.len()).filter(|row| times.is_valid(*row)).map(exemplar).collect()
}
