//! What is pushed down and read: `tests/plan/*.test`, and that it leaves nothing out.

use std::collections::BTreeSet;

use icegate_traceql::ast::{Expr, Pipeline, Query, SpansetExpr, Stage};
use icegate_traceql::{Needs, Predicate, Search, SearchOptions, Test, Trace, parse, plan};

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

/// Each span of an answer fits what is pushed down, exactly those where it says so, and each trace has the spans that it has to have.
pub(crate) fn check_soundness(query: &Query, traces: &[Trace]) {
    let Expr::Search(pipeline) = &query.expr else { return };
    let plan = &plan(query)[0];
    for trace in traces {
        let Ok(found) = spans(query, trace) else { continue };
        if found.is_empty() && !plan.exact {
            continue;
        }
        let pushed = fitting(&plan.spans, trace);
        assert!(found.iter().all(|span| pushed.contains(span)), "{query}: {plan} leaves out spans of {found:?}");
        let filters =
            pipeline.stages.iter().all(|stage| matches!(stage, Stage::Spanset(SpansetExpr::Filter(_)) | Stage::Select(_)));
        if filters && plan.exact {
            assert_eq!(pushed, found, "{query}: {plan} isn't exact");
            assert!(plan.needs != Needs::MatchingSpans);
        }
        for predicate in plan.traces.iter().filter(|_| !found.is_empty()) {
            assert!(!fitting(predicate, trace).is_empty(), "{query}: {predicate} leaves out a trace of the answer");
        }
    }
}

/// The spans that fit: each condition by itself, as the query that says the same.
fn fitting(predicate: &Predicate, trace: &Trace) -> BTreeSet<String> {
    let all = || trace.spans().iter().map(|span| span.id.to_string()).collect::<BTreeSet<_>>();
    match predicate {
        Predicate::All(parts) => parts.iter().fold(all(), |kept, part| &kept & &fitting(part, trace)),
        Predicate::Any(parts) => parts.iter().flat_map(|part| fitting(part, trace)).collect(),
        Predicate::Not(inner) => &all() - &fitting(inner, trace),
        Predicate::Condition(condition) => {
            let written = match condition.test {
                Test::Present => format!("{} != nil", condition.field),
                Test::Absent => format!("{} = nil", condition.field),
                _ => condition.to_string(),
            };
            spans(&parse(&format!("{{ {written} }}")).unwrap(), trace).unwrap()
        }
    }
}

fn spans(query: &Query, trace: &Trace) -> Result<BTreeSet<String>, icegate_traceql::TraceqlError> {
    let mut search = Search::new(query, SearchOptions { limit: 1, spans: 1_000, window: None })?;
    search.add(trace)?;
    let found = search.finish();
    let sets = found.iter().flat_map(|found| &found.spansets);
    Ok(sets.flat_map(|set| &set.spans).map(|span| span.id.to_string()).collect())
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
