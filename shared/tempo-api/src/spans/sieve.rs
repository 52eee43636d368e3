//! What no column decides of a predicate, decided on decoded spans.

use icegate_syntax::Place;
use icegate_traceql::ast::{BinaryOp, Field, FieldExpr, FieldKind, Intrinsic};
use icegate_traceql::{Condition, Predicate, Span, SpanFilter, Test, TraceId, TraceqlError, Value};

use super::Columns;

/// A predicate, ready to run.
#[derive(Debug)]
pub(super) enum Sieve {
    Condition(Box<SpanFilter>),
    /// The whole trace decides it: it may hold or not.
    OfTrace,
    Not(Box<Sieve>),
    All(Vec<Sieve>),
    Any(Vec<Sieve>),
}

impl Sieve {
    pub(super) fn new(predicate: &Predicate) -> Result<Self, TraceqlError> {
        let each = |all: &[Predicate]| all.iter().map(Self::new).collect::<Result<Vec<_>, _>>();
        Ok(match predicate {
            Predicate::All(all) => Self::All(each(all)?),
            Predicate::Any(any) => Self::Any(each(any)?),
            Predicate::Not(inner) => Self::Not(Box::new(Self::new(inner)?)),
            Predicate::Condition(condition) if condition.field.intrinsic().is_some_and(Intrinsic::is_of_trace) => Self::OfTrace,
            Predicate::Condition(condition) => Self::Condition(Box::new(SpanFilter::new(&written(condition))?)),
        })
    }

    /// Whether a span may fit.
    pub(super) fn lets_through(&self, trace: TraceId, span: &Span) -> Result<bool, TraceqlError> {
        Ok(self.holds(trace, span)? != Some(false))
    }

    /// Whether it holds; `None` where that isn't known.
    fn holds(&self, trace: TraceId, span: &Span) -> Result<Option<bool>, TraceqlError> {
        match self {
            Self::Condition(filter) => filter.holds(trace, span, None).map(Some),
            Self::OfTrace => Ok(None),
            Self::Not(inner) => Ok(inner.holds(trace, span)?.map(|held| !held)),
            Self::All(all) => Self::decided_by(false, all, trace, span),
            Self::Any(any) => Self::decided_by(true, any, trace, span),
        }
    }

    /// The first that is so decides; else all that are known do.
    fn decided_by(decides: bool, parts: &[Self], trace: TraceId, span: &Span) -> Result<Option<bool>, TraceqlError> {
        let mut outcome = Some(!decides);
        for part in parts {
            match part.holds(trace, span)? {
                Some(held) if held == decides => return Ok(Some(decides)),
                Some(_) => {}
                None => outcome = None,
            }
        }
        Ok(outcome)
    }
}

/// The columns that a predicate looks at.
pub(super) fn columns(predicate: &Predicate, columns: Columns) -> Columns {
    match predicate {
        Predicate::All(all) | Predicate::Any(all) => all.iter().fold(columns, |columns, one| self::columns(one, columns)),
        Predicate::Not(inner) => self::columns(inner, columns),
        Predicate::Condition(condition) if condition.field.intrinsic().is_some_and(Intrinsic::is_of_trace) => columns,
        Predicate::Condition(condition) => columns.and_fields([&condition.field]),
    }
}

/// A condition as a query writes it.
fn written(condition: &Condition) -> FieldExpr {
    let (op, value) = match &condition.test {
        Test::Compares(comparison, value) => (comparison.operator(), value.clone()),
        Test::Matches { expression, negated: false } => (BinaryOp::Matches, Value::text(&**expression)),
        Test::Matches { expression, negated: true } => (BinaryOp::NotMatches, Value::text(&**expression)),
        Test::Present => (BinaryOp::NotEqual, Value::Nil),
        Test::Absent => (BinaryOp::Equal, Value::Nil),
    };
    let expr = |kind| FieldExpr { kind, place: Place::default() };
    let field: Field = condition.field.clone();
    expr(FieldKind::Binary(op, Box::new(expr(FieldKind::Field(field))), Box::new(expr(FieldKind::Value(value)))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use icegate_traceql::{Event, parse, plan};

    fn lets_through(query: &str, span: &Span) -> bool {
        let plan = plan(&parse(query).unwrap()).remove(0);
        Sieve::new(&plan.spans).unwrap().lets_through(TraceId::default(), span).unwrap()
    }

    #[test]
    fn a_span_that_does_not_fit_is_dropped_and_one_that_may_fit_stays() {
        let span = Span {
            name: "a".into(),
            attributes: [("n", Value::Int(5)), ("t", Value::text("5"))].into_iter().collect(),
            events: vec![Event { name: "e".into(), ..Event::default() }, Event { name: "f".into(), ..Event::default() }],
            ..Span::default()
        };
        for (query, through) in [
            ("{ span.n = 5 }", true),
            (r#"{ span.n = "5" }"#, false),
            (r#"{ span.t =~ "[0-9]" && name = "a" }"#, true),
            (r#"{ span.t =~ "[0-9]" && name = "b" }"#, false),
            ("{ span.none = nil }", true),
            ("{ span.none != nil }", false),
            (r#"{ !(name = "a") }"#, false),
            (r#"{ rootName = "x" }"#, true),
            (r#"{ !(rootName = "x") }"#, true),
            (r#"{ rootName = "x" && name = "b" }"#, false),
            (r#"{ rootName = "x" || name = "b" }"#, true),
            // Conditions of two filters may hold of two events.
            (r#"{ event:name = "e" } | { event:name = "f" }"#, true),
            ("{ false }", false),
        ] {
            assert_eq!(lets_through(query, &span), through, "{query}");
        }
    }
}
