use std::borrow::Cow;
use std::sync::Arc;

use crate::ast::{Attribute, Field, Intrinsic, Scope};
use crate::trace::{Event, Facts, Link, Trace, TraceId};
use crate::{Span, Value};

/// One span, with one of its events and one of its links, as an expression sees it.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    trace_id: TraceId,
    pub(crate) span: &'a Span,
    surroundings: Surroundings<'a>,
    event: Option<&'a Event>,
    link: Option<&'a Link>,
}

/// What is known of the span's trace.
#[derive(Clone, Copy)]
enum Surroundings<'a> {
    Nothing,
    Facts(&'a Facts),
    /// The whole trace, and the index of the span there.
    Trace(&'a Trace, usize),
}

impl<'a> Subject<'a> {
    /// A span of a whole trace.
    pub(crate) fn of(trace: &'a Trace, index: usize) -> Option<Self> {
        let span = trace.spans().get(index)?;
        Some(Self { trace_id: trace.id(), span, surroundings: Surroundings::Trace(trace, index), event: None, link: None })
    }

    /// A span alone, with what is known of its trace.
    pub(crate) fn alone(trace_id: TraceId, span: &'a Span, facts: Option<&'a Facts>) -> Self {
        let surroundings = facts.map_or(Surroundings::Nothing, Surroundings::Facts);
        Self { trace_id, span, surroundings, event: None, link: None }
    }

    pub(crate) const fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// Whether it is known what the whole trace decides.
    pub(crate) const fn has_facts(&self) -> bool {
        !matches!(self.surroundings, Surroundings::Nothing)
    }

    /// With each of the span's events, or with none where there is none; likewise with its links.
    pub(crate) fn bound(self, events: bool, links: bool) -> impl Iterator<Item = Self> {
        let events = choices(&self.span.events, events);
        events.flat_map(move |event| choices(&self.span.links, links).map(move |link| Self { event, link, ..self }))
    }

    /// What the span, with its event and link, has.
    pub(crate) fn get(&self, field: &Field) -> Cow<'a, Value> {
        match field {
            Field::Attribute(attribute) => self.attribute(attribute).map_or(Cow::Owned(Value::Nil), Cow::Borrowed),
            Field::Intrinsic(intrinsic, _) => Cow::Owned(self.intrinsic(*intrinsic).unwrap_or_default()),
        }
    }

    /// What the span has; of what belongs to events and links, that of the first that has it.
    pub(crate) fn get_first(&self, field: &Field) -> Cow<'a, Value> {
        let bound = self.bound(field.is_of_event(), field.is_of_link());
        bound.map(|subject| subject.get(field)).find(|value| !value.is_nil()).unwrap_or(Cow::Owned(Value::Nil))
    }

    fn attribute(&self, Attribute { scope, name }: &Attribute) -> Option<&'a Value> {
        match scope {
            None => self.span.attributes.get(name).or_else(|| self.span.resource.get(name)),
            Some(Scope::Span) => self.span.attributes.get(name),
            Some(Scope::Resource) => self.span.resource.get(name),
            Some(Scope::Event) => self.event?.attributes.get(name),
            Some(Scope::Link) => self.link?.attributes.get(name),
            Some(Scope::Instrumentation) => self.span.instrumentation.attributes.get(name),
        }
    }

    fn intrinsic(&self, intrinsic: Intrinsic) -> Option<Value> {
        let span = self.span;
        Some(match intrinsic {
            Intrinsic::Duration => Value::Duration(span.duration),
            Intrinsic::Name => Value::Text(Arc::clone(&span.name)),
            Intrinsic::Status => Value::Status(span.status),
            Intrinsic::StatusMessage => Value::Text(Arc::clone(&span.status_message)),
            Intrinsic::Kind => Value::Kind(span.kind),
            Intrinsic::TraceId => Value::text(self.trace_id.to_string()),
            Intrinsic::SpanId => Value::text(span.id.to_string()),
            Intrinsic::ParentId => Value::text(span.parent.unwrap_or_default().to_string()),
            Intrinsic::EventName => Value::Text(Arc::clone(&self.event?.name)),
            Intrinsic::EventTimeSinceStart => Value::Duration(self.event?.time.saturating_sub(span.start)),
            Intrinsic::LinkTraceId => Value::text(self.link?.trace.to_string()),
            Intrinsic::LinkSpanId => Value::text(self.link?.span.to_string()),
            Intrinsic::InstrumentationName => Value::Text(Arc::clone(&span.instrumentation.name)),
            Intrinsic::InstrumentationVersion => Value::Text(Arc::clone(&span.instrumentation.version)),
            _ => return self.of_trace(intrinsic),
        })
    }

    /// What the whole trace decides.
    fn of_trace(&self, intrinsic: Intrinsic) -> Option<Value> {
        match self.surroundings {
            Surroundings::Nothing => None,
            Surroundings::Facts(facts) => of_facts(facts, intrinsic),
            Surroundings::Trace(trace, index) => of_facts(&trace.facts(index), intrinsic),
        }
    }
}

fn of_facts(facts: &Facts, intrinsic: Intrinsic) -> Option<Value> {
    Some(match intrinsic {
        Intrinsic::RootName => Value::Text(Arc::clone(&facts.root_name)),
        Intrinsic::RootServiceName => Value::Text(Arc::clone(&facts.root_service)),
        Intrinsic::TraceDuration => Value::Duration(facts.duration),
        Intrinsic::NestedSetLeft => Value::Int(facts.nested_set_left),
        Intrinsic::NestedSetRight => Value::Int(facts.nested_set_right),
        Intrinsic::NestedSetParent => Value::Int(facts.nested_set_parent),
        Intrinsic::ChildCount => Value::Int(facts.child_count),
        _ => return None,
    })
}

/// Each of `all`, or nothing once where there is none or none is wanted.
fn choices<T>(all: &[T], wanted: bool) -> impl Iterator<Item = Option<&T>> {
    let all = if wanted { all } else { &[] };
    let nothing = all.is_empty().then_some(None);
    all.iter().map(Some).chain(nothing)
}
