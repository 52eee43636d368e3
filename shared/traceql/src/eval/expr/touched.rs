use super::{Expr, Node, Subject, compare, fits_literal, matches_regex};
use crate::Value;
use crate::ast::{Attribute, Field, Scope};

/// A field that a query touches, and what has to hold of it to be shown.
#[derive(Clone, Debug)]
pub(crate) struct Touched {
    pub(crate) field: Field,
    test: Option<Node>,
    selected: bool,
}

impl Touched {
    /// Shown wherever a span has it; where it is `selected`, what events don't have is shown as empty.
    pub(crate) fn always(field: &Field, selected: bool) -> Self {
        Self { field: field.clone(), test: None, selected }
    }

    /// What is shown, by what has it: of events and links that of the last that fits, of arrays the elements that fit. An attribute
    /// without a scope is shown for the span and for the resource, where both have it.
    pub(crate) fn values(&self, subject: Subject<'_>) -> Vec<(Field, Value)> {
        match &self.field {
            Field::Attribute(Attribute { scope: None, name }) => {
                let absent = subject.get(&self.field).is_nil();
                let scopes = [Scope::Span, Scope::Resource].into_iter().take(if absent { 1 } else { 2 });
                let fields = scopes.map(|scope| Field::attribute(Some(scope), name));
                fields.filter_map(|field| self.value(&field, subject).map(|value| (field, value))).collect()
            }
            Field::Attribute(_) => {
                self.value(&self.field, subject).map(|value| (self.field.clone(), value)).into_iter().collect()
            }
            Field::Intrinsic(intrinsic, _) => {
                let field = Field::Intrinsic(*intrinsic, false);
                self.value(&field, subject).map(|value| (field, value)).into_iter().collect()
            }
        }
    }

    fn value(&self, field: &Field, subject: Subject<'_>) -> Option<Value> {
        let bound = subject.bound(field.is_of_event(), field.is_of_link());
        let fitting = bound.filter_map(|subject| match &self.test {
            None => Some(subject.get(field).into_owned()).filter(|value| !value.is_nil()),
            Some(test) => test.fitting(&subject.get(field)),
        });
        let empty = self.selected && field.intrinsic().is_some() && (field.is_of_event() || field.is_of_link());
        fitting.last().or_else(|| empty.then(|| Value::text("")))
    }
}

impl Expr {
    /// Adds the fields that the expression touches.
    pub(crate) fn touched(&self, into: &mut Vec<Touched>) {
        self.node.touched(into);
    }
}

impl Node {
    fn touched(&self, into: &mut Vec<Touched>) {
        match self {
            Self::Value(_) => {}
            Self::Field(field) => into.push(Touched::always(field, false)),
            Self::Both(left, right, _) | Self::Any(left, right, _) | Self::Arithmetic(_, left, right) => {
                left.touched(into);
                right.touched(into);
            }
            Self::Match { inner, .. } => self.tested(inner, into),
            Self::Compare { left, right, .. } if right.is_value() => self.tested(left, into),
            Self::Compare { left, right, .. } => {
                left.touched(into);
                right.touched(into);
            }
            Self::Nil(inner, true) => self.tested(inner, into),
            // Negated, what fails inside is what is found.
            Self::Not(inner, _) | Self::Negate(inner) | Self::Nil(inner, false) => {
                let from = into.len();
                inner.touched(into);
                into[from..].iter_mut().for_each(|touched| touched.test = None);
            }
        }
    }

    /// The value, or of an array the elements, that a comparison with a literal holds of.
    fn fitting(&self, value: &Value) -> Option<Value> {
        let fits = |value: &Value| match self {
            Self::Match { regex, negated, .. } => matches_regex(value, regex, *negated),
            Self::Compare { op, right, literal, .. } => match &**right {
                Self::Value(other) => (!literal || fits_literal(value, other)) && compare(*op, value, other),
                _ => false,
            },
            _ => value.is_nil(),
        };
        match value {
            Value::Array(values) => {
                let kept: Vec<_> = values.iter().filter(|value| fits(value)).cloned().collect();
                (!kept.is_empty()).then(|| Value::Array(kept.into()))
            }
            // It was asked for what has none, and is shown so.
            Value::Nil => fits(value).then(|| Value::text("nil")),
            other => fits(other).then(|| other.clone()),
        }
    }

    fn tested(&self, inner: &Self, into: &mut Vec<Touched>) {
        match inner {
            Self::Field(field) => into.push(Touched { field: field.clone(), test: Some(self.clone()), selected: false }),
            other => other.touched(into),
        }
    }
}
