use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use super::shop::{self, Exchange, Service};
use super::{Draw, times};
use crate::send::random::{Random, Stream, index};

/// Most spans of a trace.
const MAX_TREE: u64 = 9;
/// Sampled, and known whether the parent is in another process (opentelemetry-proto's `SpanFlags`).
const FLAGS: u32 = 0x101;

/// A span before it is written: what its children need to know of it.
struct Node {
    service: &'static Service,
    pod: u64,
    span: Span,
}

/// The spans of a request: whole traces, each of several services, in the order of their numbers.
pub(super) fn generate(draw: &Draw, span: &times::Span) -> Vec<ResourceSpans> {
    let mut nodes: Vec<Node> = Vec::new();
    let end = span.numbers().end;
    let mut root = span.first;
    while root < end {
        let size = draw.stream(Stream::Tree, root).between(1, MAX_TREE + 1).min(end - root);
        nodes.extend(tree(draw, root, size, span.time(root)));
        root += size;
    }
    by_pod(nodes)
}

fn tree(draw: &Draw, root: u64, size: u64, time: u64) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    for number in root..root + size {
        let mut random = draw.stream(Stream::Record, number);
        // Mostly a child of the last span, so that trees are deep as well as wide.
        let parent = match nodes.len() as u64 {
            0 => None,
            made if random.below(2) == 0 => nodes.get(index(made - 1)),
            made => nodes.get(index(random.below(made))),
        };
        let node = node(draw, (root, number), parent, time, &mut random);
        nodes.push(node);
    }
    nodes
}

fn node(draw: &Draw, (root, number): (u64, u64), parent: Option<&Node>, time: u64, random: &mut Random) -> Node {
    let (service, pod, kind) = place(parent, random);
    let exchange = Exchange::draw(service, random);
    let (start, end) = inside(parent, time, exchange.micros * 1_000, random);
    let failed = exchange.status >= 500;
    let mut attributes = match kind {
        SpanKind::Server => exchange.attributes(),
        _ => vec![shop::text("peer.service", service.peer), shop::text("user.id", exchange.user.to_string())],
    };
    attributes.push(draw.send_id(number));
    let span = Span {
        trace_id: draw.trace_id(root, number),
        span_id: draw.span_id(number),
        parent_span_id: parent.map(|parent| parent.span.span_id.clone()).unwrap_or_default(),
        flags: FLAGS,
        name: if kind == SpanKind::Server {
            format!("{} {}", exchange.method, exchange.route)
        } else {
            service.operation.to_owned()
        },
        kind: kind.into(),
        start_time_unix_nano: start,
        end_time_unix_nano: end,
        attributes,
        events: events(start, end, failed, random),
        links: links(draw, root, random),
        status: Some(status(failed, service)),
        ..Span::default()
    };
    Node { service, pod, span }
}

/// A root serves; a child is work inside of its parent's service, a call, or another service that serves.
fn place(parent: Option<&Node>, random: &mut Random) -> (&'static Service, u64, SpanKind) {
    match (parent, random.below(3)) {
        (Some(parent), 0) => (parent.service, parent.pod, SpanKind::Internal),
        (Some(parent), 1) => (parent.service, parent.pod, SpanKind::Client),
        _ => (shop::service_at(random.next()), random.next(), SpanKind::Server),
    }
}

/// Start and end: a root's as long as it took, a child's within its parent's.
fn inside(parent: Option<&Node>, time: u64, nanos: u64, random: &mut Random) -> (u64, u64) {
    let Some(parent) = parent else { return (time, time + nanos) };
    let (start, end) = (parent.span.start_time_unix_nano, parent.span.end_time_unix_nano);
    let start = start + random.below((end - start) / 2 + 1);
    (start, start + nanos.min(end - start))
}

fn events(start: u64, end: u64, failed: bool, random: &mut Random) -> Vec<Event> {
    let at = start + random.below(end - start + 1);
    let mut events = Vec::new();
    if random.below(4) == 0 {
        let attributes = vec![shop::boolean("cache.hit", random.below(2) == 0), shop::int("cache.size", 512)];
        events.push(Event { time_unix_nano: at, name: "cache lookup".to_owned(), attributes, ..Event::default() });
    }
    if failed {
        let attributes = vec![
            shop::text("exception.type", "TimeoutError"),
            shop::text("exception.message", "no answer in time"),
            shop::boolean("exception.escaped", false),
        ];
        events.push(Event { time_unix_nano: end, name: "exception".to_owned(), attributes, ..Event::default() });
    }
    events
}

/// To the root of an earlier trace, as work that was queued there has one.
fn links(draw: &Draw, root: u64, random: &mut Random) -> Vec<Link> {
    if root == 0 || random.below(10) != 0 {
        return Vec::new();
    }
    let earlier = random.below(root);
    let trace_id = draw.stream(Stream::TraceId, earlier).id::<{ super::TRACE_ID }>();
    let attributes = vec![shop::text("link.kind", "follows from")];
    vec![Link { trace_id, span_id: draw.span_id(earlier), attributes, flags: FLAGS, ..Link::default() }]
}

fn status(failed: bool, service: &Service) -> Status {
    match failed {
        true => Status { code: StatusCode::Error.into(), message: format!("{} did not answer", service.peer) },
        false => Status::default(),
    }
}

/// Each pod with its spans; pods in the order in which they first come.
fn by_pod(nodes: Vec<Node>) -> Vec<ResourceSpans> {
    let mut pods: Vec<((&'static str, u64), ResourceSpans)> = Vec::new();
    for Node { service, pod, span } in nodes {
        let key = (service.name, pod % shop::PODS);
        let place = pods.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
            let scope = ScopeSpans { scope: Some(shop::scope("shop.trace")), ..ScopeSpans::default() };
            let resource = Some(shop::resource(service, pod));
            pods.push((key, ResourceSpans { resource, scope_spans: vec![scope], ..ResourceSpans::default() }));
            pods.len() - 1
        });
        if let Some(scope) = pods[place].1.scope_spans.first_mut() {
            scope.spans.push(span);
        }
    }
    pods.into_iter().map(|(_, spans)| spans).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use icegate_model::Timestamp;

    use super::*;

    fn spans(count: u64) -> Vec<Span> {
        let times = times::Times::Stepped { start: Timestamp::from_secs(1_000), step: Duration::from_millis(1) };
        let draw = Draw { seed: 1, invalid_percent: 0.0 };
        generate(&draw, &times.of(100, count)).into_iter().flat_map(|pod| pod.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    #[test]
    fn every_child_lies_within_a_parent_of_its_trace() {
        let spans = spans(500);
        let by_id: BTreeMap<_, _> = spans.iter().map(|span| (span.span_id.clone(), span)).collect();
        assert_eq!(by_id.len(), 500);
        let mut children = 0;
        for span in spans.iter().filter(|span| !span.parent_span_id.is_empty()) {
            let parent = by_id[&span.parent_span_id];
            assert_eq!(parent.trace_id, span.trace_id);
            assert!(
                parent.start_time_unix_nano <= span.start_time_unix_nano && span.end_time_unix_nano <= parent.end_time_unix_nano
            );
            children += 1;
        }
        assert!((300..480).contains(&children), "{children}");
    }

    #[test]
    fn traces_have_events_links_and_failures() {
        let spans = spans(500);
        assert!(spans.iter().any(|span| !span.events.is_empty()));
        assert!(spans.iter().any(|span| !span.links.is_empty()));
        assert!(spans.iter().any(|span| span.status.as_ref().is_some_and(|status| status.code == 2)));
    }
}
