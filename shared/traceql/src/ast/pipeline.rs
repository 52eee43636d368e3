use super::{BinaryOp, Field, FieldExpr};
use crate::Value;

/// Stages, each of which takes the spansets of the one before; the first takes all spans of a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// In order, at least one.
    pub stages: Vec<Stage>,
}

/// One stage.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// Keeps spans.
    Spanset(SpansetExpr),
    /// Keeps spansets: `count() > 2`.
    Aggregate(Aggregate),
    /// Splits spansets: `by(x)`.
    By(FieldExpr),
    /// Joins all spansets.
    Coalesce,
    /// Adds fields to the answer.
    Select(Vec<Field>),
}

/// What chooses spans of a trace.
#[derive(Clone, Debug, PartialEq)]
pub enum SpansetExpr {
    /// `{ … }`
    Filter(FieldExpr),
    /// `a >> b`
    Binary(SpansetOp, Box<SpansetExpr>, Box<SpansetExpr>),
    /// `( {…} | count() > 1 )`
    Wrapped(Box<Pipeline>),
}

/// How two spansets are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpansetOp {
    /// `&&`
    And,
    /// `||`
    Or,
    /// `>`
    Child,
    /// `>>`
    Descendant,
    /// `<`
    Parent,
    /// `<<`
    Ancestor,
    /// `~`
    Sibling,
    /// `!>`
    NotChild,
    /// `!>>`
    NotDescendant,
    /// `!<`
    NotParent,
    /// `!<<`
    NotAncestor,
    /// `!~`
    NotSibling,
    /// `&>`
    UnionChild,
    /// `&>>`
    UnionDescendant,
    /// `&<`
    UnionParent,
    /// `&<<`
    UnionAncestor,
    /// `&~`
    UnionSibling,
}

impl SpansetOp {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::And,
        Self::Or,
        Self::Child,
        Self::Descendant,
        Self::Parent,
        Self::Ancestor,
        Self::Sibling,
        Self::NotChild,
        Self::NotDescendant,
        Self::NotParent,
        Self::NotAncestor,
        Self::NotSibling,
        Self::UnionChild,
        Self::UnionDescendant,
        Self::UnionParent,
        Self::UnionAncestor,
        Self::UnionSibling,
    ];

    /// As queries write it.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::And => "&&",
            Self::Or => "||",
            Self::Child => ">",
            Self::Descendant => ">>",
            Self::Parent => "<",
            Self::Ancestor => "<<",
            Self::Sibling => "~",
            Self::NotChild => "!>",
            Self::NotDescendant => "!>>",
            Self::NotParent => "!<",
            Self::NotAncestor => "!<<",
            Self::NotSibling => "!~",
            Self::UnionChild => "&>",
            Self::UnionDescendant => "&>>",
            Self::UnionParent => "&<",
            Self::UnionAncestor => "&<<",
            Self::UnionSibling => "&~",
        }
    }

    /// Whether it looks at how spans hang together.
    #[must_use]
    pub const fn is_structural(self) -> bool {
        !matches!(self, Self::And | Self::Or)
    }

    /// Whether it keeps the spans of the right side for which the left side has no partner.
    #[must_use]
    pub const fn is_negated(self) -> bool {
        matches!(self, Self::NotChild | Self::NotDescendant | Self::NotParent | Self::NotAncestor | Self::NotSibling)
    }
}

/// `avg(duration) > 1s`
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// What is computed of the spans of a spanset.
    pub op: AggregateOp,
    /// Of what; nothing for `count()`.
    pub field: Option<FieldExpr>,
    /// How the result is compared.
    pub comparison: Comparison,
    /// With what: a number or duration.
    pub value: Value,
}

/// What is computed of the spans of a spanset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregateOp {
    /// How many there are.
    Count,
    /// The mean.
    Avg,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The sum.
    Sum,
}

impl AggregateOp {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Count, Self::Avg, Self::Min, Self::Max, Self::Sum];

    /// As queries write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Sum => "sum",
        }
    }
}

/// How numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
}

impl Comparison {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Equal, Self::NotEqual, Self::Greater, Self::GreaterOrEqual, Self::Less, Self::LessOrEqual];

    /// The operator of expressions that says the same.
    #[must_use]
    pub const fn operator(self) -> BinaryOp {
        match self {
            Self::Equal => BinaryOp::Equal,
            Self::NotEqual => BinaryOp::NotEqual,
            Self::Greater => BinaryOp::Greater,
            Self::GreaterOrEqual => BinaryOp::GreaterOrEqual,
            Self::Less => BinaryOp::Less,
            Self::LessOrEqual => BinaryOp::LessOrEqual,
        }
    }

    /// Whether two numbers stand so.
    #[must_use]
    #[allow(clippy::float_cmp, reason = "that is what `=` asks for")]
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
        }
    }
}

impl Pipeline {
    /// Calls `seen` with each filter, by() and aggregate's expression, in the order of the text.
    pub fn each_expr<'a>(&'a self, seen: &mut impl FnMut(&'a FieldExpr)) {
        for stage in &self.stages {
            match stage {
                Stage::Spanset(spanset) => spanset.each_expr(seen),
                Stage::Aggregate(Aggregate { field: Some(field), .. }) | Stage::By(field) => seen(field),
                Stage::Aggregate(_) | Stage::Coalesce | Stage::Select(_) => {}
            }
        }
    }
}

impl SpansetExpr {
    fn each_expr<'a>(&'a self, seen: &mut impl FnMut(&'a FieldExpr)) {
        match self {
            Self::Filter(expr) => seen(expr),
            Self::Binary(_, left, right) => {
                left.each_expr(seen);
                right.each_expr(seen);
            }
            Self::Wrapped(pipeline) => pipeline.each_expr(seen),
        }
    }
}
