//! Metrics: span by span where that is enough, else trace by trace.

use std::time::Duration;

use icegate_schema::columns::TRACE_STATE;
use icegate_traceql::ast::{Expr, MetricsFunction, Query};
use icegate_traceql::{MetricSeries, Metrics, MetricsOptions, Plan, Predicate, Span, TraceId, plan};

use crate::TempoError;
use crate::spans::{Columns, TenantSpans, Visit, Window, candidates, each_trace, leading, visit};

/// The series of a query.
pub(crate) async fn measure(
    spans: &TenantSpans,
    query: &Query,
    options: &MetricsOptions,
    reach: Duration,
) -> Result<Vec<MetricSeries>, TempoError> {
    let metrics = Metrics::new(query, options)?;
    let plans = plan(query);
    let columns = columns(query, &plans);
    let window = covered(options);
    if metrics.needs_traces() || metrics.needs_facts() {
        return by_trace(spans, metrics, &plans, &columns, window.widened(reach)).await;
    }
    let fit = Predicate::Any(plans.into_iter().map(|plan| plan.spans).collect());
    let make = || Ok(Measuring(Metrics::new(query, options)?));
    let parts = visit(spans, &fit, window, &columns, make).await?;
    let mut whole = metrics;
    for Measuring(part) in parts {
        whole.merge(part)?;
    }
    Ok(whole.finish())
}

async fn by_trace(
    spans: &TenantSpans,
    mut metrics: Metrics,
    plans: &[Plan],
    columns: &Columns,
    window: Window,
) -> Result<Vec<MetricSeries>, TempoError> {
    let fit = Predicate::Any(plans.iter().map(|plan| leading(&plan.traces)).collect());
    let scan = spans.open(window.range()).await?;
    let (found, _held) = candidates(&scan, &simplified(fit), window).await?;
    let ids: Vec<TraceId> = found.into_iter().map(|one| one.id).collect();
    each_trace(&scan, &ids, columns, |trace| Ok(metrics.add(trace)?)).await?;
    Ok(metrics.finish())
}

/// Everything where any part is everything, which then need not be looked at.
fn simplified(predicate: Predicate) -> Predicate {
    let everything = Predicate::All(Vec::new());
    match predicate {
        Predicate::Any(any) if any.contains(&everything) => everything,
        other => other,
    }
}

fn columns(query: &Query, plans: &[Plan]) -> Columns {
    let compares = match &query.expr {
        Expr::Metrics(metrics) => metrics.leaves().iter().any(|leaf| matches!(leaf.function, MetricsFunction::Compare(_))),
        Expr::Search(_) => false,
    };
    if compares {
        return Columns::everything();
    }
    let traces = plans.iter().any(|plan| plan.facts || plan.needs != icegate_traceql::Needs::Spans);
    let columns = if traces { Columns::of_traces() } else { Columns::bare() };
    let columns = columns.and_fields(plans.iter().flat_map(|plan| &plan.reads));
    // How many spans one stands for is told there.
    if query.hint("extrapolate").is_some() { columns.and(TRACE_STATE) } else { columns }
}

/// When the spans start that are in any bucket.
fn covered(options: &MetricsOptions) -> Window {
    let MetricsOptions { start, end, step, .. } = *options;
    let Some(step) = step.filter(|step| *step > 0) else { return Window { start, end } };
    let first = start.div_euclid(step).saturating_mul(step);
    let last = end.saturating_sub(1).div_euclid(step).saturating_add(1).saturating_mul(step);
    Window { start: first.saturating_sub(step).saturating_add(1), end: last }
}

struct Measuring(Metrics);

impl Visit for Measuring {
    fn span(&mut self, trace: TraceId, span: &Span) -> Result<(), TempoError> {
        Ok(self.0.add_span(trace, span, None)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use icegate_traceql::MetricsLimits;

    #[test]
    fn buckets_are_covered_from_after_the_left_edge_of_the_first_to_the_right_edge_of_the_last() {
        let options = |start, end, step| MetricsOptions { start, end, step, exemplars: 0, limits: MetricsLimits::default() };
        assert_eq!(covered(&options(101, 199, Some(50))), Window { start: 51, end: 200 });
        assert_eq!(covered(&options(100, 200, Some(50))), Window { start: 51, end: 200 });
        assert_eq!(covered(&options(100, 200, None)), Window { start: 100, end: 200 });
    }
}
