//! The syntax tree. Where a node stands takes no part in comparing trees.

mod duration;

use icegate_syntax::{Place, Span};

pub(crate) use self::duration::QuerySpan;
pub use self::duration::{DurationExpr, DurationOp};
use crate::matcher::Matcher;
use crate::signature::Function;
use crate::text::Text;

/// What an expression evaluates to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// One number a step.
    Scalar,
    /// Series with one value a step.
    Vector,
    /// Series with a window of samples a step.
    Matrix,
    /// A text.
    String,
}

impl ValueType {
    /// As a syntax tree and an HTTP answer name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Vector => "vector",
            Self::Matrix => "matrix",
            Self::String => "string",
        }
    }

    /// As people call it.
    #[must_use]
    pub const fn documented(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Vector => "instant vector",
            Self::Matrix => "range vector",
            Self::String => "string",
        }
    }
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// `1.5`, `1h`
    Number(Number),
    /// `"text"`
    Text(TextLiteral),
    /// `name{label="value"}`
    Selector(Box<Selector>),
    /// `name{label="value"}[5m]`
    Matrix(Box<Matrix>),
    /// `expr[1h:5m]`
    Subquery(Box<Subquery>),
    /// `function(arguments)`
    Call(Call),
    /// `sum by (label) (expr)`
    Aggregate(Box<Aggregate>),
    /// `left + right`
    Binary(Box<Binary>),
    /// `-expr`
    Unary(Box<Unary>),
    /// `(expr)`
    Paren(Box<Paren>),
}

/// A number.
#[derive(Clone, Debug)]
pub struct Number {
    /// Its value; a duration's in seconds.
    pub value: f64,
    /// Whether it is written as a duration.
    pub is_duration: bool,
    /// Where it stands.
    pub place: Place,
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        (self.value == other.value || self.value.is_nan() && other.value.is_nan()) && self.is_duration == other.is_duration
    }
}

/// A string literal.
#[derive(Clone, Debug, PartialEq)]
pub struct TextLiteral {
    /// What it says.
    pub text: Text,
    /// Where it stands.
    pub place: Place,
}

/// The time that `@` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Milliseconds since the epoch.
    Time(i64),
    /// The first step.
    Start,
    /// The last step.
    End,
}

/// `@` and `offset`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timing {
    /// `@`
    pub at: Option<At>,
    /// Milliseconds that it looks back.
    pub offset: i64,
    /// An offset that must be computed.
    pub offset_expr: Option<DurationExpr>,
}

/// How samples outside of a window take part in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extended {
    /// Not at all.
    No,
    /// The last sample before the window stands at its start.
    Anchored,
    /// Values at the edges are interpolated.
    Smoothed,
}

/// An instant vector selector. The order of its conditions takes no part in comparing.
#[derive(Clone, Debug)]
pub struct Selector {
    /// The name, where it stands before the braces.
    pub name: Option<String>,
    /// All matchers, that of the name last where it stands before the braces.
    pub matchers: Vec<Matcher>,
    /// `@` and `offset`.
    pub timing: Timing,
    /// `anchored` or `smoothed`.
    pub extended: Extended,
    /// Where it stands, with its modifiers.
    pub place: Place,
}

impl PartialEq for Selector {
    fn eq(&self, other: &Self) -> bool {
        let sorted = |selector: &Self| {
            let mut matchers: Vec<String> = selector.matchers.iter().map(ToString::to_string).collect();
            matchers.sort();
            matchers
        };
        (&self.name, &self.timing, self.extended) == (&other.name, &other.timing, other.extended) && sorted(self) == sorted(other)
    }
}

/// A range vector selector.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// What it selects, and its modifiers.
    pub selector: Selector,
    /// Milliseconds of the window.
    pub range: i64,
    /// A window that must be computed.
    pub range_expr: Option<DurationExpr>,
    /// Where it stands, with its modifiers.
    pub place: Place,
}

/// An instant vector at many times.
#[derive(Clone, Debug, PartialEq)]
pub struct Subquery {
    /// What is evaluated.
    pub expr: Expr,
    /// Milliseconds of the window.
    pub range: i64,
    /// A window that must be computed.
    pub range_expr: Option<DurationExpr>,
    /// Milliseconds between two times; zero for the default.
    pub step: i64,
    /// A step that must be computed.
    pub step_expr: Option<DurationExpr>,
    /// `@` and `offset`.
    pub timing: Timing,
    /// Where it stands, with its modifiers.
    pub place: Place,
}

/// A call of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Which.
    pub function: &'static Function,
    /// With what.
    pub args: Vec<Expr>,
    /// Where it stands.
    pub place: Place,
}

/// Which labels make a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grouping {
    /// Whether all labels but these do.
    pub without: bool,
    /// The labels as written.
    pub labels: Vec<String>,
}

/// An aggregation over series.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// Its name.
    pub op: &'static str,
    /// The parameter of those that have one.
    pub param: Option<Expr>,
    /// What is aggregated.
    pub expr: Expr,
    /// By which labels.
    pub grouping: Grouping,
    /// Where it stands.
    pub place: Place,
}

/// How many series of a side meet one of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cardinality {
    /// One.
    OneToOne,
    /// Many of the left (`group_left`).
    ManyToOne,
    /// Many of the right (`group_right`).
    OneToMany,
    /// Whole sets meet.
    ManyToMany,
}

impl Cardinality {
    /// As a syntax tree names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneToOne => "one-to-one",
            Self::ManyToOne => "many-to-one",
            Self::OneToMany => "one-to-many",
            Self::ManyToMany => "many-to-many",
        }
    }
}

/// How series of two sides meet.
#[derive(Clone, Debug)]
pub struct Matching {
    /// How many meet how many.
    pub card: Cardinality,
    /// Whether they meet on the labels, or on all others.
    pub on: bool,
    /// The labels as written.
    pub labels: Vec<String>,
    /// Labels that the side with one gives to the result.
    pub include: Vec<String>,
    /// Stands for a series that is missing on the left.
    pub fill_left: Option<f64>,
    /// Stands for a series that is missing on the right.
    pub fill_right: Option<f64>,
}

impl PartialEq for Matching {
    fn eq(&self, other: &Self) -> bool {
        let bits = |fill: Option<f64>| fill.map(f64::to_bits);
        (self.card, self.on, &self.labels, &self.include) == (other.card, other.on, &other.labels, &other.include)
            && (bits(self.fill_left), bits(self.fill_right)) == (bits(other.fill_left), bits(other.fill_right))
    }
}

/// An operation on two sides.
#[derive(Clone, Debug, PartialEq)]
pub struct Binary {
    /// Which, in lower case.
    pub op: &'static str,
    /// The left side.
    pub left: Expr,
    /// The right side.
    pub right: Expr,
    /// Whether a comparison gives 0 or 1.
    pub return_bool: bool,
    /// How series meet; `None` where a side is a scalar.
    pub matching: Option<Matching>,
    /// Where the operation stands, from the end of the left side to the start of the right one.
    pub op_place: Place,
}

/// An operation on one side.
#[derive(Clone, Debug, PartialEq)]
pub struct Unary {
    /// Whether it negates; a plus changes nothing.
    pub negative: bool,
    /// On what.
    pub expr: Expr,
    /// Where the sign stands.
    pub place: Place,
}

/// Something in brackets.
#[derive(Clone, Debug, PartialEq)]
pub struct Paren {
    /// What stands in them.
    pub expr: Expr,
    /// Where they stand.
    pub place: Place,
}

impl Expr {
    /// What it evaluates to, if it is well typed.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Number(_) => ValueType::Scalar,
            Self::Text(_) => ValueType::String,
            Self::Selector(_) | Self::Aggregate(_) => ValueType::Vector,
            Self::Matrix(_) | Self::Subquery(_) => ValueType::Matrix,
            Self::Call(call) => call.function.returns,
            Self::Binary(binary) => match (binary.left.value_type(), binary.right.value_type()) {
                (ValueType::Scalar, ValueType::Scalar) => ValueType::Scalar,
                _ => ValueType::Vector,
            },
            Self::Unary(unary) => unary.expr.value_type(),
            Self::Paren(paren) => paren.expr.value_type(),
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Number(node) => node.place.0,
            Self::Text(node) => node.place.0,
            Self::Selector(node) => node.place.0,
            Self::Matrix(node) => node.place.0,
            Self::Subquery(node) => node.place.0,
            Self::Call(node) => node.place.0,
            Self::Aggregate(node) => node.place.0,
            Self::Binary(node) => node.left.span().to(node.right.span()),
            Self::Unary(node) => node.place.0.to(node.expr.span()),
            Self::Paren(node) => node.place.0,
        }
    }

    /// Without the brackets around it.
    #[must_use]
    pub fn unwrapped(&self) -> &Self {
        let mut expr = self;
        while let Self::Paren(paren) = expr {
            expr = &paren.expr;
        }
        expr
    }

    /// The expressions right below it.
    #[must_use]
    pub fn children(&self) -> Vec<&Self> {
        match self {
            Self::Number(_) | Self::Text(_) | Self::Selector(_) | Self::Matrix(_) => Vec::new(),
            Self::Subquery(node) => vec![&node.expr],
            Self::Call(node) => node.args.iter().collect(),
            Self::Aggregate(node) => node.param.iter().chain([&node.expr]).collect(),
            Self::Binary(node) => vec![&node.left, &node.right],
            Self::Unary(node) => vec![&node.expr],
            Self::Paren(node) => vec![&node.expr],
        }
    }

    /// The expressions right below it, to change them.
    pub fn children_mut(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Number(_) | Self::Text(_) | Self::Selector(_) | Self::Matrix(_) => Vec::new(),
            Self::Subquery(node) => vec![&mut node.expr],
            Self::Call(node) => node.args.iter_mut().collect(),
            Self::Aggregate(node) => {
                let Aggregate { param, expr, .. } = &mut **node;
                param.iter_mut().chain([expr]).collect()
            }
            Self::Binary(node) => {
                let Binary { left, right, .. } = &mut **node;
                vec![left, right]
            }
            Self::Unary(node) => vec![&mut node.expr],
            Self::Paren(node) => vec![&mut node.expr],
        }
    }

    /// `@` and `offset`, of what has them.
    pub const fn timing_mut(&mut self) -> Option<&mut Timing> {
        match self {
            Self::Selector(node) => Some(&mut node.timing),
            Self::Matrix(node) => Some(&mut node.selector.timing),
            Self::Subquery(node) => Some(&mut node.timing),
            _ => None,
        }
    }
}
