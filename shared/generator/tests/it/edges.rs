//! `traces_service_graph_*`: which spans are an edge, and what it is called.

use icegate_generator::{ServiceGraphs, State};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind::{Client, Consumer, Internal, Producer, Server};
use std::time::Duration;

use crate::series::{Series, series, value};
use crate::written::{START, Written, graphs, pass, span};

const REQUESTS: &str = "traces_service_graph_request_total";
const FAILED: &str = "traces_service_graph_request_failed_total";

/// The series of spans, after the wait is over.
fn of(options: ServiceGraphs, spans: &[Written]) -> Series {
    let options = graphs(options);
    let first = pass(&options, &State::default(), spans, START);
    let last = pass(&options, &first.state, &[], START + Duration::from_secs(10));
    assert!(last.state.halves().is_empty());
    series(&[first.batches, last.batches].concat())
}

fn seconds(series: &Series, side: &str, labels: &[(&str, &str)]) -> f64 {
    value(series, &format!("traces_service_graph_request_{side}_seconds_sum"), labels)
}

/// How many edges there are, by the labels of the first.
fn edges(series: &Series) -> usize {
    series.keys().filter(|labels| labels["__name__"] == REQUESTS).count()
}

#[test]
fn a_client_and_the_server_whose_parent_it_is_are_an_edge_in_either_order() {
    let client = span("shop", Client, 1, 8).millis(0, 500);
    let server = span("cart", Server, 2, 1).millis(100, 300);
    let labels = [("client", "shop"), ("server", "cart")];
    for spans in [[client.clone(), server.clone()], [server, client]] {
        let found = of(ServiceGraphs::default(), &spans);
        assert_eq!((edges(&found), value(&found, REQUESTS, &labels), value(&found, FAILED, &labels)), (1, 1.0, 0.0));
        assert_eq!((seconds(&found, "client", &labels), seconds(&found, "server", &labels)), (0.5, 0.3));
        let bucket = |side: &str, le| {
            let labels = [("client", "shop"), ("server", "cart"), ("le", le)];
            value(&found, &format!("traces_service_graph_request_{side}_seconds_bucket"), &labels)
        };
        assert_eq!(["0.4", "0.8", "+Inf"].map(|le| bucket("client", le)), [0.0, 1.0, 1.0]);
        assert_eq!(["0.2", "0.4"].map(|le| bucket("server", le)), [0.0, 1.0]);
    }
}

#[test]
fn either_side_s_error_fails_the_request() {
    let (client, server) = (span("shop", Client, 1, 8), span("cart", Server, 2, 1));
    let labels = [("client", "shop"), ("server", "cart")];
    for (spans, failed) in [
        ([client.clone(), server.clone()], 0.0),
        ([client.clone().failed(), server.clone()], 1.0),
        ([client.clone(), server.clone().failed()], 1.0),
        ([client.failed(), server.failed()], 1.0),
    ] {
        assert_eq!(value(&of(ServiceGraphs::default(), &spans), FAILED, &labels), failed);
    }
}

#[test]
fn spans_of_other_traces_and_of_other_kinds_are_no_edge() {
    let client = span("shop", Client, 1, 8);
    for other in [span("cart", Server, 2, 1).trace(2), span("cart", Internal, 2, 1), span("cart", Server, 2, 3)] {
        assert!(of(ServiceGraphs::default(), &[client.clone(), other]).is_empty());
    }
}

#[test]
fn a_resource_without_a_name_is_nobody() {
    let spans = [span("", Client, 1, 8).with("peer.service", "cart"), span("", Server, 2, 0)];
    assert!(of(ServiceGraphs::default(), &spans).is_empty());
}

#[test]
fn a_message_is_an_edge_with_the_first_that_takes_it() {
    let spans = [
        span("shop", Producer, 1, 8).millis(0, 10),
        span("mail", Consumer, 2, 1).millis(60, 20),
        span("bill", Consumer, 3, 1).millis(70, 30).failed(),
    ];
    let labels = [("client", "shop"), ("server", "mail"), ("connection_type", "messaging_system")];
    let found = of(ServiceGraphs::default(), &spans);
    assert_eq!((edges(&found), value(&found, REQUESTS, &labels), value(&found, FAILED, &labels)), (1, 1.0, 0.0));
    assert_eq!(seconds(&found, "messaging_system", &labels), 0.0);
    // The same where those who take it come before it.
    let spans = [spans[1].clone(), spans[2].clone(), spans[0].clone()];
    let options = ServiceGraphs { enable_messaging_system_latency_histogram: true, ..ServiceGraphs::default() };
    let found = of(options, &spans);
    assert_eq!((edges(&found), value(&found, REQUESTS, &labels)), (1, 1.0));
    assert_eq!(seconds(&found, "messaging_system", &labels), 0.05);
    // Without a parent nobody has sent it.
    assert!(of(ServiceGraphs::default(), &[span("mail", Consumer, 2, 0)]).is_empty());
}

#[test]
fn a_call_of_a_database_is_an_edge_at_once_and_named_by_the_best_of_its_attributes() {
    let call = || span("cart", Client, 1, 8).millis(0, 250);
    for (written, server) in [
        (call().with("db.system", "postgresql"), "postgresql"),
        (call().with("db.system", "postgresql").with("db.name", "orders"), "orders"),
        (call().with("db.name", "orders").with("db.namespace", "shop"), "shop"),
        (call().with("db.name", "orders").with("network.peer.address", "10.0.0.1"), "10.0.0.1"),
        (call().with("db.name", "o").with("network.peer.address", "10.0.0.1").with("network.peer.port", "5432"), "10.0.0.1:5432"),
        (call().with("db.name", "o").with("network.peer.address", "10.0.0.1").with("server.address", "pg-0"), "pg-0"),
        (call().with("db.name", "o").with("server.address", "pg-0").with("peer.service", "postgres"), "postgres"),
    ] {
        let options = graphs(ServiceGraphs::default());
        let generated = pass(&options, &State::default(), &[written], START);
        assert!(generated.state.halves().is_empty());
        let found = series(&generated.batches);
        let labels = [("client", "cart"), ("server", server), ("connection_type", "database")];
        assert_eq!((edges(&found), value(&found, REQUESTS, &labels)), (1, 1.0), "{server}");
        assert_eq!((seconds(&found, "client", &labels), seconds(&found, "server", &labels)), (0.25, 0.25));
    }
}

#[test]
fn a_server_without_a_parent_is_called_by_a_user_or_by_whom_its_peer_attribute_names() {
    let root = || span("shop", Server, 1, 0).millis(0, 250);
    for (written, client) in [(root(), "user"), (root().with("peer.service", "partner"), "partner")] {
        let found = of(ServiceGraphs::default(), &[written.failed()]);
        let labels = [("client", client), ("server", "shop"), ("connection_type", "virtual_node")];
        assert_eq!((edges(&found), value(&found, REQUESTS, &labels), value(&found, FAILED, &labels)), (1, 1.0, 1.0));
        assert_eq!((seconds(&found, "client", &labels), seconds(&found, "server", &labels)), (0.0, 0.25));
    }
}

#[test]
fn a_client_whose_server_never_comes_calls_whom_its_peer_attribute_names() {
    let spans = [
        span("shop", Client, 1, 8).millis(0, 250).with("peer.service", "bank"),
        span("shop", Client, 2, 8).with("server.address", "nobody"),
        span("cart", Server, 3, 7),
    ];
    let found = of(ServiceGraphs::default(), &spans);
    let labels = [("client", "shop"), ("server", "bank"), ("connection_type", "virtual_node")];
    assert_eq!((edges(&found), value(&found, REQUESTS, &labels)), (1, 1.0));
    assert_eq!((seconds(&found, "client", &labels), seconds(&found, "server", &labels)), (0.25, 0.0));
    let peers = vec!["server.address".to_owned()];
    let found = of(ServiceGraphs { peer_attributes: peers, ..ServiceGraphs::default() }, &spans);
    assert_eq!(value(&found, REQUESTS, &[("client", "shop"), ("server", "nobody"), ("connection_type", "virtual_node")]), 1.0);
}

#[test]
fn options_add_labels() {
    let spans = [
        span("shop", Client, 1, 8).with("http.method", "GET"),
        span("cart", Server, 2, 1).with("http.method", "POST").with("user", "u"),
        span("shop", Server, 3, 0),
    ];
    let dimensions = ["http.method", "region", "user"].map(str::to_owned).to_vec();
    let options = ServiceGraphs { dimensions, enable_virtual_node_label: true, ..ServiceGraphs::default() };
    let plain = [("client", "shop"), ("server", "cart"), ("http_method", "GET"), ("region", "of shop"), ("user", "u")];
    let found = of(options.clone(), &spans);
    assert_eq!(value(&found, REQUESTS, &plain), 1.0);
    let root = [("client", "user"), ("server", "shop"), ("connection_type", "virtual_node"), ("virtual_node", "client")];
    let root: Vec<_> = root.into_iter().chain([("region", "of shop")]).collect();
    assert_eq!(value(&found, REQUESTS, &root), 1.0);
    let prefixed = [
        ("client", "shop"),
        ("server", "cart"),
        ("client_http_method", "GET"),
        ("client_region", "of shop"),
        ("server_http_method", "POST"),
        ("server_region", "of cart"),
        ("server_user", "u"),
    ];
    let found = of(ServiceGraphs { enable_client_server_prefix: true, ..options }, &spans);
    assert_eq!(value(&found, REQUESTS, &prefixed), 1.0);
}
