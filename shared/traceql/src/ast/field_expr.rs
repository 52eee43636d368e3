use icegate_syntax::Place;

use super::Field;
use crate::Value;

/// An expression on one span.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldExpr {
    /// What it is.
    pub kind: FieldKind,
    /// Where it stands.
    pub place: Place,
}

/// What an expression on one span can be.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldKind {
    /// A value.
    Value(Value),
    /// Something that the span has.
    Field(Field),
    /// `!x`, `-x`
    Unary(UnaryOp, Box<FieldExpr>),
    /// `x + y`
    Binary(BinaryOp, Box<FieldExpr>, Box<FieldExpr>),
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `!`
    Not,
    /// `-`
    Negate,
}

/// Operators with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `&&`
    And,
    /// `||`
    Or,
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
    /// `=~`
    Matches,
    /// `!~`
    NotMatches,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
    /// `^`
    Power,
}

/// How tight a unary operator binds.
pub(crate) const UNARY_LEVEL: u8 = 4;

impl BinaryOp {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::And,
        Self::Or,
        Self::Equal,
        Self::NotEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Less,
        Self::LessOrEqual,
        Self::Matches,
        Self::NotMatches,
        Self::Add,
        Self::Subtract,
        Self::Multiply,
        Self::Divide,
        Self::Modulo,
        Self::Power,
    ];

    /// As queries write it.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::And => "&&",
            Self::Or => "||",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Matches => "=~",
            Self::NotMatches => "!~",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Power => "^",
        }
    }

    /// How tight it binds, from 1. `&&` and `||` bind alike.
    #[must_use]
    pub const fn level(self) -> u8 {
        match self {
            Self::And | Self::Or => 1,
            Self::Add | Self::Subtract => 3,
            Self::Multiply | Self::Divide | Self::Modulo => 5,
            Self::Power => 6,
            _ => 2,
        }
    }

    /// The operator that says the same of swapped operands.
    #[must_use]
    pub const fn swapped(self) -> Self {
        match self {
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            other => other,
        }
    }
}

impl FieldExpr {
    /// What is behind `{ }`.
    #[must_use]
    pub fn always() -> Self {
        Self { kind: FieldKind::Value(Value::Bool(true)), place: Place::default() }
    }

    /// Calls `seen` with each field that the expression names.
    pub fn each_field<'a>(&'a self, seen: &mut impl FnMut(&'a Field)) {
        match &self.kind {
            FieldKind::Value(_) => {}
            FieldKind::Field(field) => seen(field),
            FieldKind::Unary(_, inner) => inner.each_field(seen),
            FieldKind::Binary(_, left, right) => {
                left.each_field(seen);
                right.each_field(seen);
            }
        }
    }

    /// Whether it names any field.
    #[must_use]
    pub fn names_a_field(&self) -> bool {
        let mut found = false;
        self.each_field(&mut |_| found = true);
        found
    }
}
