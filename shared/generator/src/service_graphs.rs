//! `traces_service_graph_*`: every request between two services is counted once.

use std::borrow::Cow;

use icegate_model::Timestamp;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

use crate::ServiceGraphs;
use crate::attributes::{Labels, first, label_name, text};
use crate::edge::{Edge, USER};
use crate::half::{Half, Side};
use crate::pairing::{Left, Pairing};
use crate::points::{Counters, Histograms, Interval, counter, histogram};

/// The edges of one tenant's account.
#[derive(Debug)]
pub(crate) struct Graph<'a> {
    options: &'a ServiceGraphs,
    pairing: Pairing,
    requests: Counters,
    failed: Counters,
    client: Histograms,
    server: Histograms,
    messages: Histograms,
    /// Edges that were counted.
    edges: u64,
}

impl<'a> Graph<'a> {
    /// A graph for which these halves wait already.
    pub(crate) fn new(options: &'a ServiceGraphs, waiting: impl IntoIterator<Item = Half>) -> Self {
        let mut graph = Self {
            options,
            pairing: Pairing::default(),
            requests: Counters::new(),
            failed: Counters::new(),
            client: Histograms::new(),
            server: Histograms::new(),
            messages: Histograms::new(),
            edges: 0,
        };
        for half in waiting {
            graph.pair(half);
        }
        graph
    }

    /// Takes a span in. One of a resource without `service.name` is nobody's.
    pub(crate) fn add(&mut self, resource: &[KeyValue], span: &Span, now: Timestamp) {
        let Some(service) = text(resource, "service.name") else { return };
        match SpanKind::try_from(span.kind) {
            Ok(SpanKind::Client) => {
                let half = self.half(Side::Client, (resource, &service), span, now);
                match self.database(&span.attributes) {
                    Some(database) => self.count(&Edge::to_database(half, database)),
                    None => self.pair(half),
                }
            }
            Ok(SpanKind::Producer) => self.pair(self.half(Side::Client, (resource, &service), span, now)),
            Ok(SpanKind::Server) => {
                let half = self.half(Side::Server, (resource, &service), span, now);
                if half.span.is_empty() {
                    let client = half.peer.clone().unwrap_or_else(|| USER.to_owned());
                    self.count(&Edge::from(client, half, span.span_id.clone()));
                } else {
                    self.pair(half);
                }
            }
            // A message without a parent has no sender that could be found.
            Ok(SpanKind::Consumer) if !span.parent_span_id.is_empty() => {
                self.pair(self.half(Side::Server, (resource, &service), span, now));
            }
            _ => {}
        }
    }

    fn half(&self, side: Side, (resource, service): (&[KeyValue], &str), span: &Span, now: Timestamp) -> Half {
        let kind = SpanKind::try_from(span.kind).unwrap_or(SpanKind::Unspecified);
        let code = span.status.as_ref().map_or(0, |status| status.code);
        let of_attribute = |key: &String| {
            let value = text(&span.attributes, key).or_else(|| text(resource, key))?;
            Some((label_name(key), value.into_owned()))
        };
        Half {
            side,
            trace: span.trace_id.clone(),
            span: if side == Side::Client { span.span_id.clone() } else { span.parent_span_id.clone() },
            arrived: now,
            service: service.to_owned(),
            start: span.start_time_unix_nano,
            end: span.end_time_unix_nano,
            failed: code == i32::from(StatusCode::Error),
            messaging: matches!(kind, SpanKind::Producer | SpanKind::Consumer),
            peer: first(&span.attributes, &self.options.peer_attributes).map(Cow::into_owned),
            dimensions: self.options.dimensions.iter().filter_map(of_attribute).collect::<Labels>(),
        }
    }

    /// The name of the database that a client's span calls, if it calls one.
    fn database(&self, attributes: &[KeyValue]) -> Option<String> {
        let name = first(attributes, &self.options.database_name_attributes)?;
        let peer = || text(attributes, "peer.service");
        let server = || text(attributes, "server.address");
        let address = || {
            let address = text(attributes, "network.peer.address")?;
            Some(match text(attributes, "network.peer.port") {
                Some(port) => Cow::Owned(format!("{address}:{port}")),
                None => address,
            })
        };
        Some(peer().or_else(server).or_else(address).unwrap_or(name).into_owned())
    }

    fn pair(&mut self, half: Half) {
        if let Some(edge) = self.pairing.add(half) {
            self.count(&edge);
        }
    }

    fn count(&mut self, edge: &Edge) {
        let (labels, bounds) = (edge.labels(self.options), &self.options.histogram_buckets);
        self.edges += 1;
        *self.requests.entry(labels.clone()).or_default() += 1;
        if edge.failed {
            *self.failed.entry(labels.clone()).or_default() += 1;
        }
        let measure = |series: &mut Histograms, nanos: u64| {
            series.entry(labels.clone()).or_default().add(nanos, bounds, &edge.trace, &edge.span);
        };
        measure(&mut self.client, edge.client_nanos);
        measure(&mut self.server, edge.server_nanos);
        if let Some(nanos) = edge.message_nanos.filter(|_| self.options.enable_messaging_system_latency_histogram) {
            measure(&mut self.messages, nanos);
        }
    }

    /// Ends the pass: the metrics of its edges, how many there were, and what is left.
    pub(crate) fn finish(mut self, interval: Interval, now: Timestamp, expire: bool) -> (Vec<Metric>, u64, Left) {
        let left = std::mem::take(&mut self.pairing).finish(self.options, now, expire);
        for edge in &left.edges {
            self.count(edge);
        }
        let seconds = |name: &str, description: &str, series: Histograms| {
            histogram(name, ("s", description), &self.options.histogram_buckets, series, interval)
        };
        let metrics = [
            counter("traces_service_graph_request_total", "Requests between two services", self.requests, interval),
            counter("traces_service_graph_request_failed_total", "Failed requests between two services", self.failed, interval),
            seconds("traces_service_graph_request_client_seconds", "Time of a request as its client saw it", self.client),
            seconds("traces_service_graph_request_server_seconds", "Time of a request as its server saw it", self.server),
            seconds("traces_service_graph_request_messaging_system_seconds", "Time of a message on its way", self.messages),
        ];
        (metrics.into_iter().flatten().collect(), self.edges, left)
    }
}
