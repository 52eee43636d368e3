use icegate_syntax::{Diagnostic, Place};

use super::{Parsed, Parser, unexpected};
use crate::ast::{Aggregate, Expr, Grouping};
use crate::lexer::unquote;
use crate::token::Kind;

const CONTEXT: &str = "grouping opts";

/// Whether an aggregation has a parameter.
pub(crate) fn has_param(op: &str) -> bool {
    matches!(op, "topk" | "bottomk" | "count_values" | "quantile" | "limitk" | "limit_ratio")
}

impl Parser<'_> {
    /// Whether the name of an aggregation is followed by what it aggregates; else it names a metric.
    pub(super) fn is_aggregated(&self) -> bool {
        let Ok(next) = self.ahead(1) else { return false };
        next.is("(") || next.is_keyword("by") || next.is_keyword("without")
    }

    pub(super) fn aggregate(&mut self, op: &'static str, depth: usize) -> Parsed {
        let start = self.next()?.span;
        let mut grouping = self.grouping()?;
        let token = self.peek()?;
        if !token.is("(") {
            return Err(unexpected(&token, "", ""));
        }
        let (mut args, levels) = self.arguments(depth)?;
        if grouping.is_none() {
            grouping = self.grouping()?;
        }
        let place = Place(start.to(self.last_span()));
        let at = |message: String| Err(Diagnostic::new(message, place.0));
        if matches!(op, "limitk" | "limit_ratio") && !self.options.experimental_functions {
            return at(format!("{op}() is experimental and must be enabled with --enable-feature=promql-experimental-functions"));
        }
        let wanted = if has_param(op) { 2 } else { 1 };
        if args.is_empty() {
            return at("no arguments for aggregate expression provided".to_owned());
        }
        if args.len() != wanted {
            return at(format!(
                "wrong number of arguments for aggregate expression provided, expected {wanted}, got {}",
                args.len()
            ));
        }
        let Some(expr) = args.pop() else { return at("no arguments for aggregate expression provided".to_owned()) };
        let grouping = grouping.unwrap_or(Grouping { without: false, labels: Vec::new() });
        let aggregate = Aggregate { op, param: args.pop(), expr, grouping, place };
        Ok((Expr::Aggregate(Box::new(aggregate)), levels + 1))
    }

    fn grouping(&mut self) -> Result<Option<Grouping>, Diagnostic> {
        let Ok(token) = self.peek() else { return Ok(None) };
        if !token.is_keyword("by") && !token.is_keyword("without") {
            return Ok(None);
        }
        self.next()?;
        Ok(Some(Grouping { without: token.is_keyword("without"), labels: self.labels()? }))
    }

    /// Labels in round brackets.
    pub(super) fn labels(&mut self) -> Result<Vec<String>, Diagnostic> {
        let token = self.next()?;
        if !token.is("(") {
            return Err(unexpected(&token, CONTEXT, "\"(\""));
        }
        let mut labels = Vec::new();
        loop {
            let token = self.next()?;
            match token.kind {
                Kind::Symbol(")") => return Ok(labels),
                Kind::Name | Kind::Keyword(_) | Kind::Aggregation(_) | Kind::WordOperator(_) => {
                    labels.push(token.text.to_owned())
                }
                Kind::Number if token.text.starts_with(|first: char| first.is_alphabetic()) => labels.push(token.text.to_owned()),
                Kind::Text => match unquote(token.text).as_str() {
                    Some(label) if !label.is_empty() => labels.push(label.to_owned()),
                    _ => {
                        return Err(Diagnostic::new(
                            format!("invalid label name for grouping: {}", unquote(token.text)),
                            token.span,
                        ));
                    }
                },
                _ => return Err(unexpected(&token, CONTEXT, "label")),
            }
            let token = self.next()?;
            match token.kind {
                Kind::Symbol(")") => return Ok(labels),
                Kind::Symbol(",") => {}
                _ => return Err(unexpected(&token, CONTEXT, "\",\" or \")\"")),
            }
        }
    }
}
