use std::collections::BTreeSet;

use icegate_schema::columns::*;
use icegate_traceql::ast::{Attribute, Field, Intrinsic, Scope};

/// The columns of `spans` that are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Columns(BTreeSet<&'static str>);

/// Whose spans they are and when they start: what every scan reads.
const ALWAYS: [&str; 3] = [TRACE_ID, TIMESTAMP, TIMESTAMP_NANOS];
/// What a trace is told from its spans by: how they hang together, its root, its services and their errors.
const OF_TRACES: [&str; 10] = [
    SPAN_ID,
    PARENT_SPAN_ID,
    NAME,
    KIND,
    STATUS_CODE,
    SERVICE_NAME,
    DURATION_MICROS,
    DURATION_NANOS,
    RESOURCE_ATTRIBUTES,
    RESOURCE_ATTRIBUTE_TYPES,
];

impl Columns {
    /// Ids of traces and times alone.
    pub(crate) fn bare() -> Self {
        Self(ALWAYS.into())
    }

    /// What whole traces are made of, besides what is read of their spans.
    pub(crate) fn of_traces() -> Self {
        let mut columns = Self::bare();
        columns.0.extend(OF_TRACES);
        columns
    }

    /// All that a span has of attributes of a scope.
    pub(crate) fn and_scope(mut self, scope: Scope) -> Self {
        self.0.extend(of_scope(scope));
        self
    }

    /// All that a span has.
    pub(crate) fn everything() -> Self {
        let mut columns = Scope::ALL.into_iter().fold(Self::of_traces(), Self::and_scope);
        columns.0.extend([STATUS_MESSAGE, TRACE_STATE]);
        columns
    }

    /// What is needed for fields, too.
    pub(crate) fn and_fields<'a>(mut self, fields: impl IntoIterator<Item = &'a Field>) -> Self {
        for field in fields {
            match field {
                Field::Attribute(Attribute { scope: Some(scope), .. }) => self.0.extend(of_scope(*scope)),
                Field::Attribute(Attribute { scope: None, .. }) => {
                    self.0.extend(of_scope(Scope::Span));
                    self.0.extend(of_scope(Scope::Resource));
                }
                Field::Intrinsic(intrinsic, _) => self.0.extend(of_intrinsic(*intrinsic)),
            }
        }
        self
    }

    /// One more.
    pub(crate) fn and(mut self, column: &'static str) -> Self {
        self.0.insert(column);
        self
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().copied()
    }
}

fn of_scope(scope: Scope) -> &'static [&'static str] {
    match scope {
        Scope::Span => &[RECORD_ATTRIBUTES, RECORD_ATTRIBUTE_TYPES],
        Scope::Resource => &[RESOURCE_ATTRIBUTES, RESOURCE_ATTRIBUTE_TYPES],
        Scope::Event => &[EVENTS],
        Scope::Link => &[LINKS],
        Scope::Instrumentation => &[SCOPE_NAME, SCOPE_VERSION, SCOPE_ATTRIBUTES, SCOPE_ATTRIBUTE_TYPES],
    }
}

fn of_intrinsic(intrinsic: Intrinsic) -> &'static [&'static str] {
    match intrinsic {
        Intrinsic::Duration => &[DURATION_MICROS, DURATION_NANOS],
        Intrinsic::Name => &[NAME],
        Intrinsic::Status => &[STATUS_CODE],
        Intrinsic::StatusMessage => &[STATUS_MESSAGE],
        Intrinsic::Kind => &[KIND],
        Intrinsic::SpanId => &[SPAN_ID],
        Intrinsic::ParentId => &[PARENT_SPAN_ID],
        Intrinsic::TraceId => &[],
        Intrinsic::EventName | Intrinsic::EventTimeSinceStart => &[EVENTS],
        Intrinsic::LinkTraceId | Intrinsic::LinkSpanId => &[LINKS],
        Intrinsic::InstrumentationName | Intrinsic::InstrumentationVersion => of_scope(Scope::Instrumentation),
        // The whole trace decides these.
        Intrinsic::RootName
        | Intrinsic::RootServiceName
        | Intrinsic::TraceDuration
        | Intrinsic::NestedSetLeft
        | Intrinsic::NestedSetRight
        | Intrinsic::NestedSetParent
        | Intrinsic::ChildCount => &OF_TRACES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use icegate_model::Table;
    use icegate_traceql::parse_field;

    #[test]
    fn every_column_is_one_of_the_table() {
        let schema = icegate_schema::arrow_schema(Table::Spans);
        for name in Columns::everything()
            .and_fields(&Intrinsic::all().map(|one| Field::Intrinsic(one, false)).collect::<Vec<_>>())
            .names()
        {
            assert!(schema.field_with_name(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_field_asks_for_its_own_columns_alone() {
        let of = |field: &str| Columns::bare().and_fields([&parse_field(field).unwrap()]);
        assert_eq!(of("name"), Columns::bare().and(NAME));
        assert_eq!(of("event.a"), Columns::bare().and(EVENTS));
        assert_eq!(of(".a"), Columns::bare().and_scope(Scope::Span).and_scope(Scope::Resource));
    }
}
