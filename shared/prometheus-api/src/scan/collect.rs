//! Series as they are gathered from rows in any order.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use icegate_promql::{FloatPoint, HistogramPoint, Limits, Matcher, PromqlError, Samples, Series, Value};
use icegate_series::Labels;

use super::identity::Identities;
use super::points::{Part, When};
use crate::render::shortest;
use crate::translate::{self, Translation};

/// About how many bytes a label takes beside its texts.
const LABEL_BYTES: usize = 64;

/// Gathers the series that fit, within bounds.
pub(super) struct Collector<'a> {
    translation: &'a Translation,
    matchers: &'a [Matcher],
    limits: Limits,
    identities: HashMap<Box<[u8]>, usize>,
    known: Vec<Option<Known>>,
    places: HashMap<Labels, usize>,
    series: Vec<Gathered>,
    samples: usize,
    bytes: usize,
}

/// What is known of an identity: its name and labels, and the places of its series, `None` for those that don't fit.
struct Known {
    name: String,
    base: BTreeMap<String, String>,
    places: HashMap<Part, Option<usize>>,
}

struct Gathered {
    labels: Labels,
    floats: Vec<(FloatPoint, i64)>,
    histograms: Vec<(HistogramPoint, i64)>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(translation: &'a Translation, matchers: &'a [Matcher], limits: Limits) -> Self {
        Self {
            translation,
            matchers,
            limits,
            identities: HashMap::new(),
            known: Vec::new(),
            places: HashMap::new(),
            series: Vec::new(),
            samples: 0,
            bytes: 0,
        }
    }

    /// The number of a row's identity, whose key is given.
    pub(super) fn identity(&mut self, key: &[u8], rows: &Identities<'_>, row: usize) -> Result<usize, PromqlError> {
        if let Some(at) = self.identities.get(key) {
            return Ok(*at);
        }
        let known = rows.metric(row).and_then(|metric| {
            let name = translate::name(self.translation, &metric)?;
            let base = rows.parts(row, |parts| translate::labels(self.translation, &metric, parts));
            Some(Known { name, base, places: HashMap::new() })
        });
        self.learn(key, known)
    }

    /// The same for the resource of a row.
    pub(super) fn resource(&mut self, key: &[u8], rows: &Identities<'_>, row: usize) -> Result<usize, PromqlError> {
        if let Some(at) = self.identities.get(key) {
            return Ok(*at);
        }
        let base = translate::target_info(self.translation, &rows.resource(row));
        self.learn(key, base.map(|base| Known { name: "target_info".to_owned(), base, places: HashMap::new() }))
    }

    fn learn(&mut self, key: &[u8], known: Option<Known>) -> Result<usize, PromqlError> {
        let labels: usize =
            known.iter().flat_map(|known| &known.base).map(|(name, value)| LABEL_BYTES + name.len() + value.len()).sum();
        self.hold(0, key.len() + labels + LABEL_BYTES)?;
        self.known.push(known);
        self.identities.insert(key.into(), self.known.len() - 1);
        Ok(self.known.len() - 1)
    }

    /// Notes that a series of an identity is there; where, if it fits.
    pub(super) fn place(&mut self, identity: usize, part: Part) -> Result<Option<usize>, PromqlError> {
        let Some(Some(known)) = self.known.get_mut(identity) else { return Ok(None) };
        if let Some(place) = known.places.get(&part) {
            return Ok(*place);
        }
        let labels = labels(known, part);
        let fits = self.matchers.iter().all(|matcher| matcher.fits(labels.get(&matcher.name).unwrap_or_default()));
        let bytes: usize = labels.iter().map(|label| LABEL_BYTES + label.name.len() + label.value.len()).sum();
        let place = if fits {
            let next = self.series.len();
            let place = *self.places.entry(labels.clone()).or_insert(next);
            if place == next {
                self.series.push(Gathered { labels, floats: Vec::new(), histograms: Vec::new() });
            }
            Some(place)
        } else {
            None
        };
        known.places.insert(part, place);
        self.hold(0, LABEL_BYTES + if fits { bytes } else { 0 })?;
        Ok(place)
    }

    /// Adds a sample, if its series fits.
    pub(super) fn put(&mut self, identity: usize, part: Part, when: When, value: Value) -> Result<(), PromqlError> {
        let Some(place) = self.place(identity, part)? else { return Ok(()) };
        let Some(series) = self.series.get_mut(place) else { return Ok(()) };
        let When { at, start, ingested } = when;
        let bytes = match value {
            Value::Float(value) => {
                series.floats.push((FloatPoint { at, start, value }, ingested));
                size_of::<(FloatPoint, i64)>()
            }
            Value::Histogram(value) => {
                let bytes = size_of::<(HistogramPoint, i64)>() + value.bytes();
                series.histograms.push((HistogramPoint { at, start, value }, ingested));
                bytes
            }
        };
        self.hold(1, bytes)
    }

    fn hold(&mut self, samples: usize, bytes: usize) -> Result<(), PromqlError> {
        self.samples += samples;
        self.bytes += bytes;
        if self.samples > self.limits.samples {
            return Err(PromqlError::TooManySamples { limit: self.limits.samples });
        }
        if self.bytes > self.limits.bytes {
            return Err(PromqlError::TooManyBytes { limit: self.limits.bytes });
        }
        Ok(())
    }

    /// The labels of the series at a place.
    pub(super) fn labels_at(&self, place: usize) -> Option<Labels> {
        self.series.get(place).map(|series| series.labels.clone())
    }

    /// Labels of the series, in order.
    pub(super) fn labels(self) -> Vec<Labels> {
        let mut labels: Vec<Labels> = self.series.into_iter().map(|series| series.labels).collect();
        labels.sort_unstable();
        labels
    }

    /// How many samples are held.
    pub(super) const fn samples(&self) -> usize {
        self.samples
    }

    /// The series, in order of their labels.
    pub(super) fn series(self) -> impl Iterator<Item = Series> + Send {
        let mut series = self.series;
        series.sort_unstable_by(|a, b| a.labels.cmp(&b.labels));
        series.into_iter().map(Gathered::finish)
    }
}

impl Gathered {
    /// In order of time. Of two samples at one time the one that was taken in first stays, as in Prometheus.
    fn finish(self) -> Series {
        let Self { labels, mut floats, mut histograms } = self;
        floats.sort_by_key(|(point, ingested)| (point.at, *ingested));
        floats.dedup_by_key(|(point, _)| point.at);
        histograms.sort_by_key(|(point, ingested)| (point.at, *ingested));
        histograms.dedup_by_key(|(point, _)| point.at);
        if !floats.is_empty() {
            histograms.retain(|(point, _)| floats.binary_search_by_key(&point.at, |(float, _)| float.at).is_err());
        }
        let floats = floats.into_iter().map(|(point, _)| point).collect();
        let histograms = histograms.into_iter().map(|(point, _)| point).collect();
        Series { labels, samples: Samples { floats, histograms } }
    }
}

fn labels(known: &Known, part: Part) -> Labels {
    let (ending, extra) = match part {
        Part::Whole => ("", None),
        Part::Sum => ("_sum", None),
        Part::Count => ("_count", None),
        Part::Bucket(bits) => ("_bucket", Some(("le", bits))),
        Part::Quantile(bits) => ("", Some(("quantile", bits))),
    };
    let base = known.base.iter().map(|(name, value)| (Arc::<str>::from(name.as_str()), Arc::<str>::from(value.as_str())));
    let own = [("__name__", format!("{}{ending}", known.name))];
    let own = own.into_iter().chain(extra.map(|(name, bits)| (name, shortest(f64::from_bits(bits)))));
    Labels::from_pairs(base.chain(own.map(|(name, value)| (Arc::from(name), Arc::from(value)))))
}
