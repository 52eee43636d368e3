use icegate_traceql::{Exemplar, MetricSeries};
use serde_json::{Value as Json, json};

use super::{About, Members, double, pairs};

/// The answer of a query over a range.
pub(crate) fn range(all: &[MetricSeries], about: &About) -> Json {
    answer(about, all.iter().map(over_time).collect())
}

/// The answer of a query for one point.
pub(crate) fn instant(all: &[MetricSeries], about: &About) -> Json {
    answer(about, all.iter().map(at_once).collect())
}

fn answer(about: &About, series: Vec<Json>) -> Json {
    let mut answer = Members::default();
    answer.set("series", Json::Array(series));
    answer.set("metrics", about.metrics());
    about.partial(&mut answer);
    answer.into()
}

fn over_time(series: &MetricSeries) -> Json {
    let mut members = Members::default();
    members.list("labels", pairs(&series.labels));
    members.list("samples", series.points.iter().map(|(time, value)| sample(*time, *value)).collect());
    members.list("exemplars", series.exemplars.iter().map(exemplar).collect());
    members.into()
}

fn at_once(series: &MetricSeries) -> Json {
    let mut members = Members::default();
    members.list("labels", pairs(&series.labels));
    if let Some((_, number)) = series.points.first() {
        value(&mut members, *number);
    }
    members.into()
}

fn sample(time: i64, number: f64) -> Json {
    let mut members = Members::default();
    members.long("timestampMs", time.div_euclid(1_000_000));
    value(&mut members, number);
    members.into()
}

fn exemplar(exemplar: &Exemplar) -> Json {
    let mut members = Members::default();
    let id = exemplar.trace_id.to_string();
    members.list("labels", vec![json!({ "key": "trace:id", "value": { "stringValue": id } })]);
    value(&mut members, exemplar.value);
    members.long("timestampMs", exemplar.time.div_euclid(1_000_000));
    members.into()
}

fn value(into: &mut Members, number: f64) {
    if number != 0.0 {
        into.set("value", double(number));
    }
}
