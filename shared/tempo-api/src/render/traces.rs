use icegate_traceql::{SpanMatch, SpansetMatch, TraceMatch};
use serde_json::{Map, Value as Json};

use super::{About, Members, pairs};

/// What is told of each trace that a search finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shows {
    /// What was found in it, and its services.
    Spansets,
    /// The trace alone.
    Traces,
}

/// The answer of a search.
pub(crate) fn search(found: &[TraceMatch], shows: Shows, about: &About) -> Json {
    let mut answer = Members::default();
    // The one list that is written where it is empty.
    answer.set("traces", found.iter().map(|found| trace(found, shows)).collect());
    answer.set("metrics", about.metrics());
    about.warnings(&mut answer);
    answer.into()
}

fn trace(found: &TraceMatch, shows: Shows) -> Json {
    let mut trace = Members::default();
    trace.text("traceID", &found.id.to_string());
    trace.text("rootServiceName", &found.root_service);
    trace.text("rootTraceName", &found.root_name);
    trace.long("startTimeUnixNano", found.start);
    trace.number("durationMs", u64::try_from(found.duration / 1_000_000).unwrap_or(0));
    if shows == Shows::Spansets {
        let sets: Vec<Json> = found.spansets.iter().map(spanset).collect();
        // Clients from before there were several read this one.
        if let Some(first) = sets.first() {
            trace.set("spanSet", first.clone());
        }
        trace.list("spanSets", sets);
        trace.set("serviceStats", Json::Object(services(found)));
    }
    trace.into()
}

fn services(found: &TraceMatch) -> Map<String, Json> {
    let stats = found.services.iter().map(|(service, stats)| {
        let mut members = Members::default();
        members.number("spanCount", stats.spans);
        members.number("errorCount", stats.errors);
        (service.to_string(), members.into())
    });
    stats.collect()
}

fn spanset(set: &SpansetMatch) -> Json {
    let mut members = Members::default();
    members.list("spans", set.spans.iter().map(span).collect());
    members.number("matched", set.matched as u64);
    members.list("attributes", pairs(&set.attributes));
    members.into()
}

fn span(span: &SpanMatch) -> Json {
    let mut members = Members::default();
    members.text("spanID", &span.id.to_string());
    members.text("name", span.name.as_deref().unwrap_or_default());
    members.long("startTimeUnixNano", span.start);
    members.long("durationNanos", span.duration);
    members.list("attributes", pairs(&span.attributes));
    members.into()
}
