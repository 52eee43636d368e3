mod arithmetic;
mod compare;
mod touched;

use std::borrow::Cow;

use regex::Regex;

pub(crate) use arithmetic::arithmetic;
pub(crate) use compare::{compare, fits_literal};
pub(crate) use touched::Touched;

use super::Subject;
use crate::ast::{BinaryOp, Field, FieldExpr, FieldKind, Intrinsic, UnaryOp};
use crate::trace::without_zeros;
use crate::{TraceqlError, Value, pattern};

/// How many pairs of an event and a link of one span an expression on both looks at.
const MAX_PAIRS: usize = 1 << 20;

/// An expression ready to run.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    node: Node,
    /// Whether it names something of events.
    events: bool,
    /// Whether it names something of links.
    links: bool,
}

#[derive(Clone, Debug)]
enum Node {
    Value(Value),
    Field(Field),
    /// With its text for errors.
    Not(Box<Node>, String),
    Negate(Box<Node>),
    /// Whether both or any has to hold, with its text for errors.
    Both(Box<Node>, Box<Node>, String),
    Any(Box<Node>, Box<Node>, String),
    /// Whether it is nil, or isn't.
    Nil(Box<Node>, bool),
    Match {
        inner: Box<Node>,
        regex: Regex,
        negated: bool,
    },
    /// `literal` says which type the left side has to have, where it is an attribute compared with a literal.
    Compare {
        op: BinaryOp,
        left: Box<Node>,
        right: Box<Node>,
        literal: bool,
    },
    Arithmetic(BinaryOp, Box<Node>, Box<Node>),
}

impl Expr {
    pub(crate) fn new(expr: &FieldExpr) -> Result<Self, TraceqlError> {
        let (mut events, mut links) = (false, false);
        expr.each_field(&mut |field| {
            events |= field.is_of_event();
            links |= field.is_of_link();
        });
        Ok(Self { node: Node::new(expr)?, events, links })
    }

    /// Whether it holds of a span: with any one of its events and links, where it names something of them. What isn't there makes
    /// it fail.
    pub(crate) fn holds(&self, subject: Subject<'_>) -> Result<bool, TraceqlError> {
        self.bounded(subject)?;
        for bound in subject.bound(self.events, self.links) {
            if *self.node.value(&bound)? == Value::Bool(true) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Its value for a span: the first that isn't nil of its events and links.
    pub(crate) fn value<'a>(&'a self, subject: Subject<'a>) -> Result<Cow<'a, Value>, TraceqlError> {
        self.bounded(subject)?;
        for bound in subject.bound(self.events, self.links) {
            let value = self.node.value(&bound)?;
            if !value.is_nil() {
                return Ok(value);
            }
        }
        Ok(Cow::Owned(Value::Nil))
    }

    fn bounded(&self, subject: Subject<'_>) -> Result<(), TraceqlError> {
        let pairs = subject.span.events.len().saturating_mul(subject.span.links.len());
        if self.events && self.links && pairs > MAX_PAIRS {
            return Err(TraceqlError::TooManyPairs { pairs, limit: MAX_PAIRS });
        }
        Ok(())
    }

    /// Whether it is true of all spans.
    pub(crate) fn always(&self) -> bool {
        matches!(self.node, Node::Value(Value::Bool(true)))
    }
}

impl Node {
    fn new(expr: &FieldExpr) -> Result<Self, TraceqlError> {
        let boxed = |expr: &FieldExpr| Self::new(expr).map(Box::new);
        Ok(match &expr.kind {
            FieldKind::Value(value) => Self::Value(value.clone()),
            FieldKind::Field(field) => Self::Field(field.clone()),
            FieldKind::Unary(UnaryOp::Not, inner) => Self::Not(boxed(inner)?, expr.to_string()),
            FieldKind::Unary(UnaryOp::Negate, inner) => Self::Negate(boxed(inner)?).folded(),
            FieldKind::Binary(op, left, right) => match op {
                BinaryOp::And => Self::Both(boxed(left)?, boxed(right)?, expr.to_string()),
                BinaryOp::Or => Self::Any(boxed(left)?, boxed(right)?, expr.to_string()),
                BinaryOp::Matches | BinaryOp::NotMatches => Self::regex(*op, left, right)?,
                _ if op.level() == 2 => Self::comparison(*op, Self::new(left)?, Self::new(right)?).folded(),
                _ => Self::Arithmetic(*op, boxed(left)?, boxed(right)?).folded(),
            },
        })
    }

    /// What is the same for all spans is computed once; what fails is left to fail where it is looked at.
    fn folded(self) -> Self {
        let constant = match &self {
            Self::Negate(inner) => inner.is_value(),
            Self::Compare { left, right, .. } | Self::Arithmetic(_, left, right) => left.is_value() && right.is_value(),
            _ => false,
        };
        let span = crate::Span::default();
        let value = constant.then(|| self.value(&Subject::alone(Default::default(), &span, None)).map(Cow::into_owned));
        match value {
            Some(Ok(value)) => Self::Value(value),
            _ => self,
        }
    }

    const fn is_value(&self) -> bool {
        matches!(self, Self::Value(_))
    }

    fn regex(op: BinaryOp, left: &FieldExpr, right: &FieldExpr) -> Result<Self, TraceqlError> {
        let expression = match &right.kind {
            FieldKind::Value(Value::Text(expression)) => &**expression,
            _ => "",
        };
        let regex = pattern::whole(expression).map_err(|reason| TraceqlError::meaning(expression, reason, right.place.0))?;
        Ok(Self::Match { inner: Box::new(Self::new(left)?), regex, negated: op == BinaryOp::NotMatches })
    }

    fn comparison(op: BinaryOp, left: Self, right: Self) -> Self {
        match (left, right) {
            (Self::Value(Value::Nil), Self::Value(Value::Nil)) => Self::Value(Value::Bool(op == BinaryOp::Equal)),
            (inner, Self::Value(Value::Nil)) | (Self::Value(Value::Nil), inner) => {
                Self::Nil(Box::new(inner), op == BinaryOp::Equal)
            }
            // The literal stands on the right from here on.
            (Self::Value(value), field @ Self::Field(_)) => Self::comparison(op.swapped(), field, Self::Value(value)),
            (Self::Field(field), Self::Value(value)) => {
                let literal = field.intrinsic().is_none();
                let value = normalised(&field, value);
                Self::Compare { op, left: Box::new(Self::Field(field)), right: Box::new(Self::Value(value)), literal }
            }
            (left, right) => Self::Compare { op, left: Box::new(left), right: Box::new(right), literal: false },
        }
    }

    fn value<'a>(&'a self, subject: &Subject<'a>) -> Result<Cow<'a, Value>, TraceqlError> {
        let bool = |value| Ok(Cow::Owned(Value::Bool(value)));
        match self {
            Self::Value(value) => Ok(Cow::Borrowed(value)),
            Self::Field(field) => Ok(subject.get(field)),
            Self::Not(inner, text) => match &*inner.value(subject)? {
                Value::Nil => Ok(Cow::Owned(Value::Nil)),
                value => bool(!truth(value, text)?),
            },
            Self::Both(left, right, text) => bool(truth(&*left.value(subject)?, text)? && truth(&*right.value(subject)?, text)?),
            Self::Any(left, right, text) => bool(truth(&*left.value(subject)?, text)? || truth(&*right.value(subject)?, text)?),
            Self::Nil(inner, wanted) => bool(inner.value(subject)?.is_nil() == *wanted),
            Self::Match { inner, regex, negated } => bool(matches_regex(&*inner.value(subject)?, regex, *negated)),
            Self::Compare { op, left, right, literal } => {
                let (left, right) = (left.value(subject)?, right.value(subject)?);
                bool((!literal || fits_literal(&left, &right)) && compare(*op, &left, &right))
            }
            Self::Negate(inner) => arithmetic(BinaryOp::Subtract, &Value::Int(0), &*inner.value(subject)?).map(Cow::Owned),
            Self::Arithmetic(op, left, right) => arithmetic(*op, &*left.value(subject)?, &*right.value(subject)?).map(Cow::Owned),
        }
    }
}

/// Ids of traces are compared without their leading zeros.
pub(crate) fn normalised(field: &Field, value: Value) -> Value {
    match (field.intrinsic(), value) {
        (Some(Intrinsic::TraceId | Intrinsic::LinkTraceId), Value::Text(id)) => {
            Value::text(without_zeros(&id).to_ascii_lowercase())
        }
        (Some(Intrinsic::SpanId | Intrinsic::ParentId | Intrinsic::LinkSpanId), Value::Text(id)) => {
            Value::text(id.to_ascii_lowercase())
        }
        (_, value) => value,
    }
}

/// What isn't there is false.
fn truth(value: &Value, text: &str) -> Result<bool, TraceqlError> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::Nil => Ok(false),
        other => Err(TraceqlError::NotBoolean { expression: text.to_owned(), found: other.type_name() }),
    }
}

/// Any element of an array has to fit; negated none may.
pub(crate) fn matches_regex(value: &Value, regex: &Regex, negated: bool) -> bool {
    match value {
        Value::Text(text) => regex.is_match(text) != negated,
        Value::Array(values) if negated => {
            values.iter().all(|value| matches!(value, Value::Text(_)) && matches_regex(value, regex, true))
        }
        Value::Array(values) => values.iter().any(|value| matches_regex(value, regex, false)),
        _ => false,
    }
}
