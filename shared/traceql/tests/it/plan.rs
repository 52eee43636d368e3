//! What is pushed down and read: `tests/plan/*.test`, and that it leaves nothing out.

use std::collections::BTreeSet;

use icegate_traceql::ast::{Expr, Pipeline, Query, SpansetExpr, Stage};
use icegate_traceql::{Needs, Predicate, Search, SearchOptions, SpanId, Test, Trace, TraceId, TraceqlError, parse, plan};

#[test]
fn scripts_state_what_is_pushed_down_and_read() {
    let text = include_str!("../plan/pushdown.test");
    let mut failures = Vec::new();
    let mut lines = text.lines().filter(|line| !line.starts_with('#')).peekable();
    while let Some(line) = lines.next() {
        let Some(query) = line.strip_prefix("plan ") else {
            assert!(line.is_empty(), "unknown verb in {line:?}");
            continue;
        };
        let block: Vec<_> = std::iter::from_fn(|| lines.next_if(|next| next.starts_with("  "))).map(|line| &line[2..]).collect();
        let plans = plan(&parse(query).unwrap_or_else(|error| panic!("{}", error.render(query))));
        let found: Vec<_> =
            plans.iter().flat_map(|plan| plan.to_string().lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        if found != block {
            failures.push(format!("{query}\n  expected\n    {}\n  found\n    {}", block.join("\n    "), found.join("\n    ")));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A span of a trace.
type Found = (TraceId, SpanId);

/// Each span of an answer fits what is pushed down, exactly those where it says so, and each trace has the spans that it has to have.
pub(crate) fn check_soundness(query: &Query, traces: &[Trace]) {
    let Expr::Search(_) = &query.expr else { return };
    let Ok(found) = spans(query, traces) else { return };
    let plan = &plan(query)[0];
    let pushed = fitting(&plan.spans, traces);
    assert!(found.is_subset(&pushed), "{query}: {plan} leaves out spans of the answer");
    if plan.needs == Needs::Spans && plan.exact {
        assert_eq!(pushed, found, "{query}: {plan} isn't exact");
    }
    let answered = |found: &BTreeSet<Found>| found.iter().map(|(trace, _)| *trace).collect::<BTreeSet<_>>();
    for predicate in &plan.traces {
        let held = answered(&fitting(predicate, traces));
        assert!(answered(&found).is_subset(&held), "{query}: {predicate} leaves out a trace of the answer");
    }
}

/// The spans that fit: each condition by itself, as the query that says the same.
fn fitting(predicate: &Predicate, traces: &[Trace]) -> BTreeSet<Found> {
    let all = || traces.iter().flat_map(|trace| trace.spans().iter().map(|span| (trace.id(), span.id))).collect::<BTreeSet<_>>();
    match predicate {
        Predicate::All(parts) => parts.iter().fold(all(), |kept, part| &kept & &fitting(part, traces)),
        Predicate::Any(parts) => parts.iter().flat_map(|part| fitting(part, traces)).collect(),
        Predicate::Not(inner) => &all() - &fitting(inner, traces),
        Predicate::Condition(condition) => {
            let written = match condition.test {
                Test::Present => format!("{} != nil", condition.field),
                Test::Absent => format!("{} = nil", condition.field),
                _ => condition.to_string(),
            };
            spans(&parse(&format!("{{ {written} }}")).unwrap(), traces).unwrap()
        }
    }
}

fn spans(query: &Query, traces: &[Trace]) -> Result<BTreeSet<Found>, TraceqlError> {
    let mut search = Search::new(query, SearchOptions { limit: traces.len(), spans: usize::MAX, window: None })?;
    for trace in traces {
        search.add(trace)?;
    }
    let mut spans = BTreeSet::new();
    for found in search.finish() {
        spans.extend(found.spansets.iter().flat_map(|set| &set.spans).map(|span| (found.id, span.id)));
    }
    Ok(spans)
}

#[test]
fn a_pipeline_of_one_filter_is_planned_as_the_filter() {
    let filter = icegate_traceql::parse_filter("{ span.a = 1 }").unwrap();
    let whole = Query {
        expr: Expr::Search(Pipeline { stages: vec![Stage::Spanset(SpansetExpr::Filter(filter.clone()))] }),
        hints: Vec::new(),
    };
    assert_eq!(icegate_traceql::plan_filter(&filter), plan(&whole)[0]);
}
