//! Queries laid out for people: on one line where that is short enough, else part by part, each level two spaces further in.

mod line;

use std::fmt::Write;

use crate::ast::{BinaryOp, Expr, LogExpr, LogRange, MetricExpr, MetricKind, RangeAggregation, VectorAggregation};
use icegate_syntax::number;
use icegate_syntax::text::quote;

/// Longest line that isn't broken, without its indentation.
const MAX_LINE: usize = 100;

/// The query, laid out; it reads back equal.
#[must_use]
pub fn pretty(expr: &Expr) -> String {
    match expr {
        Expr::Logs(logs) => self::logs(logs, 0),
        Expr::Metric(expr) => metric(expr, 0),
    }
}

fn indent(level: usize) -> String {
    "  ".repeat(level)
}

/// On one line, if it is short enough.
fn short(line: &str, level: usize) -> Option<String> {
    (line.len() <= MAX_LINE).then(|| format!("{}{line}", indent(level)))
}

fn logs(logs: &LogExpr, level: usize) -> String {
    broken_logs(logs.selector.to_string(), &line::logs(&logs.selector, &logs.stages), logs.stages.iter().map(line::stage), level)
}

fn broken_logs(selector: String, whole: &str, stages: impl Iterator<Item = String>, level: usize) -> String {
    short(whole, level).unwrap_or_else(|| {
        let mut text = format!("{}{selector}", indent(level));
        for stage in stages {
            // Writing to a string can't fail.
            let _ = write!(text, "\n{}{stage}", indent(level + 1));
        }
        text
    })
}

fn metric(expr: &MetricExpr, level: usize) -> String {
    short(&line::metric(expr), level).unwrap_or_else(|| match &expr.kind {
        MetricKind::Range(aggregation) => range(aggregation, level),
        MetricKind::Vectors(aggregation) => vectors(aggregation, level),
        MetricKind::Binary { op, modifier, left, right } => {
            let operator = format!("{}{}{}", indent(level), op.word(), line::modifier(modifier));
            format!("{}\n{operator}\n{}", operand(left, *op, true, level), operand(right, *op, false, level))
        }
        MetricKind::LabelReplace { inner, target, replacement, source, regex } => {
            let (outer, inside) = (indent(level), indent(level + 1));
            let texts = [target, replacement, source, regex].map(|text| format!("{inside}{}", quote(text))).join(",\n");
            format!("{outer}label_replace(\n{},\n{texts}\n{outer})", metric(inner, level + 1))
        }
        MetricKind::Number(_) | MetricKind::Vector(_) => format!("{}{}", indent(level), line::metric(expr)),
    })
}

/// A side of a broken operation, in brackets where it binds less; what is on one line has brackets of its own.
fn operand(expr: &MetricExpr, op: BinaryOp, is_left: bool, level: usize) -> String {
    let needs_brackets = match &expr.kind {
        MetricKind::Binary { op: inner, .. } => {
            let reads_so = is_left != (op == BinaryOp::Pow);
            inner.precedence() < op.precedence() || inner.precedence() == op.precedence() && !reads_so
        }
        _ => false,
    };
    if needs_brackets && line::metric(expr).len() > MAX_LINE {
        let inside = indent(level + 1);
        return format!("{inside}(\n{}\n{inside})", metric(expr, level + 2));
    }
    metric(expr, level + 1)
}

fn range(aggregation: &RangeAggregation, level: usize) -> String {
    let (outer, inside) = (indent(level), indent(level + 1));
    let param = aggregation.param.map(|param| format!("{inside}{},\n", number::print(param))).unwrap_or_default();
    let grouping = aggregation.grouping.as_ref().map(|grouping| format!(" {grouping}")).unwrap_or_default();
    format!("{outer}{}(\n{param}{}\n{outer}){grouping}", aggregation.op.word(), lines(&aggregation.range, level + 1))
}

fn lines(range: &LogRange, level: usize) -> String {
    let whole = line::logs(&range.selector, &range.stages);
    let mut text = broken_logs(range.selector.to_string(), &whole, range.stages.iter().map(line::stage), level);
    for stage in range.unwrap.iter().flat_map(line::unwrap) {
        let _ = write!(text, "\n{}{stage}", indent(level + 1));
    }
    let _ = write!(text, " [{}]", line::range_length(range.nanos));
    if range.offset != 0 {
        let _ = write!(text, " offset {}", line::range_length(range.offset));
    }
    text
}

fn vectors(aggregation: &VectorAggregation, level: usize) -> String {
    let (outer, inside) = (indent(level), indent(level + 1));
    let grouping = aggregation.grouping.as_ref().map(|grouping| format!(" {grouping}")).unwrap_or_default();
    let param = aggregation.param.map(|param| format!("{inside}{param},\n")).unwrap_or_default();
    format!("{outer}{}{grouping}(\n{param}{}\n{outer})", aggregation.op.word(), metric(&aggregation.inner, level + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(query: &str) -> String {
        pretty(&crate::parse(query).unwrap())
    }

    #[test]
    fn short_queries_are_on_one_line() {
        for (query, expected) in [
            (
                r#"{ foo = "bar",a!="b" }|="x"|json|status>=500,b="c""#,
                r#"{foo="bar", a!="b"} |= "x" | json | ( status>=500 , b="c" )"#,
            ),
            ("sum by(a,b)(rate({x=\"y\"}[90m]))>bool 1", "(sum by (a,b)(rate({x=\"y\"}[1h30m])) > bool 1)"),
            ("topk(5,rate({x=\"y\"}[1w]offset 5m))", "topk(5,rate({x=\"y\"}[1w] offset 5m0s))"),
            (r#"{x="y"} | d > 1.5s | s < 2600B | drop a, b="c""#, r#"{x="y"} | d>1.5s | s<2.6kB | drop a,b="c""#),
            ("vector(1)", "vector(1.000000)"),
        ] {
            assert_eq!(formatted(query), expected, "{query}");
        }
    }

    #[test]
    fn what_is_broken_in_lines_keeps_its_meaning() {
        let long = format!("sum by (a) (rate({{a=\"{}\"}} [5m]))", "x".repeat(80));
        let query = format!("(({long} + {long}) * {long}) ^ ({long} - ({long} - {long}))");
        let text = formatted(&query);
        assert_eq!(crate::parse(&text).unwrap(), crate::parse(&query).unwrap(), "{text}");
        assert!(text.starts_with("  (\n      (\n"), "{text}");
    }
}
