//! What a scan can know of a query beforehand: which spans it may leave out, and what it has to read of the others.

mod predicate;
mod reads;

use std::fmt;

pub use predicate::{Condition, Predicate, Test};

use crate::ast::{Expr, Field, FieldExpr, Intrinsic, MetricsQuery, Pipeline, Query, SpansetExpr, SpansetOp, Stage};
use predicate::Pushed;

/// Of what a query's answer is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    /// Of spans one by one: each is kept or not, whatever else is in its trace.
    Spans,
    /// Of the spans of a trace that fit [`Plan::spans`], all of them together.
    MatchingSpans,
    /// Of all spans of a trace, for how they hang together.
    WholeTraces,
}

/// What a scan for one pipeline of a query has to give.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Of what the answer is made.
    pub needs: Needs,
    /// Whether something is read that the whole trace decides: then spans come with their [`crate::Facts`], or in whole traces.
    pub facts: bool,
    /// Spans that don't fit are in no answer. What can't be decided on columns is left out of it, so that it lets more through.
    pub spans: Predicate,
    /// Whether `spans` says all that the first filters say. Where spans one by one are needed, each that fits is in the answer then.
    pub exact: bool,
    /// A trace in the answer has a span that fits, for each of these.
    pub traces: Vec<Predicate>,
    /// What is read of the spans that are looked at, each once, in the order of the text.
    pub reads: Vec<Field>,
}

/// The plan of each pipeline of a query, in the order of [`Query::pipelines`].
#[must_use]
pub fn plan(query: &Query) -> Vec<Plan> {
    match &query.expr {
        Expr::Search(pipeline) => vec![of_pipeline(pipeline)],
        Expr::Metrics(metrics) => metrics.leaves().into_iter().map(of_metrics).collect(),
    }
}

/// What one filter decides, as tags and values are asked for with it.
#[must_use]
pub fn plan_filter(filter: &FieldExpr) -> Plan {
    of_pipeline(&Pipeline { stages: vec![Stage::Spanset(SpansetExpr::Filter(filter.clone()))] })
}

fn of_pipeline(pipeline: &Pipeline) -> Plan {
    let mut gathered = Gathered::default();
    gathered.pipeline(pipeline);
    let reads = reads::of_pipeline(pipeline);
    let spans = gathered.spans.unwrap_or(Pushed::EVERYTHING);
    let facts = reads.iter().any(is_of_trace);
    Plan { needs: gathered.needs, facts, spans: spans.predicate, exact: spans.exact, traces: gathered.traces, reads }
}

pub(crate) fn of_metrics(leaf: &MetricsQuery) -> Plan {
    let mut plan = of_pipeline(&leaf.pipeline);
    reads::add_metrics(&mut plan.reads, leaf);
    plan.facts = plan.reads.iter().any(is_of_trace);
    plan
}

fn is_of_trace(field: &Field) -> bool {
    field.intrinsic().is_some_and(Intrinsic::is_of_trace)
}

/// What is known of the stages so far.
struct Gathered {
    needs: Needs,
    /// Which spans the stages look at; nothing before the first filter.
    spans: Option<Pushed>,
    traces: Vec<Predicate>,
    /// Whether the stages so far are filters, so that another one narrows them.
    filters: bool,
}

impl Default for Gathered {
    fn default() -> Self {
        Self { needs: Needs::Spans, spans: None, traces: Vec::new(), filters: true }
    }
}

impl Gathered {
    fn pipeline(&mut self, pipeline: &Pipeline) {
        for stage in &pipeline.stages {
            match stage {
                Stage::Select(_) => {}
                Stage::By(_) | Stage::Coalesce | Stage::Aggregate(_) => {
                    self.needs = self.needs.max(Needs::MatchingSpans);
                    self.filters = false;
                }
                Stage::Spanset(spanset) => self.spanset(spanset),
            }
        }
        if self.spans.is_none() {
            self.spans = Some(Pushed::EVERYTHING);
        }
        self.traces.retain(|predicate| *predicate != Predicate::All(Vec::new()));
        self.traces.dedup();
    }

    /// Filters narrow filters. Else later stages choose of what the ones before leave, so that those alone decide which spans are
    /// looked at.
    fn spanset(&mut self, spanset: &SpansetExpr) {
        let chosen = choice(spanset);
        let filters = chosen.needs == Needs::Spans;
        self.needs = self.needs.max(chosen.needs);
        let spans = match self.spans.take() {
            Some(before) if self.filters && filters => {
                let both = before.and(chosen.spans);
                self.traces = vec![both.predicate.clone()];
                both
            }
            before => {
                self.traces.extend(chosen.traces);
                // Where stages come before the first filter, these have looked at all spans.
                before.unwrap_or(if self.filters { chosen.spans } else { Pushed::EVERYTHING })
            }
        };
        self.spans = Some(spans);
        self.filters &= filters;
    }
}

/// What one expression on spansets looks at and asks for.
struct Choice {
    needs: Needs,
    spans: Pushed,
    traces: Vec<Predicate>,
}

fn choice(spanset: &SpansetExpr) -> Choice {
    match spanset {
        SpansetExpr::Filter(filter) => {
            let spans = Pushed::of(filter);
            Choice { needs: Needs::Spans, traces: vec![spans.predicate.clone()], spans }
        }
        SpansetExpr::Wrapped(pipeline) => {
            let mut inner = Gathered::default();
            inner.pipeline(pipeline);
            Choice { needs: inner.needs, spans: inner.spans.unwrap_or(Pushed::EVERYTHING), traces: inner.traces }
        }
        SpansetExpr::Binary(op, left, right) => both(*op, choice(left), choice(right)),
    }
}

fn both(op: SpansetOp, left: Choice, right: Choice) -> Choice {
    let traces = match op {
        // Of several conditions, each of which another span may fit, one is enough to leave traces out.
        SpansetOp::Or => vec![Predicate::any([left.traces, right.traces].map(first).to_vec())],
        // Spans that have no partner on the left are found without any.
        _ if op.is_negated() => right.traces,
        _ => left.traces.into_iter().chain(right.traces).collect(),
    };
    let needs = match op {
        // A span is kept by either side, whatever else is in the trace.
        SpansetOp::Or => Needs::Spans,
        SpansetOp::And => Needs::MatchingSpans,
        _ => Needs::WholeTraces,
    };
    let needs = needs.max(left.needs).max(right.needs);
    Choice { needs, spans: left.spans.or(right.spans), traces }
}

fn first(traces: Vec<Predicate>) -> Predicate {
    traces.into_iter().next().unwrap_or(Predicate::All(Vec::new()))
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "needs {}{}", self.needs, if self.facts { " and facts of traces" } else { "" })?;
        writeln!(f, "spans {}{}", self.spans, if self.exact { "" } else { ", and more" })?;
        for predicate in &self.traces {
            writeln!(f, "trace with {predicate}")?;
        }
        let reads: Vec<_> = self.reads.iter().map(ToString::to_string).collect();
        write!(f, "reads {}", reads.join(", "))
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Spans => "spans",
            Self::MatchingSpans => "matching spans",
            Self::WholeTraces => "whole traces",
        })
    }
}
