//! However spans are cut into segments and passes, they add up to the same.

use icegate_generator::{Options, State, generate};
use icegate_model::Timestamp;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use proptest::prelude::*;
use std::time::Duration;

use crate::series::{Series, same, series};
use crate::written::{START, Written, both, owner, part, span};

const SERVICES: [&str; 4] = ["shop", "cart", "bill", ""];

/// Few traces and ids, so that spans meet, are doubled, and are taken by several.
fn any_span() -> impl Strategy<Value = Written> {
    let peers = prop_oneof![3 => Just(None), 1 => Just(Some(("peer.service", "bank"))), 1 => Just(Some(("db.name", "orders")))];
    let parts = (0..SERVICES.len(), 0..6_i32, 1..6_u64, 0..6_u64, 1..4_u128, any::<bool>(), 0..9000_u64, peers);
    parts.prop_map(|(service, kind, id, parent, trace, failed, millis, peer)| {
        let written =
            span(SERVICES[service], SpanKind::try_from(kind).unwrap(), id, parent).trace(trace).millis(millis % 7, millis);
        let written = if failed { written.failed() } else { written };
        peer.into_iter().fold(written, |written, (key, value)| written.with(key, value))
    })
}

/// The series of passes over segments, each a batch, and of a last pass when the wait is over.
fn sums(options: &Options, passes: &[Vec<&[Written]>]) -> Series {
    let owner = owner("t", None);
    let (mut state, mut rows, mut now) = (State::default(), Vec::new(), START);
    let mut step = |parts: &[_], now: Timestamp, expire| {
        let generated = generate(parts, &state, options, now, expire).unwrap();
        state = State::from_json(&generated.state.to_json().unwrap()).unwrap();
        rows.extend(generated.batches);
    };
    for (number, segments) in passes.iter().enumerate() {
        let parts: Vec<_> = segments.iter().filter(|spans| !spans.is_empty()).map(|spans| part(&owner, spans)).collect();
        step(&parts, now, number % 2 == 0);
        now = now + Duration::from_millis(100);
    }
    step(&[], now + Duration::from_secs(10), true);
    assert!(state.halves().is_empty());
    series(&rows)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_split_of_spans_into_segments_and_passes_adds_up_to_the_same(
        spans in prop::collection::vec(any_span(), 1..40),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..8),
    ) {
        let whole = sums(&both(), &[vec![&spans[..]]]);
        let mut cuts: Vec<_> = cuts.iter().map(|(index, pass)| (index.index(spans.len()), *pass)).collect();
        cuts.sort_unstable();
        let (mut passes, mut from) = (vec![Vec::new()], 0);
        for (to, new_pass) in cuts {
            passes.last_mut().unwrap().push(&spans[from..to]);
            from = to;
            if new_pass {
                passes.push(Vec::new());
            }
        }
        passes.last_mut().unwrap().push(&spans[from..]);
        let split = sums(&both(), &passes);
        prop_assert_eq!(same(&whole, &split), Ok(()));
    }

    #[test]
    fn every_span_is_a_call_whatever_it_is(spans in prop::collection::vec(any_span(), 1..40)) {
        let found = sums(&both(), &[vec![&spans[..]]]);
        let calls: f64 = found.iter().filter(|(labels, _)| labels["__name__"] == "traces_spanmetrics_calls_total").map(|(_, value)| value).sum();
        prop_assert_eq!(calls, f64::from(u32::try_from(spans.len()).unwrap()));
    }
}
