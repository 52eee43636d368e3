use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::Response;
use icegate_http::Params;
use icegate_logql::ast::Selector;
use icegate_logql::{Answer, Labels, LabelsBuilder, Sample, Series, StreamVolume, volumes};
use icegate_model::{TimeRange, Timestamp};

use crate::call::Call;
use crate::config::{DEFAULT_LIMIT, MAX_ANSWER_BYTES, MAX_VOLUME_SERIES};
use crate::labels::selector;
use crate::render::{self, Stats};
use crate::run::run;
use crate::state::Shared;
use crate::{LokiError, params};

/// `/loki/api/v1/index/volume`: bytes of lines by label, the most first.
pub(crate) async fn index_volume(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, LokiError> {
    let range = params::range(&call.params, &state)?;
    answer(state, call, range, None).await
}

/// `/loki/api/v1/index/volume_range`: the same in each step. Steps are multiples of their length; a value stands at the last
/// millisecond of its step, the last one at the end of the range.
pub(crate) async fn index_volume_range(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, LokiError> {
    let range = params::range(&call.params, &state)?;
    let step = params::step_within(&call.params, range)?;
    answer(state, call, range, Some(step)).await
}

async fn answer(state: Arc<Shared>, call: Call, range: TimeRange, step: Option<Duration>) -> Result<Response, LokiError> {
    let since = Instant::now();
    call.params.required("query")?;
    let asked = Arc::new((Asked::of(&call.params)?, call.encoding));
    let limits = state.limits();
    let body = run(&state, call.tenant, move |rows| {
        let asked = Arc::clone(&asked);
        async move {
            let (asked, encoding) = &*asked;
            let streams = volumes(range, step, &asked.selector, &limits, &*rows).await?;
            let groups = asked.groups(&streams);
            let answer = match step {
                Some(step) => Answer::Matrix(matrix(groups, range, step)),
                None => Answer::Vector(vector(groups, range.end())),
            };
            let stats = Stats::new(&rows.scans(), since.elapsed(), &answer);
            render::query(answer, range.end(), encoding, &stats, MAX_ANSWER_BYTES)
        }
    });
    Ok(render::json(body.await?))
}

/// Bytes of a group in each slot.
type Group = (Labels, BTreeMap<Timestamp, u64>);

/// What volumes are asked for.
struct Asked {
    selector: Selector,
    targets: Vec<String>,
    by_label: bool,
    limit: usize,
}

impl Asked {
    fn of(params: &Params) -> Result<Self, LokiError> {
        let aggregate = |text: &str| match text {
            "series" => Ok(false),
            "labels" => Ok(true),
            _ => Err("allowed are series and labels".to_owned()),
        };
        let targets = params.get("targetLabels").unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
        Ok(Self {
            selector: selector(params)?,
            targets: targets.map(str::to_owned).collect(),
            by_label: params.read("aggregateBy", aggregate)?.unwrap_or(false),
            limit: params::at_most(params, &["limit"], DEFAULT_LIMIT, MAX_VOLUME_SERIES)?,
        })
    }

    /// The largest groups, the largest first, and of equal ones by labels.
    fn groups(&self, streams: &[StreamVolume]) -> Vec<Group> {
        let mut found: HashMap<Labels, BTreeMap<Timestamp, u64>> = HashMap::new();
        for stream in streams {
            for labels in self.keys(&stream.labels) {
                let slots = found.entry(labels).or_default();
                for (slot, volume) in &stream.slots {
                    *slots.entry(*slot).or_default() += volume.bytes;
                }
            }
        }
        let mut groups: Vec<_> = found.into_iter().map(|group| (group.1.values().sum::<u64>(), group)).collect();
        groups.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.0.cmp(&b.1.0)));
        groups.truncate(self.limit);
        groups.into_iter().map(|(_, group)| group).collect()
    }

    /// The groups that a stream counts for: one of its labels that are named, or one for each label; a stream without any of them
    /// counts for none.
    fn keys(&self, stream: &Labels) -> Vec<Labels> {
        if self.by_label {
            let named = |name: &str| self.targets.is_empty() || self.targets.iter().any(|target| target == name);
            return stream.iter().filter(|label| named(&label.name)).map(|label| bare(&label.name)).collect();
        }
        let matchers = &self.selector.matchers;
        let names: Vec<_> = match self.targets.as_slice() {
            [] if matchers.is_empty() => return vec![stream.clone()],
            [] => matchers.iter().map(|matcher| matcher.name.clone()).collect(),
            targets => targets.to_vec(),
        };
        let labels = stream.filtered(&names, true);
        if labels.is_empty() && !self.targets.is_empty() { Vec::new() } else { vec![labels] }
    }
}

/// A label's name with an empty value.
fn bare(name: &Arc<str>) -> Labels {
    let mut labels = LabelsBuilder::default();
    labels.set(Arc::clone(name), "");
    labels.build_with_empty()
}

#[allow(clippy::cast_precision_loss, reason = "samples are floats")]
fn vector(groups: Vec<Group>, end: Timestamp) -> Vec<Sample> {
    let sample = |(labels, slots): Group| Sample { labels, time: end.nanos(), value: slots.values().sum::<u64>() as f64 };
    groups.into_iter().map(sample).collect()
}

#[allow(clippy::cast_precision_loss, reason = "samples are floats")]
fn matrix(groups: Vec<Group>, range: TimeRange, step: Duration) -> Vec<Series> {
    let step = i64::try_from(step.as_nanos()).unwrap_or(i64::MAX).max(1);
    let at = |slot: Timestamp| {
        let next = slot.nanos().div_euclid(step).saturating_add(1).saturating_mul(step);
        if next >= range.end().nanos() { range.end().nanos() } else { next.saturating_sub(LAST_MILLISECOND) }
    };
    let series = |(labels, slots): Group| Series {
        labels,
        points: slots.into_iter().map(|(slot, bytes)| (at(slot), bytes as f64)).collect(),
    };
    groups.into_iter().map(series).collect()
}

/// Nanoseconds from a step's last millisecond to its end.
const LAST_MILLISECOND: i64 = 1_000_000;
