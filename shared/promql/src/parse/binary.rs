use icegate_syntax::{Diagnostic, Place, Span};

use super::{Parsed, Parser, unexpected};
use crate::ast::{Binary, Cardinality, Expr, Matching};
use crate::token::{Kind, Token};

/// How tight a sign binds: less than a power, as tight as a product.
pub(super) const UNARY: u8 = 6;

/// Operations and how tight they bind.
fn operation(token: &Token<'_>) -> Option<(&'static str, u8)> {
    let (Kind::Operator(op) | Kind::WordOperator(op)) = token.kind else { return None };
    let power = match op {
        "or" => 1,
        "and" | "unless" => 2,
        "==" | "!=" | "<=" | "<" | ">=" | ">" | "</" | ">/" => 3,
        "+" | "-" => 4,
        "*" | "/" | "%" | "atan2" => 5,
        "^" => 6,
        _ => return None,
    };
    Some((op, power))
}

impl Parser<'_> {
    /// An expression of operations that bind at least as tight as `min`.
    pub(super) fn expr(&mut self, min: u8, depth: usize) -> Parsed {
        let (mut left, mut levels) = self.unary(depth)?;
        loop {
            let token = self.peek()?;
            let Some((op, power)) = operation(&token).filter(|(_, power)| *power >= min) else { return Ok((left, levels)) };
            self.higher(levels, &token)?;
            self.next()?;
            let (return_bool, mut matching) = self.binary_modifiers()?;
            let op_end = self.peek()?.span.start;
            let (right, own) = self.expr(if op == "^" { power } else { power + 1 }, depth + 1)?;
            if matches!(op, "and" | "or" | "unless") && matching.card == Cardinality::OneToOne {
                matching.card = Cardinality::ManyToMany;
            }
            let op_place = Place(Span::new(token.span.start, op_end));
            let matching = Some(matching);
            left = Expr::Binary(Box::new(Binary { op, left, right, return_bool, matching, op_place }));
            levels = levels.max(own) + 1;
        }
    }

    fn binary_modifiers(&mut self) -> Result<(bool, Matching), Diagnostic> {
        let return_bool = self.eat_keyword("bool")?;
        let mut matching = Matching {
            card: Cardinality::OneToOne,
            on: false,
            labels: Vec::new(),
            include: Vec::new(),
            fill_left: None,
            fill_right: None,
        };
        let token = self.peek()?;
        if token.is_keyword("on") || token.is_keyword("ignoring") {
            self.next()?;
            matching.on = token.is_keyword("on");
            matching.labels = self.labels()?;
            let token = self.peek()?;
            if token.is_keyword("group_left") || token.is_keyword("group_right") {
                self.next()?;
                let is_left = token.is_keyword("group_left");
                matching.card = if is_left { Cardinality::ManyToOne } else { Cardinality::OneToMany };
                if self.peek()?.is("(") {
                    matching.include = self.labels()?;
                }
            }
        }
        self.fills(&mut matching)?;
        Ok((return_bool, matching))
    }

    fn fills(&mut self, matching: &mut Matching) -> Result<(), Diagnostic> {
        loop {
            let token = self.peek()?;
            let Kind::Keyword(word @ ("fill" | "fill_left" | "fill_right")) = token.kind else { return Ok(()) };
            if !self.ahead(1)?.is("(") {
                return Ok(());
            }
            let is_set = |fill: &Option<f64>| fill.is_some();
            let taken = match word {
                "fill_left" => is_set(&matching.fill_left),
                "fill_right" => is_set(&matching.fill_right),
                _ => is_set(&matching.fill_left) || is_set(&matching.fill_right),
            };
            if taken {
                return Err(unexpected(&token, "", ""));
            }
            self.next()?;
            let value = Some(self.fill_value()?);
            if !self.options.binary_fill {
                return Err(Diagnostic::new("binop fill modifiers are experimental and not enabled", token.span));
            }
            if word != "fill_right" {
                matching.fill_left = value;
            }
            if word != "fill_left" {
                matching.fill_right = value;
            }
        }
    }

    fn fill_value(&mut self) -> Result<f64, Diagnostic> {
        self.expect("(")?;
        let mut token = self.peek()?;
        let negative = token.is_operator("-");
        if negative || token.is_operator("+") {
            self.next()?;
            token = self.peek()?;
        }
        if !matches!(token.kind, Kind::Number | Kind::Duration) {
            return Err(unexpected(&token, "", ""));
        }
        let value = self.number()?.value;
        self.expect(")")?;
        Ok(if negative { -value } else { value })
    }
}
