//! Pipelines and spansets.

use super::Parser;
use crate::TraceqlError;
use crate::ast::{Aggregate, AggregateOp, BinaryOp, Comparison, FieldExpr, Pipeline, SpansetExpr, SpansetOp, Stage};
use crate::token::Token;

impl Parser<'_> {
    /// Stages up to a metrics function or the end.
    pub(super) fn pipeline(&mut self) -> Result<Pipeline, TraceqlError> {
        let mut stages = vec![self.first_stage()?];
        while self.is("|") && !self.metrics_function_at(1) {
            self.at += 1;
            self.operator()?;
            stages.push(self.stage()?);
        }
        Ok(Pipeline { stages })
    }

    fn first_stage(&mut self) -> Result<Stage, TraceqlError> {
        if self.calls("coalesce") { Err(self.unexpected(&["{", "("])) } else { self.stage() }
    }

    fn stage(&mut self) -> Result<Stage, TraceqlError> {
        if let Some(op) = self.aggregate_op() {
            return Ok(Stage::Aggregate(self.aggregate(op)?));
        }
        let Token::Word(word) = self.peek() else { return Ok(Stage::Spanset(self.spanset()?)) };
        let word = word.clone();
        if !self.calls(&word) {
            return Err(self.not_a_stage(&word));
        }
        match word.as_str() {
            "by" => {
                self.at += 2;
                let expr = self.field_expr()?;
                self.expect(")")?;
                Ok(Stage::By(expr))
            }
            "coalesce" => {
                self.at += 2;
                self.expect(")")?;
                Ok(Stage::Coalesce)
            }
            "select" => {
                self.at += 2;
                Ok(Stage::Select(self.fields()?))
            }
            _ => Err(self.not_a_stage(&word)),
        }
    }

    fn not_a_stage(&self, word: &str) -> TraceqlError {
        const STAGES: [&str; 8] = ["count", "avg", "min", "max", "sum", "by", "coalesce", "select"];
        if STAGES.contains(&word) {
            TraceqlError::syntax(self.query, format!("syntax error: {word} without ("), self.here())
        } else {
            self.unknown(word)
        }
    }

    fn aggregate_op(&self) -> Option<AggregateOp> {
        AggregateOp::ALL.into_iter().find(|op| self.calls(op.name()))
    }

    /// `avg(duration) > 1s`
    fn aggregate(&mut self, op: AggregateOp) -> Result<Aggregate, TraceqlError> {
        let field = self.aggregate_call(op)?;
        if matches!(self.peek(), Token::Symbol("+" | "-" | "*" | "/" | "%" | "^")) {
            return Err(TraceqlError::unsupported("arithmetic between aggregates", self.here()));
        }
        let Some(comparison) = self.operator_of(&Comparison::ALL, |op| op.operator().symbol()) else {
            return Err(self.unexpected(&["comparison"]));
        };
        self.at += 1;
        if self.aggregate_op().is_some() {
            return Err(TraceqlError::unsupported("comparing aggregates", self.here()));
        }
        let value = self.scalar()?;
        Ok(Aggregate { op, field, comparison, value })
    }

    fn aggregate_call(&mut self, op: AggregateOp) -> Result<Option<FieldExpr>, TraceqlError> {
        self.at += 2;
        let field = if op == AggregateOp::Count { None } else { Some(self.field_expr()?) };
        self.expect(")")?;
        Ok(field)
    }

    /// `a && b`, with structural operators one level tighter.
    fn spanset(&mut self) -> Result<SpansetExpr, TraceqlError> {
        let mut left = self.related()?;
        while let Some(op) = self.operator_of(&[SpansetOp::And, SpansetOp::Or], SpansetOp::symbol) {
            self.operator()?;
            self.at += 1;
            left = SpansetExpr::Binary(op, Box::new(left), Box::new(self.related()?));
        }
        Ok(left)
    }

    /// `a >> b`
    fn related(&mut self) -> Result<SpansetExpr, TraceqlError> {
        let structural = &SpansetOp::ALL[2..];
        let mut left = self.one_spanset()?;
        while let Some(op) = self.operator_of(structural, SpansetOp::symbol) {
            self.operator()?;
            self.at += 1;
            left = SpansetExpr::Binary(op, Box::new(left), Box::new(self.one_spanset()?));
        }
        Ok(left)
    }

    fn one_spanset(&mut self) -> Result<SpansetExpr, TraceqlError> {
        if self.is("{") {
            return Ok(SpansetExpr::Filter(self.filter()?));
        }
        if !self.eat("(") {
            return Err(self.unexpected(&["{", "("]));
        }
        let mut inner = self.deeper(Self::pipeline)?;
        self.expect(")")?;
        match (inner.stages.len(), inner.stages.pop()) {
            (1, Some(Stage::Spanset(spanset))) => Ok(spanset),
            (_, last) => {
                inner.stages.extend(last);
                Ok(SpansetExpr::Wrapped(Box::new(inner)))
            }
        }
    }

    /// `{ … }`
    pub(super) fn filter(&mut self) -> Result<FieldExpr, TraceqlError> {
        self.expect("{")?;
        if self.eat("}") {
            return Ok(FieldExpr::always());
        }
        let expr = self.field_expr()?;
        if self.eat("}") { Ok(expr) } else { Err(self.unexpected_in_filter()) }
    }

    fn unexpected_in_filter(&self) -> TraceqlError {
        let operators: Vec<_> = BinaryOp::ALL.iter().map(|op| op.symbol()).collect();
        match self.peek() {
            Token::Symbol(symbol) if operators.contains(symbol) => self.unexpected(&["value"]),
            _ => self.unexpected(&["}", "operator"]),
        }
    }
}
