use std::fmt;

use crate::Value;
use crate::ast::{BinaryOp, Comparison, Field, FieldExpr, FieldKind, UnaryOp};
use crate::eval::normalised;

/// What columns can decide of one span.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// One condition.
    Condition(Condition),
    /// What the inner one doesn't let through, also because a span hasn't what it asks for.
    Not(Box<Predicate>),
    /// All of these; of none, everything.
    All(Vec<Predicate>),
    /// Any of these; of none, nothing.
    Any(Vec<Predicate>),
}

/// A condition on one field. Of events and links any one may fit; of arrays any element, and for [`Test::Matches`] negated all.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// What is looked at.
    pub field: Field,
    /// What has to hold of it.
    pub test: Test,
}

/// What has to hold of a field. What isn't there fits none of them but [`Test::Absent`].
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// It compares so with a value. An attribute has the value's type: a whole number doesn't compare with a fractional one.
    Compares(Comparison, Value),
    /// The regular expression (RE2) fits all of the text, or doesn't.
    Matches {
        /// The expression.
        expression: String,
        /// Whether it mustn't fit.
        negated: bool,
    },
    /// It is there.
    Present,
    /// It isn't there.
    Absent,
}

impl Predicate {
    /// All of these, without what says nothing.
    pub(super) fn all(all: Vec<Self>) -> Self {
        let mut flat = Vec::new();
        for one in all {
            match one {
                Self::All(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        if flat.len() == 1 { flat.swap_remove(0) } else { Self::All(flat) }
    }

    /// Any of these; everything where one of them is everything.
    pub(super) fn any(any: Vec<Self>) -> Self {
        let mut flat: Vec<Self> = Vec::new();
        for one in any {
            match one {
                Self::All(inner) if inner.is_empty() => return Self::All(inner),
                Self::Any(inner) => flat.extend(inner),
                other if flat.contains(&other) => {}
                other => flat.push(other),
            }
        }
        if flat.len() == 1 { flat.swap_remove(0) } else { Self::Any(flat) }
    }

    /// Whether it looks at events or links.
    fn is_of_parts(&self) -> bool {
        match self {
            Self::Condition(condition) => condition.field.is_of_event() || condition.field.is_of_link(),
            Self::Not(inner) => inner.is_of_parts(),
            Self::All(all) | Self::Any(all) => all.iter().any(Self::is_of_parts),
        }
    }
}

/// What was pushed down of an expression.
#[derive(Clone, Debug)]
pub(super) struct Pushed {
    pub(super) predicate: Predicate,
    /// Whether it says all that the expression says.
    pub(super) exact: bool,
}

impl Pushed {
    pub(super) const EVERYTHING: Self = Self { predicate: Predicate::All(Vec::new()), exact: true };
    /// Nothing is known.
    const UNKNOWN: Self = Self { predicate: Predicate::All(Vec::new()), exact: false };

    pub(super) fn and(self, other: Self) -> Self {
        // Conditions of one filter on events have to hold of one and the same event.
        let parts = self.predicate.is_of_parts() && other.predicate.is_of_parts();
        let exact = self.exact && other.exact && !parts;
        Self { predicate: Predicate::all(vec![self.predicate, other.predicate]), exact }
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self { predicate: Predicate::any(vec![self.predicate, other.predicate]), exact: self.exact && other.exact }
    }

    pub(super) fn of(expr: &FieldExpr) -> Self {
        match &expr.kind {
            FieldKind::Value(Value::Bool(true)) => Self::EVERYTHING,
            FieldKind::Value(_) => Self { predicate: Predicate::Any(Vec::new()), exact: true },
            FieldKind::Field(field) if field.intrinsic().is_none() => {
                // Of an array it isn't enough that one element is true.
                Self { exact: false, ..Self::condition(field, Test::Compares(Comparison::Equal, Value::Bool(true))) }
            }
            FieldKind::Unary(UnaryOp::Not, inner) => Self::of(inner).negated(),
            FieldKind::Binary(BinaryOp::And, left, right) => Self::of(left).and(Self::of(right)),
            FieldKind::Binary(BinaryOp::Or, left, right) => Self::of(left).or(Self::of(right)),
            FieldKind::Binary(op, left, right) => Self::comparison(*op, left, right),
            _ => Self::UNKNOWN,
        }
    }

    /// Only what is decided wholly can be turned around; and an event that fits doesn't say that no other one fails.
    fn negated(self) -> Self {
        if !self.exact || self.predicate.is_of_parts() {
            return Self::UNKNOWN;
        }
        Self { predicate: Predicate::Not(Box::new(self.predicate)), exact: true }
    }

    fn comparison(op: BinaryOp, left: &FieldExpr, right: &FieldExpr) -> Self {
        let (op, field, value) = match (&left.kind, &right.kind) {
            (FieldKind::Field(field), _) => (op, field, literal(right)),
            (_, FieldKind::Field(field)) => (op.swapped(), field, literal(left)),
            _ => return Self::UNKNOWN,
        };
        let Some(value) = value else { return Self::UNKNOWN };
        let test = match (op, value) {
            (BinaryOp::Equal, Value::Nil) => Test::Absent,
            (BinaryOp::NotEqual, Value::Nil) => Test::Present,
            (BinaryOp::Matches | BinaryOp::NotMatches, Value::Text(expression)) => {
                Test::Matches { expression: expression.to_string(), negated: op == BinaryOp::NotMatches }
            }
            (op, value) => match Comparison::ALL.into_iter().find(|comparison| comparison.operator() == op) {
                Some(comparison) => Test::Compares(comparison, normalised(field, value)),
                None => return Self::UNKNOWN,
            },
        };
        Self::condition(field, test)
    }

    fn condition(field: &Field, test: Test) -> Self {
        Self { predicate: Predicate::Condition(Condition { field: field.clone(), test }), exact: true }
    }
}

/// A value, also a negative one.
fn literal(expr: &FieldExpr) -> Option<Value> {
    match &expr.kind {
        FieldKind::Value(value) => Some(value.clone()),
        FieldKind::Unary(UnaryOp::Negate, inner) => match literal(inner)? {
            Value::Int(value) => value.checked_neg().map(Value::Int),
            Value::Float(value) => Some(Value::Float(-value)),
            Value::Duration(nanos) => nanos.checked_neg().map(Value::Duration),
            _ => None,
        },
        _ => None,
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, name: &str, all: &[Self]| {
            write!(f, "{name}(")?;
            for (index, one) in all.iter().enumerate() {
                write!(f, "{}{one}", if index > 0 { ", " } else { "" })?;
            }
            f.write_str(")")
        };
        match self {
            Self::All(all) if all.is_empty() => f.write_str("everything"),
            Self::Any(any) if any.is_empty() => f.write_str("nothing"),
            Self::All(all) => list(f, "all", all),
            Self::Any(any) => list(f, "any", any),
            Self::Not(inner) => write!(f, "not({inner})"),
            Self::Condition(condition) => write!(f, "{condition}"),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.test)
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compares(op, value) => write!(f, "{} {value}", op.operator().symbol()),
            Self::Matches { expression, negated } => {
                write!(f, "{} {}", if *negated { "!~" } else { "=~" }, Value::text(&**expression))
            }
            Self::Present => f.write_str("is present"),
            Self::Absent => f.write_str("is absent"),
        }
    }
}
