//! Halves that wait from one pass to the next.

use icegate_generator::{Counts, ServiceGraphs, State, generate};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind::{Client, Server};
use std::time::Duration;

use crate::series::{series, value};
use crate::written::{START, graphs, owner, part, pass, span};

const REQUESTS: &str = "traces_service_graph_request_total";
const EDGE: [(&str, &str); 2] = [("client", "shop"), ("server", "cart")];

fn seconds(seconds: u64) -> icegate_model::Timestamp {
    START + Duration::from_secs(seconds)
}

#[test]
fn halves_of_different_passes_find_each_other_within_the_wait() {
    let options = graphs(ServiceGraphs::default());
    let first = pass(&options, &State::default(), &[span("shop", Client, 1, 8).with("peer.service", "cart")], START);
    assert!(first.batches.is_empty());
    assert_eq!(first.counts, Counts { spans: 1, waiting: 1, ..Counts::default() });
    // As it is stored.
    let state = State::from_json(&first.state.to_json().unwrap()).unwrap();
    assert_eq!(state.expires(&options), Some(seconds(10)));
    let second = pass(&options, &state, &[], seconds(9));
    assert_eq!((second.counts.waiting, second.batches.len()), (1, 0));
    // Found in the very pass in which the wait ends.
    let third = pass(&options, &second.state, &[span("cart", Server, 2, 1)], seconds(10));
    assert_eq!(third.counts, Counts { spans: 1, edges: 1, ..Counts::default() });
    assert_eq!(value(&series(&third.batches), REQUESTS, &EDGE), 1.0);
}

#[test]
fn a_half_that_comes_after_the_wait_is_no_edge() {
    let options = graphs(ServiceGraphs::default());
    let first = pass(&options, &State::default(), &[span("shop", Client, 1, 8)], START);
    let second = pass(&options, &first.state, &[], seconds(10));
    assert_eq!(second.counts, Counts { expired: 1, ..Counts::default() });
    let third = pass(&options, &second.state, &[span("cart", Server, 2, 1)], seconds(11));
    assert_eq!(third.counts, Counts { spans: 1, waiting: 1, ..Counts::default() });
    let fourth = pass(&options, &third.state, &[], seconds(21));
    assert_eq!((fourth.counts, fourth.batches.len()), (Counts { expired: 1, ..Counts::default() }, 0));
}

#[test]
fn nothing_expires_while_spans_that_came_are_not_all_counted() {
    let options = graphs(ServiceGraphs::default());
    let first = pass(&options, &State::default(), &[span("shop", Client, 1, 8)], START);
    let busy = generate(&[], &first.state, &options, seconds(600), false).unwrap();
    assert_eq!(busy.counts, Counts { waiting: 1, ..Counts::default() });
    let found = pass(&options, &busy.state, &[span("cart", Server, 2, 1)], seconds(601));
    assert_eq!(found.counts.edges, 1);
}

#[test]
fn a_bound_gives_up_the_halves_that_came_last_and_counts_them() {
    let options = graphs(ServiceGraphs { max_items: 2, ..ServiceGraphs::default() });
    let clients = [1, 2, 3, 4].map(|id| span("shop", Client, id, 8));
    let first = pass(&options, &State::default(), &clients, START);
    assert_eq!(first.counts, Counts { spans: 4, waiting: 2, dropped: 2, ..Counts::default() });
    let servers = [1, 2, 3, 4].map(|id| span("cart", Server, id + 10, id));
    let second = pass(&options, &first.state, &servers, seconds(1));
    assert_eq!(second.counts, Counts { spans: 4, edges: 2, waiting: 2, ..Counts::default() });
    // Each account has a bound of its own.
    let owners = [owner("a", None), owner("a", Some("x")), owner("b", None)];
    let parts = owners.each_ref().map(|owner| part(owner, &clients));
    let generated = generate(&parts, &State::default(), &options, START, true).unwrap();
    assert_eq!((generated.counts.waiting, generated.counts.dropped), (6, 6));
}

#[test]
fn halves_of_different_tenants_and_accounts_never_meet() {
    let options = graphs(ServiceGraphs::default());
    let owners = [owner("a", None), owner("a", Some("x")), owner("b", None)];
    let first: Vec<_> = owners.iter().map(|owner| part(owner, &[span("shop", Client, 1, 8)])).collect();
    let waiting = generate(&first[..1], &State::default(), &options, START, true).unwrap().state;
    for other in &owners[1..] {
        let server = part(other, &[span("cart", Server, 2, 1)]);
        let generated = generate(&[server], &waiting, &options, seconds(1), true).unwrap();
        assert_eq!((generated.counts.edges, generated.counts.waiting), (0, 2));
    }
}

#[test]
fn what_waits_for_a_tenant_that_is_off_is_forgotten() {
    let first = pass(&graphs(ServiceGraphs::default()), &State::default(), &[span("shop", Client, 1, 8)], START);
    let off = icegate_generator::Options::default();
    assert!(pass(&off, &first.state, &[], seconds(1)).state.halves().is_empty());
    assert_eq!(first.state.expires(&off), None);
}
