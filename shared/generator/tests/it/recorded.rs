//! What Tempo's own generator made of a thousand traces.

use icegate_generator::{Part, State, generate};
use icegate_model::Signal;
use icegate_otlp::{Encoding, Limits, Origin, decode};
use std::time::Duration;

use crate::recorded_set::recorded;
use crate::series::{same, series};
use crate::written::{START, both, owner};

#[test]
fn the_recorded_set_has_the_recorded_series() {
    let Some(recorded) = recorded() else { return };
    let owner = owner("t", None);
    let origin = Origin { tenant: owner.tenant.clone(), account: None, ingested: START };
    let mut rows = Vec::new();
    let mut state = State::default();
    for (number, requests) in recorded.requests.chunks(7).enumerate() {
        let parts = requests.iter().map(|request| {
            let rows = decode(Signal::Traces, Encoding::Json, request.as_bytes(), &origin, &Limits::default()).unwrap();
            Part { owner: owner.clone(), rows: rows.batches.into_iter().next().unwrap().1 }
        });
        let now = START + Duration::from_millis(number as u64);
        let generated = generate(&parts.collect::<Vec<_>>(), &state, &both(), now, true).unwrap();
        rows.extend(generated.batches);
        state = generated.state;
    }
    let last = generate(&[], &state, &both(), START + Duration::from_secs(11), true).unwrap();
    rows.extend(last.batches);
    let found = series(&rows);
    assert_eq!(found.len(), 3305);
    assert_eq!(same(&found, &recorded.series), Ok(()));
    let calls = found.iter().filter(|(labels, _)| labels["__name__"] == "traces_spanmetrics_calls_total");
    assert_eq!(calls.map(|(_, value)| value).sum::<f64>(), 9017.0);
}
