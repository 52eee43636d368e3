//! Metrics: functions over pipelines, arithmetic and second stages.

use icegate_syntax::Span;

use super::Parser;
use crate::ast::{Compare, Comparison, DEFAULT_TOP, FUNCTIONS, MathOp, MetricsExpr, MetricsFunction, MetricsQuery, SecondStage};
use crate::token::Token;
use crate::{TraceqlError, Value};

impl Parser<'_> {
    /// Whether any metrics function is called.
    pub(super) fn is_metrics(&self) -> bool {
        (0..self.tokens.len()).any(|index| self.calls_metrics(index))
    }

    fn calls_metrics(&self, index: usize) -> bool {
        let word = matches!(self.tokens.get(index), Some((Token::Word(word), _)) if FUNCTIONS.contains(&word.as_str()));
        word && matches!(self.tokens.get(index + 1), Some((Token::Symbol("("), _)))
    }

    pub(super) fn metrics_function_at(&self, ahead: usize) -> bool {
        self.calls_metrics(self.at + ahead)
    }

    /// A metrics query as a whole, or what stands in brackets as an operand.
    pub(super) fn metrics(&mut self) -> Result<MetricsExpr, TraceqlError> {
        let start = self.here();
        let inner = if self.starts_operand() { self.math(1)? } else { self.leaf()? };
        if matches!(inner, MetricsExpr::Scalar(_)) {
            let message = "syntax error: a number alone is no query";
            return Err(TraceqlError::syntax(self.query, message, self.place_from(start).0));
        }
        let stages = self.second_stages()?;
        Ok(staged(inner, stages))
    }

    /// Whether a number, or a metrics query in brackets, is next; else a pipeline is.
    fn starts_operand(&self) -> bool {
        match self.peek() {
            Token::Value(_) | Token::Symbol("-") => true,
            Token::Symbol("(") => self.brackets_hold_operand(),
            _ => false,
        }
    }

    /// Whether the brackets that open here hold a metrics query or numbers only.
    fn brackets_hold_operand(&self) -> bool {
        let (mut depth, mut spans) = (0_usize, false);
        for index in self.at..self.tokens.len() {
            if self.calls_metrics(index) {
                return true;
            }
            match &self.tokens[index].0 {
                Token::Symbol("(") => depth += 1,
                Token::Symbol(")") => depth -= 1,
                Token::Symbol("{") | Token::Word(_) | Token::Field(_) => spans = true,
                _ => {}
            }
            if depth == 0 {
                return !spans;
            }
        }
        false
    }

    fn math(&mut self, level: u8) -> Result<MetricsExpr, TraceqlError> {
        if level > 2 {
            return self.operand();
        }
        let mut left = self.math(level + 1)?;
        while let Some(op) = self.math_op(level) {
            self.operator()?;
            self.at += 1;
            let right = self.math(level + 1)?;
            left = self.joined(op, left, right)?;
        }
        Ok(left)
    }

    fn joined(&self, op: MathOp, left: MetricsExpr, right: MetricsExpr) -> Result<MetricsExpr, TraceqlError> {
        match (left, right) {
            (MetricsExpr::Scalar(left), MetricsExpr::Scalar(right)) => Ok(MetricsExpr::Scalar(self.computed(op, &left, &right)?)),
            (MetricsExpr::Scalar(Value::Duration(_)), _) | (_, MetricsExpr::Scalar(Value::Duration(_))) => {
                Err(TraceqlError::syntax(self.query, "syntax error: arithmetic takes numbers, not durations", self.here()))
            }
            (left, right) => Ok(MetricsExpr::Binary(op, Box::new(left), Box::new(right))),
        }
    }

    fn operand(&mut self) -> Result<MetricsExpr, TraceqlError> {
        if !self.is("(") {
            return Ok(MetricsExpr::Scalar(self.scalar_primary()?));
        }
        if !self.brackets_hold_operand() {
            return Err(self.unexpected(&["metrics query in brackets", "number"]));
        }
        self.at += 1;
        let inner = self.deeper(|parser| {
            if !parser.starts_operand() {
                return parser.metrics();
            }
            let inner = parser.math(1)?;
            let stages = if matches!(inner, MetricsExpr::Scalar(_)) { Vec::new() } else { parser.second_stages()? };
            Ok(staged(inner, stages))
        })?;
        self.expect(")")?;
        Ok(inner)
    }

    fn second_stages(&mut self) -> Result<Vec<SecondStage>, TraceqlError> {
        let mut stages = Vec::new();
        loop {
            if let Some(op) = self.operator_of(&Comparison::ALL, |op| op.operator().symbol()) {
                self.at += 1;
                stages.push(SecondStage::Filter(op, self.scalar()?));
            } else if self.eat("|") {
                stages.push(self.select_stage()?);
            } else {
                return Ok(stages);
            }
            self.operator()?;
        }
    }

    fn select_stage(&mut self) -> Result<SecondStage, TraceqlError> {
        let top = self.calls("topk");
        if !top && !self.calls("bottomk") {
            return Err(self.unexpected(&["topk", "bottomk"]));
        }
        self.at += 2;
        let count = self.count()?;
        self.expect(")")?;
        Ok(if top { SecondStage::TopK(count) } else { SecondStage::BottomK(count) })
    }

    fn count(&mut self) -> Result<usize, TraceqlError> {
        let Token::Value(Value::Int(count)) = self.peek() else { return Err(self.unexpected(&["whole number"])) };
        let count = usize::try_from(*count).map_err(|_| self.unexpected(&["whole number"]))?;
        self.at += 1;
        Ok(count)
    }

    /// `{ … } | rate() by (a)`
    fn leaf(&mut self) -> Result<MetricsExpr, TraceqlError> {
        let pipeline = self.pipeline()?;
        self.expect("|")?;
        let function = self.function()?;
        let by = if self.calls("by") {
            self.at += 2;
            self.fields()?
        } else {
            Vec::new()
        };
        Ok(MetricsExpr::Leaf(Box::new(MetricsQuery { pipeline, function, by })))
    }

    fn function(&mut self) -> Result<MetricsFunction, TraceqlError> {
        let (Token::Word(word), true) = (self.peek(), self.metrics_function_at(0)) else {
            return Err(self.unexpected(&["metrics function"]));
        };
        let word = word.clone();
        self.at += 2;
        let function = match word.as_str() {
            "rate" => MetricsFunction::Rate,
            "count_over_time" => MetricsFunction::CountOverTime,
            "min_over_time" => MetricsFunction::MinOverTime(self.field()?),
            "max_over_time" => MetricsFunction::MaxOverTime(self.field()?),
            "avg_over_time" => MetricsFunction::AvgOverTime(self.field()?),
            "sum_over_time" => MetricsFunction::SumOverTime(self.field()?),
            "histogram_over_time" => MetricsFunction::HistogramOverTime(self.field()?),
            "quantile_over_time" => MetricsFunction::QuantileOverTime(self.field()?, self.quantiles()?),
            _ => MetricsFunction::Compare(Box::new(self.compare()?)),
        };
        self.expect(")")?;
        Ok(function)
    }

    fn quantiles(&mut self) -> Result<Vec<f64>, TraceqlError> {
        let mut quantiles = Vec::new();
        while self.eat(",") {
            self.operator()?;
            let number = match self.scalar_primary()? {
                Value::Duration(_) => None,
                value => value.number(),
            };
            quantiles.push(number.ok_or_else(|| self.unexpected(&["number"]))?);
        }
        if quantiles.is_empty() { Err(self.unexpected(&[","])) } else { Ok(quantiles) }
    }

    fn compare(&mut self) -> Result<Compare, TraceqlError> {
        let selection = self.filter()?;
        let mut compare = Compare { selection, top: DEFAULT_TOP, range: None };
        if self.eat(",") {
            compare.top = self.count()?;
        }
        let start: Span = self.here();
        if self.eat(",") {
            let from = self.nanos()?;
            self.expect(",")?;
            compare.range = Some((from, self.nanos()?));
        }
        if compare.range.is_some_and(|(from, to)| to < from) {
            let message = "syntax error: compare() ends before it starts";
            return Err(TraceqlError::syntax(self.query, message, self.place_from(start).0));
        }
        Ok(compare)
    }

    fn nanos(&mut self) -> Result<i64, TraceqlError> {
        let Token::Value(Value::Int(nanos)) = self.peek() else { return Err(self.unexpected(&["whole number"])) };
        let nanos = *nanos;
        self.at += 1;
        Ok(nanos)
    }
}

/// Second stages of second stages are one list.
fn staged(inner: MetricsExpr, stages: Vec<SecondStage>) -> MetricsExpr {
    match (inner, stages.is_empty()) {
        (inner, true) => inner,
        (MetricsExpr::Staged(inner, mut earlier), false) => {
            earlier.extend(stages);
            MetricsExpr::Staged(inner, earlier)
        }
        (inner, false) => MetricsExpr::Staged(Box::new(inner), stages),
    }
}
