use super::Parser;
use crate::LogqlError;
use crate::ast::{
    Aggregation, BinaryOp, Expr, GroupSide, Grouping, Matching, MetricExpr, MetricKind, Modifier, RangeAggregation, RangeOp,
    VectorAggregation,
};
use crate::token::Token;

impl Parser<'_> {
    /// Operators that bind at least as tightly as `least`, and what they join.
    pub(super) fn expr(&mut self, least: u8) -> Result<Expr, LogqlError> {
        self.deeper(|parser| {
            let start = parser.here();
            let mut left = parser.primary()?;
            while let Some(op) = parser.binary_op().filter(|op| op.precedence() >= least) {
                let left_metric = parser.operand(left)?;
                parser.at += 1;
                parser.operator()?;
                let modifier = parser.modifier()?;
                // `^` groups from the right, all others from the left.
                let right = parser.expr(if op == BinaryOp::Pow { op.precedence() } else { op.precedence() + 1 })?;
                let right = Box::new(parser.operand(right)?);
                let kind = MetricKind::Binary { op, modifier, left: Box::new(left_metric), right };
                left = Expr::Metric(MetricExpr { kind, place: parser.place_from(start) });
            }
            Ok(left)
        })
    }

    /// Only numbers can be operands.
    fn operand(&self, expr: Expr) -> Result<MetricExpr, LogqlError> {
        match expr {
            Expr::Metric(metric) => Ok(metric),
            Expr::Logs(logs) => Err(LogqlError::syntax(
                self.query,
                "syntax error: unexpected log query as an operand, expecting metric query",
                logs.place.0,
            )),
        }
    }

    fn binary_op(&self) -> Option<BinaryOp> {
        match self.peek() {
            Token::Symbol(word) | Token::Keyword(word) => BinaryOp::of(word),
            _ => None,
        }
    }

    fn modifier(&mut self) -> Result<Modifier, LogqlError> {
        let mut modifier = Modifier { bool: self.eat_keyword("bool"), matching: None };
        let on = self.eat_keyword("on");
        if !on && !self.eat_keyword("ignoring") {
            return Ok(modifier);
        }
        let labels = self.names_in_brackets()?;
        let side = if self.eat_keyword("group_left") {
            Some(GroupSide::Left)
        } else if self.eat_keyword("group_right") {
            Some(GroupSide::Right)
        } else {
            None
        };
        let group = match side {
            Some(side) if self.group_has_labels() => Some((side, self.names_in_brackets()?)),
            Some(side) => Some((side, Vec::new())),
            None => None,
        };
        modifier.matching = Some(Matching { on, labels, group });
        Ok(modifier)
    }

    /// Whether the bracket after `group_left` holds labels, not the right-hand side.
    fn group_has_labels(&self) -> bool {
        self.is("(") && matches!(self.peek_second(), Token::Name(_) | Token::Symbol(")"))
    }

    fn primary(&mut self) -> Result<Expr, LogqlError> {
        let start = self.here();
        let kind = match *self.peek() {
            Token::Symbol("(") => {
                self.at += 1;
                let inner = self.expr(1)?;
                self.expect(")")?;
                return Ok(inner);
            }
            Token::Symbol("{") => return Ok(Expr::Logs(self.logs()?)),
            Token::Symbol("-" | "+") if matches!(self.peek_second(), Token::Number(_)) => {
                let sign = if self.next() == Token::Symbol("-") { -1.0 } else { 1.0 };
                MetricKind::Number(sign * self.number()?)
            }
            Token::Number(_) => MetricKind::Number(self.number()?),
            Token::Function(name) => self.function(name)?,
            _ => return Err(self.unexpected(&["a query"])),
        };
        Ok(Expr::Metric(MetricExpr { kind, place: self.place_from(start) }))
    }

    fn number(&mut self) -> Result<f64, LogqlError> {
        match *self.peek() {
            Token::Number(value) => {
                self.at += 1;
                Ok(value)
            }
            _ => Err(self.unexpected(&["number"])),
        }
    }

    fn function(&mut self, name: &str) -> Result<MetricKind, LogqlError> {
        if let Some(op) = RangeOp::of(name) {
            self.at += 1;
            return self.range_aggregation(op).map(MetricKind::Range);
        }
        if let Some(op) = Aggregation::of(name) {
            self.at += 1;
            return self.vector_aggregation(op).map(MetricKind::Vectors);
        }
        match name {
            "vector" => {
                self.at += 1;
                self.expect("(")?;
                let value = self.number()?;
                self.expect(")")?;
                Ok(MetricKind::Vector(value))
            }
            "label_replace" => self.label_replace(),
            _ => Err(self.unexpected(&["a query"])),
        }
    }

    fn range_aggregation(&mut self, op: RangeOp) -> Result<RangeAggregation, LogqlError> {
        self.expect("(")?;
        let param = match *self.peek() {
            Token::Number(value) => {
                self.at += 1;
                self.expect(",")?;
                Some(value)
            }
            _ => None,
        };
        if !self.is("{") && !self.is("(") {
            return Err(self.unexpected(&["number", "{", "("]));
        }
        let range = self.log_range()?;
        self.expect(")")?;
        Ok(RangeAggregation { op, param, range, grouping: self.grouping()? })
    }

    fn vector_aggregation(&mut self, op: Aggregation) -> Result<VectorAggregation, LogqlError> {
        let before = self.grouping()?;
        self.expect("(")?;
        let param = self.parameter(op)?;
        let inner = Box::new(self.metric()?);
        self.expect(")")?;
        let grouping = if before.is_some() { before } else { self.grouping()? };
        Ok(VectorAggregation { op, param, grouping, inner })
    }

    /// The k of `topk (k, …)`.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be a whole number in range")]
    fn parameter(&mut self, op: Aggregation) -> Result<Option<u64>, LogqlError> {
        let (Token::Number(value), Token::Symbol(",")) = (self.peek(), self.peek_second()) else {
            if op.takes_k() {
                let message = format!("parameter required for operation {}", op.word());
                return Err(LogqlError::meaning(message, self.here()));
            }
            return Ok(None);
        };
        let value = *value;
        if !op.takes_k() {
            let message = format!("unsupported parameter {value} for operation {}", op.word());
            return Err(LogqlError::meaning(message, self.here()));
        }
        if value < 1.0 || value.fract() != 0.0 || value > f64::from(u32::MAX) {
            let message = format!("invalid parameter {value} of {}, allowed are whole numbers above 0", op.word());
            return Err(LogqlError::meaning(message, self.here()));
        }
        self.at += 2;
        Ok(Some(value as u64))
    }

    fn grouping(&mut self) -> Result<Option<Grouping>, LogqlError> {
        let without = self.is_keyword("without");
        if !without && !self.is_keyword("by") {
            return Ok(None);
        }
        self.at += 1;
        Ok(Some(Grouping { without, labels: self.names_in_brackets()? }))
    }

    fn label_replace(&mut self) -> Result<MetricKind, LogqlError> {
        self.at += 1;
        self.expect("(")?;
        let inner = Box::new(self.metric()?);
        let mut texts: [String; 4] = Default::default();
        for text in &mut texts {
            self.expect(",")?;
            *text = self.text()?;
        }
        self.expect(")")?;
        let [target, replacement, source, regex] = texts;
        Ok(MetricKind::LabelReplace { inner, target, replacement, source, regex })
    }
}
