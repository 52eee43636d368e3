use icegate_syntax::{Diagnostic, Place};

use super::{Parser, unexpected};
use crate::ast::{DurationExpr, DurationOp, Number};
use crate::duration::{MAX_SECONDS, millis};
use crate::token::{Kind, Token};

const UNARY: u8 = 3;

impl<'a> Parser<'a> {
    /// Whether a duration can start with this token.
    pub(super) fn starts_duration(token: &Token<'_>) -> bool {
        match token.kind {
            Kind::Number | Kind::Duration | Kind::Operator("+" | "-") | Kind::Symbol("(") => true,
            Kind::Keyword("step" | "range") => true,
            Kind::Name => min_or_max(token).is_some(),
            _ => false,
        }
    }

    /// A duration above zero: milliseconds, or what has to be computed.
    pub(super) fn positive_duration(&mut self) -> Result<(i64, Option<DurationExpr>), Diagnostic> {
        let duration = self.duration(0, 0)?;
        match duration {
            DurationExpr::Number(number) if number.value <= 0.0 => {
                Err(Diagnostic::new("duration must be greater than 0", number.place.0))
            }
            DurationExpr::Number(number) => Ok((millis(number.value), None)),
            computed => Ok((0, Some(computed))),
        }
    }

    /// What stands behind `offset`: one operand with a sign, without operations unless it is in brackets.
    pub(super) fn offset_duration(&mut self) -> Result<DurationExpr, Diagnostic> {
        let token = self.peek()?;
        let Kind::Operator(sign @ ("+" | "-")) = token.kind else { return self.duration_operand(0) };
        self.next()?;
        let operand = self.duration_operand(0)?;
        Ok(self.signed(sign == "-", operand, &token))
    }

    fn duration_symbol(&mut self, symbol: &str) -> Result<Token<'a>, Diagnostic> {
        let token = self.peek()?;
        if !token.is(symbol) {
            return Err(self.unexpected_in_duration(&token));
        }
        self.next()
    }

    fn unexpected_in_duration(&self, token: &Token<'_>) -> Diagnostic {
        let (context, expected) = self.context;
        unexpected(token, context, expected)
    }

    fn duration(&mut self, min: u8, depth: usize) -> Result<DurationExpr, Diagnostic> {
        let mut left = self.duration_operand(depth)?;
        let mut levels = depth;
        loop {
            let token = self.peek()?;
            let Some((op, power)) = operation(&token).filter(|(_, power)| *power >= min) else { return Ok(left) };
            levels += 1;
            self.higher(levels, &token)?;
            self.next()?;
            let right = self.duration(if op == DurationOp::Pow { power } else { power + 1 }, depth + 1)?;
            self.enabled(&token)?;
            if let DurationExpr::Number(number) = &right
                && number.value == 0.0
            {
                match op {
                    DurationOp::Div => return Err(Diagnostic::new("division by zero", token.span)),
                    DurationOp::Mod => return Err(Diagnostic::new("modulo by zero", token.span)),
                    _ => {}
                }
            }
            let place = Place(left.place().0.to(right.place().0));
            left = DurationExpr::Op { op, left: Some(Box::new(left)), right: Some(Box::new(right)), wrapped: false, place };
        }
    }

    fn duration_operand(&mut self, depth: usize) -> Result<DurationExpr, Diagnostic> {
        let token = self.peek()?;
        self.deeper(depth, &token)?;
        match token.kind {
            Kind::Number | Kind::Duration => {
                let number = self.number()?;
                in_range(&number)?;
                Ok(DurationExpr::Number(number))
            }
            Kind::Operator(sign @ ("+" | "-")) => {
                self.next()?;
                let operand = self.duration(UNARY, depth + 1)?;
                Ok(self.signed(sign == "-", operand, &token))
            }
            Kind::Symbol("(") => {
                self.next()?;
                let inner = self.duration(0, depth + 1)?;
                let end = self.duration_symbol(")")?;
                self.enabled(&token)?;
                Ok(wrapped(inner, Place(token.span.to(end.span))))
            }
            Kind::Keyword(word @ ("step" | "range")) => {
                self.next()?;
                self.duration_symbol("(")?;
                let place = Place(token.span.to(self.duration_symbol(")")?.span));
                self.enabled(&token)?;
                let op = if word == "step" { DurationOp::Step } else { DurationOp::Range };
                Ok(DurationExpr::Op { op, left: None, right: None, wrapped: false, place })
            }
            Kind::Name if min_or_max(&token).is_some() => self.lesser_or_greater(depth),
            _ => Err(self.unexpected_in_duration(&token)),
        }
    }

    fn signed(&self, negative: bool, operand: DurationExpr, sign: &Token<'_>) -> DurationExpr {
        let place = Place(sign.span.to(self.last_span()));
        match operand {
            DurationExpr::Number(number) => {
                let value = if negative { -number.value } else { number.value };
                DurationExpr::Number(Number { value, place, ..number })
            }
            // A plus before brackets changes nothing and isn't kept.
            DurationExpr::Op { wrapped: true, .. } if !negative => operand,
            operand => {
                let op = if negative { DurationOp::Sub } else { DurationOp::Add };
                DurationExpr::Op { op, left: None, right: Some(Box::new(operand)), wrapped: false, place }
            }
        }
    }

    fn lesser_or_greater(&mut self, depth: usize) -> Result<DurationExpr, Diagnostic> {
        let token = self.next()?;
        let op = min_or_max(&token).unwrap_or(DurationOp::MinOf);
        self.duration_symbol("(")?;
        let left = Some(Box::new(self.duration(0, depth + 1)?));
        self.duration_symbol(",")?;
        let right = Some(Box::new(self.duration(0, depth + 1)?));
        let place = Place(token.span.to(self.duration_symbol(")")?.span));
        self.enabled(&token)?;
        Ok(DurationExpr::Op { op, left, right, wrapped: false, place })
    }

    fn enabled(&self, token: &Token<'_>) -> Result<(), Diagnostic> {
        if self.options.duration_expressions {
            return Ok(());
        }
        Err(Diagnostic::new("experimental duration expression is not enabled", token.span))
    }
}

fn min_or_max(token: &Token<'_>) -> Option<DurationOp> {
    match token.text.to_ascii_lowercase().as_str() {
        "min_of" => Some(DurationOp::MinOf),
        "max_of" => Some(DurationOp::MaxOf),
        _ => None,
    }
}

fn operation(token: &Token<'_>) -> Option<(DurationOp, u8)> {
    match token.kind {
        Kind::Operator("+") => Some((DurationOp::Add, 1)),
        Kind::Operator("-") => Some((DurationOp::Sub, 1)),
        Kind::Operator("*") => Some((DurationOp::Mul, 2)),
        Kind::Operator("/") => Some((DurationOp::Div, 2)),
        Kind::Operator("%") => Some((DurationOp::Mod, 2)),
        Kind::Operator("^") => Some((DurationOp::Pow, UNARY)),
        _ => None,
    }
}

fn in_range(number: &Number) -> Result<(), Diagnostic> {
    if number.value.abs() <= MAX_SECONDS {
        return Ok(());
    }
    Err(Diagnostic::new("duration out of range", number.place.0))
}

/// Marks what stands in round brackets.
fn wrapped(inner: DurationExpr, place: Place) -> DurationExpr {
    match inner {
        DurationExpr::Op { op, left, right, .. } => DurationExpr::Op { op, left, right, wrapped: true, place },
        number @ DurationExpr::Number(_) => {
            let right = Some(Box::new(number));
            DurationExpr::Op { op: DurationOp::Add, left: None, right, wrapped: true, place }
        }
    }
}
