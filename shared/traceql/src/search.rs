//! Searches: which traces have spans that a query finds, newest first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use crate::ast::Query;
use crate::eval::{Pipeline, Shown, Spanset, Subject};
use crate::trace::{NO_ROOT, ServiceStats, SpanId, TraceId};
use crate::{Span, Trace, TraceqlError, Value};

/// How many spans of a spanset are told where it isn't said.
const DEFAULT_SPANS: usize = 3;

/// How much is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchOptions {
    /// The most traces.
    pub limit: usize,
    /// The most spans told of a spanset; 0 is 3.
    pub spans: usize,
    /// Traces overlap this time, both ends in it, in nanoseconds; always where it is missing.
    pub window: Option<(i64, i64)>,
}

/// A trace that has what is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceMatch {
    /// Its id.
    pub id: TraceId,
    /// The service of its root, or [`NO_ROOT`].
    pub root_service: Arc<str>,
    /// The name of its root, empty where no root has arrived.
    pub root_name: Arc<str>,
    /// When its first span starts, in nanoseconds.
    pub start: i64,
    /// From its first start to its last end, in nanoseconds.
    pub duration: i64,
    /// All its services.
    pub services: BTreeMap<Arc<str>, ServiceStats>,
    /// What was found, at least one.
    pub spansets: Vec<SpansetMatch>,
}

/// Spans of a trace that were found together.
#[derive(Clone, Debug, PartialEq)]
pub struct SpansetMatch {
    /// How many there are.
    pub matched: usize,
    /// The first of them, as they are stored.
    pub spans: Vec<SpanMatch>,
    /// What `by()` and aggregates found, as [`Value::shown`].
    pub attributes: Vec<(String, Value)>,
}

/// A span that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanMatch {
    /// Its id.
    pub id: SpanId,
    /// Its name, where the query touches names.
    pub name: Option<Arc<str>>,
    /// When it starts, in nanoseconds.
    pub start: i64,
    /// Nanoseconds.
    pub duration: i64,
    /// What the query touches, as [`Value::shown`].
    pub attributes: Vec<(String, Value)>,
}

/// A search under way: holds at most twice as many traces as it may answer.
#[derive(Clone, Debug)]
pub struct Search {
    pipeline: Pipeline,
    shown: Shown,
    options: SearchOptions,
    found: Vec<TraceMatch>,
    /// Of the newest traces, as many as may be answered, the oldest on top.
    newest: BinaryHeap<Reverse<i64>>,
}

impl Search {
    /// A search for what a query finds; of a metrics query, for the spans that its first function looks at.
    ///
    /// # Errors
    /// Those of compiling the query's expressions.
    pub fn new(query: &Query, options: SearchOptions) -> Result<Self, TraceqlError> {
        let pipeline = query.pipelines().into_iter().next().ok_or(TraceqlError::NotAFilter { found: "a number" })?;
        let (found, newest) = (Vec::new(), BinaryHeap::new());
        Ok(Self { pipeline: Pipeline::new(pipeline)?, shown: Shown::new(pipeline)?, options, found, newest })
    }

    /// Looks at a whole trace; whether it has what is asked for.
    ///
    /// # Errors
    /// [`TraceqlError::DivisionByZero`], [`TraceqlError::NotBoolean`].
    pub fn add(&mut self, trace: &Trace) -> Result<bool, TraceqlError> {
        if self.options.window.is_some_and(|(start, end)| trace.end() < start || end < trace.start()) {
            return Ok(false);
        }
        if self.full_from().is_some_and(|start| trace.start() < start) {
            return Ok(false);
        }
        let spansets = self.pipeline.run(trace)?;
        if spansets.is_empty() {
            return Ok(false);
        }
        let found = self.describe(trace, spansets);
        self.newest.push(Reverse(found.start));
        if self.newest.len() > self.options.limit {
            self.newest.pop();
        }
        self.found.push(found);
        if self.found.len() >= self.options.limit.saturating_mul(2).max(1) {
            self.cut();
        }
        Ok(true)
    }

    /// Where as many traces are found as may be answered, the start of the oldest: traces that start before it can't be in the
    /// answer any more.
    #[must_use]
    pub fn full_from(&self) -> Option<i64> {
        let full = self.newest.len() >= self.options.limit;
        self.newest.peek().filter(|_| full).map(|Reverse(start)| *start)
    }

    /// Of the traces that would be the answer now those that start at `start` or after it, newest first.
    pub fn newest(&mut self, start: i64) -> &[TraceMatch] {
        self.cut();
        &self.found[..self.found.partition_point(|found| found.start >= start)]
    }

    /// The traces, newest first.
    #[must_use]
    pub fn finish(mut self) -> Vec<TraceMatch> {
        self.cut();
        self.found
    }

    fn cut(&mut self) {
        self.found.sort_by(|a, b| b.start.cmp(&a.start).then_with(|| a.id.cmp(&b.id)));
        self.found.truncate(self.options.limit);
    }

    fn describe(&self, trace: &Trace, spansets: Vec<Spanset>) -> TraceMatch {
        let root = trace.root();
        TraceMatch {
            id: trace.id(),
            root_service: root.map_or_else(|| NO_ROOT.into(), Span::service),
            root_name: root.map_or_else(|| "".into(), |root| Arc::clone(&root.name)),
            start: trace.start(),
            duration: trace.duration(),
            services: trace.services(),
            spansets: spansets.into_iter().map(|spanset| self.spanset(trace, spanset)).collect(),
        }
    }

    fn spanset(&self, trace: &Trace, spanset: Spanset) -> SpansetMatch {
        let told = if self.options.spans == 0 { DEFAULT_SPANS } else { self.options.spans };
        let subjects = spanset.spans.iter().take(told).filter_map(|index| Subject::of(trace, *index));
        let spans = subjects.map(|subject| {
            let (shown, span) = (self.shown.of(subject), subject.span);
            SpanMatch { id: span.id, name: shown.name, start: span.start, duration: span.duration, attributes: shown.attributes }
        });
        SpansetMatch {
            matched: spanset.spans.len(),
            spans: spans.collect(),
            attributes: spanset.attributes.into_iter().map(|(name, value)| (name, value.shown())).collect(),
        }
    }
}
