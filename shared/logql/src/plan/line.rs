use datafusion::logical_expr::{Expr, col, lit};
use icegate_schema::columns::{BODY, TRACE_ID};
use icegate_syntax::Span;

use super::columns::binary;
use super::predicate::text_predicate;
use crate::LogqlError;
use crate::ast::{LineFilter, LineOp, LineTerm};
use crate::stage::LineTest;

/// Digits of a trace id.
const TRACE_ID_DIGITS: usize = 32;

/// A line filter on the body. With `find_trace_ids`, a text of 32 hexadecimal digits is also looked for among trace ids.
pub(crate) fn filter(filter: &LineFilter, span: Span, find_trace_ids: bool) -> Result<Expr, LogqlError> {
    let test = LineTest::new(filter, span)?;
    let is_pattern = matches!(filter.op, LineOp::Pattern | LineOp::NotPattern);
    if matches!(filter.terms.as_slice(), [LineTerm::Text(text)] if text.is_empty() && !is_pattern) {
        return Ok(lit(!filter.op.is_negative()));
    }
    let mut expr = text_predicate(format!("{BODY} {filter}"), false, move |line| test.keeps(line)).call(vec![col(BODY)]);
    if find_trace_ids && filter.op == LineOp::Contains {
        for id in filter.terms.iter().filter_map(trace_id) {
            expr = expr.or(col(TRACE_ID).eq(binary(id)));
        }
    }
    Ok(expr)
}

fn trace_id(term: &LineTerm) -> Option<Vec<u8>> {
    let LineTerm::Text(text) = term else { return None };
    if text.len() == TRACE_ID_DIGITS { hex::decode(text).ok() } else { None }
}
