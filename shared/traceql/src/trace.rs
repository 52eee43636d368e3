//! Traces in memory, as a scan fills them.

mod attributes;
mod span;
mod tree;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use attributes::Attributes;
pub(crate) use span::without_zeros;
pub use span::{Event, Instrumentation, Link, Span, SpanId, TraceId};
pub(crate) use tree::Tree;

use crate::Status;

/// What answers show as the root's service where no root has arrived.
pub const NO_ROOT: &str = "<root span not yet received>";

/// All spans of one trace.
#[derive(Clone, Debug)]
pub struct Trace {
    id: TraceId,
    spans: Vec<Span>,
    tree: Tree,
    start: i64,
    end: i64,
    root: Option<usize>,
    root_name: Arc<str>,
    root_service: Arc<str>,
}

/// What the whole trace decides of one of its spans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The name of the trace's root, empty where no root has arrived.
    pub root_name: Arc<str>,
    /// The service of the trace's root, empty where no root has arrived.
    pub root_service: Arc<str>,
    /// From the trace's first start to its last end, in nanoseconds.
    pub duration: i64,
    /// When the span opens in the numbering of its trace; 0 where no root is above it.
    pub nested_set_left: i64,
    /// When it closes; 0 where no root is above it.
    pub nested_set_right: i64,
    /// When its parent opens; -1 for a root, 0 where no root is above it.
    pub nested_set_parent: i64,
    /// How many spans name it as their parent.
    pub child_count: i64,
}

/// How many spans of a service a trace has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServiceStats {
    /// All of them.
    pub spans: u32,
    /// Those with an error.
    pub errors: u32,
}

impl Trace {
    /// A trace of its spans, in the order in which they are stored: by resource and scope, then as they came.
    #[must_use]
    pub fn new(id: TraceId, spans: Vec<Span>) -> Self {
        let tree = Tree::of(&spans);
        let start = spans.iter().map(|span| span.start).min().unwrap_or_default();
        let end = spans.iter().map(Span::end).max().unwrap_or_default();
        let root = spans.iter().rposition(|span| span.parent.is_none());
        let of_root = root.map(|root| (Arc::clone(&spans[root].name), spans[root].service()));
        let (root_name, root_service) = of_root.unwrap_or_default();
        Self { id, spans, tree, start, end, root, root_name, root_service }
    }

    /// What the trace decides of the span with this index.
    #[must_use]
    pub fn facts(&self, span: usize) -> Facts {
        let place = self.tree.place(span);
        Facts {
            root_name: Arc::clone(&self.root_name),
            root_service: Arc::clone(&self.root_service),
            duration: self.duration(),
            nested_set_left: place.left,
            nested_set_right: place.right,
            nested_set_parent: self.tree.parent_left(span),
            child_count: place.children,
        }
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> TraceId {
        self.id
    }

    /// Its spans, as stored.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    pub(crate) const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// When its first span starts, in nanoseconds.
    #[must_use]
    pub const fn start(&self) -> i64 {
        self.start
    }

    /// When its last span ends, in nanoseconds.
    #[must_use]
    pub const fn end(&self) -> i64 {
        self.end
    }

    /// From its first start to its last end, in nanoseconds.
    #[must_use]
    pub const fn duration(&self) -> i64 {
        self.end.saturating_sub(self.start)
    }

    /// The span without a parent; of several the last that is stored.
    #[must_use]
    pub fn root(&self) -> Option<&Span> {
        self.root.and_then(|root| self.spans.get(root))
    }

    /// How many spans and errors each service has.
    #[must_use]
    pub fn services(&self) -> BTreeMap<Arc<str>, ServiceStats> {
        let mut services: BTreeMap<Arc<str>, ServiceStats> = BTreeMap::new();
        for span in &self.spans {
            let stats = services.entry(span.service()).or_default();
            stats.spans += 1;
            stats.errors += u32::from(span.status == Status::Error);
        }
        services
    }
}
