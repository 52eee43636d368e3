use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use icegate_logql::{Labels, series};
use serde::Serialize;

use crate::call::Call;
use crate::config::MAX_ANSWER_BYTES;
use crate::labels::selector;
use crate::run::run;
use crate::state::Shared;
use crate::{LokiError, params, render};

/// Labels that are shown whatever their values are.
const ALWAYS: [&str; 4] = ["cluster", "namespace", "instance", "pod"];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    detected_labels: Vec<Detected>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Detected {
    label: String,
    /// How many distinct values there are.
    cardinality: usize,
}

/// `/loki/api/v1/detected_labels`: the labels of the selected streams, sorted, with the number of their values; those whose values
/// all are numbers or ids say nothing to people and are left out.
pub(crate) async fn detected_labels(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, LokiError> {
    let (range, limits) = (params::range(&call.params, &state)?, state.limits());
    let selectors = Arc::new([selector(&call.params)?]);
    let answer = run(&state, call.tenant, move |rows| {
        let selectors = Arc::clone(&selectors);
        async move {
            let streams = series(range, &*selectors, &limits, &*rows).await?;
            Ok(Answer { detected_labels: detected(&streams), warnings: rows.warnings() })
        }
    });
    Ok(render::json(render::bare(&answer.await?, MAX_ANSWER_BYTES)?))
}

fn detected(streams: &[Labels]) -> Vec<Detected> {
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for label in streams.iter().flat_map(Labels::iter) {
        values.entry(&label.name).or_default().insert(&label.value);
    }
    let is_shown = |(name, values): &(&str, BTreeSet<&str>)| ALWAYS.contains(name) || !values.iter().all(|value| is_id(value));
    let detected = |(name, values): (&str, BTreeSet<&str>)| Detected { label: name.to_owned(), cardinality: values.len() };
    values.into_iter().filter(is_shown).map(detected).collect()
}

/// Whether a value is a number or 32 hexadecimal digits, with hyphens or without, as UUIDs are.
fn is_id(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_hexdigit).count();
    value.parse::<f64>().is_ok() || digits == 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_whose_values_all_are_ids_or_numbers_are_left_out() {
        let stream = |app: &str, shard: &str, uid: &str, pod: &str| {
            Labels::from_pairs([("app", app), ("shard", shard), ("uid", uid), ("pod", pod)])
        };
        let streams = [
            stream("a", "1", "6f1c9a52-0f7e-4c2b-9a55-1f2b3c4d5e6f", "0"),
            stream("7", "2.5", "6f1c9a520f7e4c2b9a551f2b3c4d5e6f", "1"),
            stream("b", "-3", "00000000-0000-0000-0000-000000000000", "1"),
        ];
        let expected = [("app", 3), ("pod", 2)].map(|(label, cardinality)| Detected { label: label.to_owned(), cardinality });
        assert_eq!(detected(&streams), expected);
        assert_eq!(detected(&[]), []);
    }
}
