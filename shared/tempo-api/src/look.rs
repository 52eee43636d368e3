//! What spans have: looked at one by one, or in whole traces where these decide something that is asked for.

use icegate_traceql::ast::{Field, FieldExpr, Intrinsic};
use icegate_traceql::{Facts, Span, SpanFilter, TraceId, plan_filter};

use crate::TempoError;
use crate::spans::{Columns, TenantSpans, Visit, Window, candidates, each_trace, visit};

/// Which spans are looked at, and what of them.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) filter: FieldExpr,
    pub(crate) window: Window,
    pub(crate) reach: std::time::Duration,
    /// What is looked at, besides what the filter reads.
    pub(crate) columns: Columns,
    /// Fields that are looked at.
    pub(crate) fields: Vec<Field>,
}

/// Gathers what spans have.
pub(crate) trait Gather: Default + Send + 'static {
    /// Looks at a span, with what its trace decides where that is asked for.
    fn look(&mut self, asked: &Asked, trace: TraceId, span: &Span, facts: Option<&Facts>) -> Result<(), TempoError>;
    /// Takes over what another one has gathered.
    fn merge(&mut self, other: Self) -> Result<(), TempoError>;
}

/// What the spans have that start within the window and that the filter lets through.
pub(crate) async fn look<G: Gather>(spans: &TenantSpans, asked: &Asked) -> Result<G, TempoError> {
    let plan = plan_filter(&asked.filter);
    let filter = SpanFilter::new(&asked.filter)?;
    let columns = asked.columns.clone().and_fields(plan.reads.iter().chain(&asked.fields));
    let of_trace = |field: &Field| field.intrinsic().is_some_and(Intrinsic::is_of_trace);
    let mut all = G::default();
    if plan.facts || asked.fields.iter().any(of_trace) {
        let scan = spans.open(asked.window.widened(asked.reach).range()).await?;
        let (found, _held) = candidates(&scan, &plan.spans, asked.window).await?;
        let ids: Vec<TraceId> = found.into_iter().map(|one| one.id).collect();
        each_trace(&scan, &ids, &columns, |trace| {
            for (at, span) in trace.spans().iter().enumerate().filter(|(_, span)| asked.window.holds(span.start)) {
                let facts = trace.facts(at);
                if filter.holds(trace.id(), span, Some(&facts))? {
                    all.look(asked, trace.id(), span, Some(&facts))?;
                }
            }
            Ok(())
        })
        .await?;
        return Ok(all);
    }
    let make = || Ok(Looking { asked: asked.clone(), filter: filter.clone(), gathered: G::default() });
    for part in visit(spans, &plan.spans, asked.window, &columns, make).await? {
        all.merge(part.gathered)?;
    }
    Ok(all)
}

struct Looking<G> {
    asked: Asked,
    filter: SpanFilter,
    gathered: G,
}

impl<G: Gather> Visit for Looking<G> {
    fn span(&mut self, trace: TraceId, span: &Span) -> Result<(), TempoError> {
        if self.filter.holds(trace, span, None)? { self.gathered.look(&self.asked, trace, span, None) } else { Ok(()) }
    }
}
