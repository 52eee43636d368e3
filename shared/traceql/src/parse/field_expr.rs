//! Expressions on one span.

use icegate_syntax::Place;

use super::Parser;
use crate::ast::{BinaryOp, FieldExpr, FieldKind, UnaryOp};
use crate::token::Token;
use crate::{Kind, Status, TraceqlError, Value};

/// Loosest first; `^` is apart, since it groups to the right.
const LEVELS: [u8; 4] = [1, 2, 3, 5];

impl Parser<'_> {
    pub(super) fn field_expr(&mut self) -> Result<FieldExpr, TraceqlError> {
        self.left_chain(&LEVELS)
    }

    /// Operators of the first level, that group to the left, over operands of the others.
    fn left_chain(&mut self, levels: &[u8]) -> Result<FieldExpr, TraceqlError> {
        let Some((level, tighter)) = levels.split_first() else { return self.power() };
        let start = self.here();
        let mut left = self.left_chain(tighter)?;
        while let Some(op) = self.operator_of(&BinaryOp::ALL, BinaryOp::symbol).filter(|op| op.level() == *level) {
            self.operator()?;
            self.at += 1;
            let right = self.left_chain(tighter)?;
            let kind = FieldKind::Binary(op, Box::new(left), Box::new(right));
            left = FieldExpr { kind, place: self.place_from(start) };
        }
        Ok(left)
    }

    fn power(&mut self) -> Result<FieldExpr, TraceqlError> {
        let start = self.here();
        let left = self.primary()?;
        if !self.eat("^") {
            return Ok(left);
        }
        let right = self.deeper(Self::power)?;
        let kind = FieldKind::Binary(BinaryOp::Power, Box::new(left), Box::new(right));
        Ok(FieldExpr { kind, place: self.place_from(start) })
    }

    fn primary(&mut self) -> Result<FieldExpr, TraceqlError> {
        let start = self.here();
        let signs = [UnaryOp::Not, UnaryOp::Negate];
        if let Some(op) = self.operator_of(&signs, UnaryOp::symbol) {
            self.at += 1;
            // The sign takes in products: `-a * b` is `-(a * b)`.
            let inner = self.deeper(|parser| parser.left_chain(&[5]))?;
            return Ok(FieldExpr { kind: FieldKind::Unary(op, Box::new(inner)), place: self.place_from(start) });
        }
        if self.eat("(") {
            let mut inner = self.deeper(Self::field_expr)?;
            self.expect(")")?;
            inner.place = self.place_from(start);
            return Ok(inner);
        }
        if let Some(value) = self.literal() {
            self.at += 1;
            return Ok(FieldExpr { kind: FieldKind::Value(value), place: Place(start) });
        }
        match self.peek() {
            Token::Word(_) | Token::Field(_) | Token::Parent => {
                Ok(FieldExpr { kind: FieldKind::Field(self.field()?), place: Place(start) })
            }
            _ => Err(self.unexpected(&["attribute", "value"])),
        }
    }

    /// The value that the next word writes.
    pub(super) fn literal(&self) -> Option<Value> {
        match self.peek() {
            Token::Value(value) => Some(value.clone()),
            Token::Word(word) => named(word),
            _ => None,
        }
    }
}

/// The value that a word names.
fn named(word: &str) -> Option<Value> {
    let value = match word {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "nil" => Value::Nil,
        "minInt" => Value::Int(i64::MIN),
        "maxInt" => Value::Int(i64::MAX),
        _ => {
            let status = Status::ALL.into_iter().find(|status| status.name() == word).map(Value::Status);
            return status.or_else(|| Kind::ALL.into_iter().find(|kind| kind.name() == word).map(Value::Kind));
        }
    };
    Some(value)
}

impl UnaryOp {
    /// As queries write it.
    pub(crate) const fn symbol(self) -> &'static str {
        match self {
            Self::Not => "!",
            Self::Negate => "-",
        }
    }
}
