//! What a query can't mean, decided by its text alone.

use icegate_syntax::Span;

use crate::ast::{
    Aggregate, BinaryOp, Expr, FieldExpr, FieldKind, Intrinsic, MetricsExpr, MetricsFunction, Pipeline, Query, SecondStage,
    SpansetExpr, Stage, UnaryOp,
};
use crate::{TraceqlError, Value, pattern};

/// What is known of an expression's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    /// An attribute can be anything.
    Any,
    Nil,
    Number,
    Bool,
    Text,
    Status,
    Kind,
}

/// Checks a whole query.
pub(crate) fn query(text: &str, query: &Query) -> Result<(), TraceqlError> {
    let check = Check { text };
    match &query.expr {
        Expr::Search(pipeline) => check.pipeline(pipeline),
        Expr::Metrics(metrics) => check.metrics(metrics, false),
    }
}

/// Checks one filter.
pub(crate) fn filter(text: &str, filter: &FieldExpr) -> Result<(), TraceqlError> {
    Check { text }.filter(filter)
}

struct Check<'a> {
    text: &'a str,
}

impl Check<'_> {
    fn error<T>(&self, message: impl Into<String>, span: Span) -> Result<T, TraceqlError> {
        Err(TraceqlError::meaning(self.text, message, span))
    }

    fn metrics(&self, metrics: &MetricsExpr, used: bool) -> Result<(), TraceqlError> {
        match metrics {
            MetricsExpr::Scalar(_) => Ok(()),
            MetricsExpr::Leaf(leaf) => {
                self.pipeline(&leaf.pipeline)?;
                match &leaf.function {
                    MetricsFunction::Compare(_) if used => {
                        self.error("compare() answers no numbers that second stages and arithmetic could take", Span::default())
                    }
                    MetricsFunction::Compare(compare) => self.filter(&compare.selection),
                    _ => Ok(()),
                }
            }
            MetricsExpr::Binary(_, left, right) => {
                self.metrics(left, true)?;
                self.metrics(right, true)
            }
            MetricsExpr::Staged(inner, stages) => {
                if stages.iter().any(|stage| matches!(stage, SecondStage::TopK(0) | SecondStage::BottomK(0))) {
                    return self.error("topk() and bottomk() need a number above 0", Span::default());
                }
                self.metrics(inner, true)
            }
        }
    }

    fn pipeline(&self, pipeline: &Pipeline) -> Result<(), TraceqlError> {
        pipeline.stages.iter().try_for_each(|stage| match stage {
            Stage::Spanset(spanset) => self.spanset(spanset),
            Stage::Aggregate(aggregate) => self.aggregate(aggregate),
            Stage::By(expr) => {
                self.type_of(expr)?;
                self.names_a_field("by()", expr)
            }
            Stage::Coalesce | Stage::Select(_) => Ok(()),
        })
    }

    fn spanset(&self, spanset: &SpansetExpr) -> Result<(), TraceqlError> {
        match spanset {
            SpansetExpr::Filter(expr) => self.filter(expr),
            SpansetExpr::Binary(_, left, right) => {
                self.spanset(left)?;
                self.spanset(right)
            }
            SpansetExpr::Wrapped(pipeline) => self.pipeline(pipeline),
        }
    }

    fn filter(&self, expr: &FieldExpr) -> Result<(), TraceqlError> {
        match self.type_of(expr)? {
            Type::Bool | Type::Any => Ok(()),
            found => self.error(format!("a spanset filter needs true or false, and {expr} is {}", found.name()), expr.place.0),
        }
    }

    fn aggregate(&self, aggregate: &Aggregate) -> Result<(), TraceqlError> {
        let Some(field) = &aggregate.field else { return Ok(()) };
        let name = format!("{}()", aggregate.op.name());
        match self.type_of(field)? {
            Type::Number | Type::Any => self.names_a_field(&name, field),
            found => self.error(format!("{name} needs numbers, and {field} is {}", found.name()), field.place.0),
        }
    }

    fn names_a_field(&self, name: &str, expr: &FieldExpr) -> Result<(), TraceqlError> {
        if expr.names_a_field() {
            return Ok(());
        }
        self.error(format!("{name} needs something of the span, and {expr} is the same for all"), expr.place.0)
    }

    fn type_of(&self, expr: &FieldExpr) -> Result<Type, TraceqlError> {
        match &expr.kind {
            FieldKind::Value(value) => Ok(Type::of(value)),
            FieldKind::Field(field) => Ok(field.intrinsic().map_or(Type::Any, Type::of_intrinsic)),
            FieldKind::Unary(op, inner) => {
                let (wanted, words) = match op {
                    UnaryOp::Not => (Type::Bool, "true or false"),
                    UnaryOp::Negate => (Type::Number, "a number"),
                };
                let found = self.type_of(inner)?;
                if found == wanted || found == Type::Any {
                    return Ok(wanted);
                }
                self.error(format!("{} needs {words}, and {inner} is {}", op.symbol(), found.name()), inner.place.0)
            }
            FieldKind::Binary(op, left, right) => self.binary(*op, left, right, expr.place.0),
        }
    }

    fn binary(&self, op: BinaryOp, left: &FieldExpr, right: &FieldExpr, span: Span) -> Result<Type, TraceqlError> {
        let types = (self.type_of(left)?, self.type_of(right)?);
        if matches!(op, BinaryOp::Matches | BinaryOp::NotMatches) {
            return self.regex(op, left, right, types.0);
        }
        if types.0 == Type::Nil || types.1 == Type::Nil {
            return self.nil(op, left, right, span);
        }
        if types.0 != types.1 && types.0 != Type::Any && types.1 != Type::Any {
            let (one, other) = (types.0.name(), types.1.name());
            return self
                .error(format!("both sides of {op} need one type: {left} is {one}, {right} is {other}", op = op.symbol()), span);
        }
        let known = if types.0 == Type::Any { types.1 } else { types.0 };
        let (fits, answer) = match op {
            BinaryOp::And | BinaryOp::Or => (known == Type::Bool, Type::Bool),
            BinaryOp::Equal | BinaryOp::NotEqual => (true, Type::Bool),
            BinaryOp::Greater | BinaryOp::GreaterOrEqual | BinaryOp::Less | BinaryOp::LessOrEqual => {
                (known == Type::Number || known == Type::Text, Type::Bool)
            }
            _ => (known == Type::Number, Type::Number),
        };
        if fits || known == Type::Any {
            return Ok(answer);
        }
        self.error(format!("{} can't take {}: {left}, {right}", op.symbol(), known.name()), span)
    }

    fn regex(&self, op: BinaryOp, left: &FieldExpr, right: &FieldExpr, found: Type) -> Result<Type, TraceqlError> {
        let op = op.symbol();
        if found != Type::Text && found != Type::Any {
            return self.error(format!("{op} needs a string, and {left} is {}", found.name()), left.place.0);
        }
        let FieldKind::Value(Value::Text(expression)) = &right.kind else {
            return self.error(format!("{op} needs a regular expression in quotes on its right, not {right}"), right.place.0);
        };
        match pattern::whole(expression) {
            Ok(_) => Ok(Type::Bool),
            Err(reason) => self.error(format!("invalid regular expression {right}: {reason}"), right.place.0),
        }
    }

    /// Every span has intrinsics and a service, so asking for none of them is a mistake.
    fn nil(&self, op: BinaryOp, left: &FieldExpr, right: &FieldExpr, span: Span) -> Result<Type, TraceqlError> {
        if !matches!(op, BinaryOp::Equal | BinaryOp::NotEqual) {
            return self.error(format!("{} can't take nil: {left}, {right}", op.symbol()), span);
        }
        let always = |expr: &FieldExpr| matches!(&expr.kind, FieldKind::Field(field) if field.intrinsic().is_some() || field.is_service_name());
        match [left, right].into_iter().find(|expr| op == BinaryOp::Equal && always(expr)) {
            Some(expr) => self.error(format!("{expr} is never nil"), span),
            None => Ok(Type::Bool),
        }
    }
}

impl Type {
    const fn of(value: &Value) -> Self {
        match value {
            Value::Nil => Self::Nil,
            Value::Int(_) | Value::Float(_) | Value::Duration(_) => Self::Number,
            Value::Bool(_) => Self::Bool,
            Value::Text(_) => Self::Text,
            Value::Status(_) => Self::Status,
            Value::Kind(_) => Self::Kind,
            Value::Array(_) => Self::Any,
        }
    }

    const fn of_intrinsic(intrinsic: Intrinsic) -> Self {
        match intrinsic {
            Intrinsic::Duration
            | Intrinsic::TraceDuration
            | Intrinsic::NestedSetLeft
            | Intrinsic::NestedSetRight
            | Intrinsic::NestedSetParent
            | Intrinsic::ChildCount
            | Intrinsic::EventTimeSinceStart => Self::Number,
            Intrinsic::Status => Self::Status,
            Intrinsic::Kind => Self::Kind,
            _ => Self::Text,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Any => "an attribute",
            Self::Nil => "nil",
            Self::Number => "a number",
            Self::Bool => "true or false",
            Self::Text => "a string",
            Self::Status => "a status",
            Self::Kind => "a kind",
        }
    }
}
