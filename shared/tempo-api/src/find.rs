//! Searches: newest first, until as many traces are found as are asked for.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::time::Duration;

use icegate_traceql::ast::Query;
use icegate_traceql::{Search, SearchOptions, Trace, TraceMatch, plan};

use crate::TempoError;
use crate::spans::{
    Columns, MAX_IDS, Place, TenantSpans, Window, candidates, each_trace, ends_from, leading, starts_until, those_with,
};

/// What is searched.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) query: Query,
    /// Traces overlap it.
    pub(crate) window: Window,
    /// How far from the window spans of such traces are looked for.
    pub(crate) reach: Duration,
    /// So many rows are looked through at once: opening each file for every slice takes longer then than slices save.
    pub(crate) rows_at_once: u64,
    /// The most traces.
    pub(crate) limit: usize,
    /// The most spans that are told of a spanset.
    pub(crate) spans: usize,
    /// The shortest and the longest trace, in nanoseconds.
    pub(crate) durations: (i64, i64),
}

/// The fewest traces that are read at once.
const FEW: usize = 64;
/// About what remembering a trace takes.
const SEEN_BYTES: usize = 48;

/// The newest traces that have what is asked for.
///
/// A trace in the answer has a span that [`leading`] lets through, and none of its spans starts before the trace. So once as many are
/// found as are wanted, only slices of time from the oldest of these on can hold a newer one.
///
/// `tell` is told after each slice of time but the last which traces the answer begins with.
pub(crate) async fn find(
    spans: &TenantSpans,
    asked: &Asked,
    mut tell: impl FnMut(&[TraceMatch]) + Send,
) -> Result<Vec<TraceMatch>, TempoError> {
    let Asked { query, window, reach, limit, .. } = asked;
    let options = SearchOptions { limit: *limit, spans: asked.spans, window: Some((window.start, window.end)) };
    let mut search = Search::new(query, options)?;
    let Some(plan) = plan(query).into_iter().next() else { return Ok(Vec::new()) };
    let predicate = leading(&plan.traces);
    let columns = Columns::of_traces().and_fields(&plan.reads);
    let at_once = limit.saturating_mul(2).clamp(FEW, MAX_IDS);
    let scan = spans.open(window.widened(*reach).range()).await?;
    let (mut seen, mut memory) = (HashSet::new(), scan.memory());
    let slices = if scan.rows <= asked.rows_at_once { window.one_slice(*reach) } else { window.slices(*reach) };
    let mut slices = slices.into_iter().peekable();
    while let Some(slice) = slices.next() {
        if search.full_from().is_some_and(|from| slice.window.end < from) {
            break;
        }
        let (mut found, _held) = candidates(&scan, &predicate, slice.window).await?;
        found.retain(|one| !seen.contains(&one.id));
        found = match slice.place {
            Place::Inside => found,
            // Of traces that have a span outside the window, those that overlap it.
            Place::After => those_with(&scan, found, starts_until(window.end)).await?,
            Place::Before => those_with(&scan, found, ends_from(window.start)).await?,
        };
        found.sort_unstable_by_key(|one| Reverse((one.start, one.id)));
        let mut rest = found.as_slice();
        while !rest.is_empty() {
            if let Some(from) = search.full_from() {
                rest = &rest[..rest.partition_point(|one| one.start >= from)];
            }
            let (now, later) = rest.split_at(rest.len().min(at_once));
            rest = later;
            let ids: Vec<_> = now.iter().map(|one| one.id).collect();
            each_trace(&scan, &ids, &columns, |trace| {
                if asked.takes(trace) {
                    search.add(trace)?;
                }
                Ok(())
            })
            .await?;
            memory.grow(ids.len() * SEEN_BYTES)?;
            seen.extend(ids);
        }
        if slices.peek().is_some() {
            // What an older slice finds has a span in it, and so starts before this one.
            tell(search.newest(slice.window.start));
        }
    }
    Ok(search.finish())
}

impl Asked {
    fn takes(&self, trace: &Trace) -> bool {
        let (shortest, longest) = self.durations;
        (shortest..=longest).contains(&trace.duration())
    }
}
