//! What spans have: names of attributes and values of fields, of spans that a filter lets through.

use std::sync::Arc;

use crate::ast::{Field, FieldExpr, Scope};
use crate::eval::{Expr, Subject};
use crate::trace::{Facts, TraceId};
use crate::{Span, TraceqlError, Value};

/// A spanset filter for spans one by one.
#[derive(Clone, Debug)]
pub struct SpanFilter(Expr);

impl SpanFilter {
    /// The filter, ready to run.
    ///
    /// # Errors
    /// [`TraceqlError::Meaning`] for a regular expression that isn't one.
    pub fn new(filter: &FieldExpr) -> Result<Self, TraceqlError> {
        Ok(Self(Expr::new(filter)?))
    }

    /// Whether it lets a span through. What the whole trace decides is nil without the facts.
    ///
    /// # Errors
    /// What the expression fails with.
    pub fn holds(&self, trace_id: TraceId, span: &Span, facts: Option<&Facts>) -> Result<bool, TraceqlError> {
        self.0.holds(Subject::alone(trace_id, span, facts))
    }
}

/// The keys of a span's attributes and those of its events and links, by scope; also of attributes whose values can't be seen. A key
/// comes as often as it is there.
pub fn attribute_names(span: &Span) -> impl Iterator<Item = (Scope, &Arc<str>)> {
    let of_span = [
        (Scope::Resource, &*span.resource),
        (Scope::Instrumentation, &span.instrumentation.attributes),
        (Scope::Span, &span.attributes),
    ];
    let of_events = span.events.iter().map(|event| (Scope::Event, &event.attributes));
    let of_links = span.links.iter().map(|link| (Scope::Link, &link.attributes));
    let all = of_span.into_iter().chain(of_events).chain(of_links);
    all.flat_map(|(scope, attributes)| attributes.keys().map(move |key| (scope, key)))
}

/// All values that a span has of a field: of each of its events or links, of an array each element, of an attribute without a scope
/// those of the span and of the resource.
#[must_use]
pub fn field_values(field: &Field, trace_id: TraceId, span: &Span, facts: Option<&Facts>) -> Vec<Value> {
    let mut fields = vec![field.clone()];
    if let Field::Attribute(attribute) = field
        && attribute.scope.is_none()
    {
        fields = [Scope::Span, Scope::Resource].map(|scope| Field::attribute(Some(scope), &*attribute.name)).to_vec();
    }
    let mut values = Vec::new();
    for field in &fields {
        for subject in Subject::alone(trace_id, span, facts).bound(field.is_of_event(), field.is_of_link()) {
            match subject.get(field).into_owned() {
                Value::Nil => {}
                Value::Array(all) => values.extend(all.iter().cloned()),
                value => values.push(value),
            }
        }
    }
    values
}
