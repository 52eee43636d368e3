//! The syntax tree.

mod field;
mod field_expr;
mod metrics;
mod pipeline;

pub(crate) use field::ends_name;
pub use field::{Attribute, Field, Intrinsic, Scope};
pub(crate) use field_expr::UNARY_LEVEL;
pub use field_expr::{BinaryOp, FieldExpr, FieldKind, UnaryOp};
pub use metrics::{Compare, MathOp, MetricsExpr, MetricsFunction, MetricsQuery, SecondStage};
pub(crate) use metrics::{DEFAULT_TOP, FUNCTIONS};
pub use pipeline::{Aggregate, AggregateOp, Comparison, Pipeline, SpansetExpr, SpansetOp, Stage};

use crate::Value;

/// A whole query.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// What is asked for.
    pub expr: Expr,
    /// `with (name = value, …)`
    pub hints: Vec<(String, Value)>,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// Spans.
    Search(Pipeline),
    /// Numbers.
    Metrics(MetricsExpr),
}

impl Query {
    /// The value of a hint.
    #[must_use]
    pub fn hint(&self, name: &str) -> Option<&Value> {
        self.hints.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The pipelines whose spans the query looks at: one of a search, one of each function of a metrics query.
    #[must_use]
    pub fn pipelines(&self) -> Vec<&Pipeline> {
        match &self.expr {
            Expr::Search(pipeline) => vec![pipeline],
            Expr::Metrics(metrics) => metrics.leaves().into_iter().map(|leaf| &leaf.pipeline).collect(),
        }
    }
}
