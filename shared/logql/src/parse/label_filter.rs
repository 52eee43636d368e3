use super::Parser;
use crate::LogqlError;
use crate::ast::{Comparison, LabelFilter, Matcher};
use crate::token::Token;

/// `or` binds least.
const OR: u8 = 1;
/// `and`
const AND: u8 = 2;

impl Parser<'_> {
    pub(super) fn label_filter(&mut self) -> Result<LabelFilter, LogqlError> {
        self.label_filter_above(OR)
    }

    /// `and` and `or` bind by precedence; a comma or nothing takes everything to its right.
    fn label_filter_above(&mut self, least: u8) -> Result<LabelFilter, LogqlError> {
        self.deeper(|parser| {
            let mut left = parser.label_filter_unit()?;
            loop {
                if least <= AND && parser.eat_keyword("and") {
                    parser.operator()?;
                    left = LabelFilter::And(Box::new(left), Box::new(parser.label_filter_above(AND + 1)?));
                } else if least <= OR && parser.eat_keyword("or") {
                    parser.operator()?;
                    left = LabelFilter::Or(Box::new(left), Box::new(parser.label_filter_above(AND)?));
                } else if parser.eat(",") || parser.is("(") || matches!(parser.peek(), Token::Name(_)) {
                    parser.operator()?;
                    left = LabelFilter::And(Box::new(left), Box::new(parser.label_filter_above(OR)?));
                } else {
                    return Ok(left);
                }
            }
        })
    }

    fn label_filter_unit(&mut self) -> Result<LabelFilter, LogqlError> {
        if self.eat("(") {
            let inner = self.label_filter_above(OR)?;
            self.expect(")")?;
            return Ok(inner);
        }
        let start = self.here();
        let name = self.name()?;
        let matching = self.match_op();
        let comparison = self.comparison();
        if matching.is_none() && comparison.is_none() {
            return Err(self.unexpected(&["a comparison"]));
        }
        self.at += 1;
        if let (Some(op), Token::Text(value)) = (matching, self.peek()) {
            let value = value.clone();
            self.at += 1;
            return Ok(LabelFilter::Text(Matcher { name, op, value, place: self.place_from(start) }));
        }
        let Some(op) = comparison else { return Err(self.unexpected(&["string"])) };
        self.label_value(start, name, op, matching.is_some())
    }

    /// What a number, duration, size or address is compared with.
    fn label_value(
        &mut self,
        start: icegate_syntax::Span,
        name: String,
        op: Comparison,
        may_be_ip: bool,
    ) -> Result<LabelFilter, LogqlError> {
        let sign = if self.eat("-") {
            -1
        } else {
            self.eat("+");
            1
        };
        match *self.peek() {
            Token::Number(value) => {
                self.at += 1;
                Ok(LabelFilter::Number { name, op, value: value * f64::from(sign), place: self.place_from(start) })
            }
            Token::Duration(nanos) => {
                self.at += 1;
                Ok(LabelFilter::Duration { name, op, nanos: nanos * i64::from(sign), place: self.place_from(start) })
            }
            Token::Bytes(size) if sign > 0 => {
                self.at += 1;
                Ok(LabelFilter::Bytes { name, op, size, place: self.place_from(start) })
            }
            Token::Function("ip") if may_be_ip => {
                self.at += 1;
                self.expect("(")?;
                let pattern = self.text()?;
                self.expect(")")?;
                Ok(LabelFilter::Ip { name, negated: op == Comparison::NotEqual, pattern, place: self.place_from(start) })
            }
            _ => Err(self.unexpected(&["string", "number", "duration", "size"])),
        }
    }

    fn comparison(&self) -> Option<Comparison> {
        let Token::Symbol(symbol) = self.peek() else { return None };
        Some(match *symbol {
            "=" | "==" => Comparison::Equal,
            "!=" => Comparison::NotEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            _ => return None,
        })
    }
}
