//! Numbers without spans, computed while they are read.

use super::Parser;
use crate::ast::MathOp;
use crate::token::Token;
use crate::{TraceqlError, Value};

const OPERATORS: [MathOp; 4] = [MathOp::Add, MathOp::Subtract, MathOp::Multiply, MathOp::Divide];

impl Parser<'_> {
    /// `1 + 2 * 3`, or one duration.
    pub(super) fn scalar(&mut self) -> Result<Value, TraceqlError> {
        self.scalar_chain(1)
    }

    fn scalar_chain(&mut self, level: u8) -> Result<Value, TraceqlError> {
        if level > 2 {
            return self.scalar_primary();
        }
        let mut left = self.scalar_chain(level + 1)?;
        while let Some(op) = self.math_op(level) {
            self.operator()?;
            self.at += 1;
            let right = self.scalar_chain(level + 1)?;
            left = self.computed(op, &left, &right)?;
        }
        Ok(left)
    }

    /// The next operator, if it binds as tight as this level.
    pub(super) fn math_op(&self, level: u8) -> Option<MathOp> {
        self.operator_of(&OPERATORS, MathOp::symbol).filter(|op| op.level() == level)
    }

    pub(super) fn scalar_primary(&mut self) -> Result<Value, TraceqlError> {
        if self.eat("(") {
            let value = self.deeper(Self::scalar)?;
            self.expect(")")?;
            return Ok(value);
        }
        if self.eat("-") {
            return Ok(match self.deeper(Self::scalar_primary)? {
                Value::Int(value) => Value::Int(value.wrapping_neg()),
                Value::Float(value) => Value::Float(-value),
                Value::Duration(nanos) => Value::Duration(nanos.saturating_neg()),
                other => other,
            });
        }
        match self.peek() {
            Token::Value(value @ (Value::Int(_) | Value::Float(_) | Value::Duration(_))) => {
                let value = value.clone();
                self.at += 1;
                Ok(value)
            }
            _ => Err(self.unexpected(&["number"])),
        }
    }

    /// Whole numbers stay whole; durations only stand alone.
    pub(super) fn computed(&self, op: MathOp, left: &Value, right: &Value) -> Result<Value, TraceqlError> {
        let error = |message: &str| TraceqlError::syntax(self.query, message, self.here());
        if let (Value::Int(left), Value::Int(right)) = (left, right) {
            let value = match op {
                MathOp::Add => left.checked_add(*right),
                MathOp::Subtract => left.checked_sub(*right),
                MathOp::Multiply => left.checked_mul(*right),
                MathOp::Divide => left.checked_div(*right),
            };
            return value.map(Value::Int).ok_or_else(|| error("syntax error: number out of range or division by zero"));
        }
        if matches!(left, Value::Duration(_)) || matches!(right, Value::Duration(_)) {
            return Err(error("syntax error: arithmetic takes numbers, not durations"));
        }
        let value = left.number().zip(right.number()).map(|(left, right)| op.apply(left, right));
        match value.filter(|value| value.is_finite()) {
            Some(value) => Ok(Value::Float(value)),
            None => Err(error("syntax error: number out of range or division by zero")),
        }
    }
}
