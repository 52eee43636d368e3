//! Trees to text over several lines, where one line would be too long.

use crate::ast::{Expr, Subquery};
use crate::print::{aggregation, operation, sign, subquery_suffix};

/// Characters that a line may have before it is split.
const MAX_WIDTH: usize = 100;

/// Formats a query.
///
/// ```
/// let expr = icegate_promql::parse("sum(up)by(job)>0", Default::default())?;
/// assert_eq!(icegate_promql::format_query(&expr), "sum by (job) (up) > 0");
/// # Ok::<(), icegate_promql::PromqlError>(())
/// ```
#[must_use]
pub fn format_query(expr: &Expr) -> String {
    pretty(expr, 0)
}

fn pretty(expr: &Expr, level: usize) -> String {
    let line = expr.to_string();
    let indent = "  ".repeat(level);
    if line.len() <= MAX_WIDTH {
        // A subquery stands where its expression would, without indent.
        return if matches!(expr, Expr::Subquery(_)) { line } else { indent + &line };
    }
    match expr {
        Expr::Number(_) | Expr::Text(_) | Expr::Selector(_) | Expr::Matrix(_) => indent + &line,
        Expr::Subquery(subquery) => split_subquery(subquery, level),
        Expr::Call(call) => {
            let args: Vec<String> = call.args.iter().map(|arg| pretty(arg, level + 1)).collect();
            format!("{indent}{}(\n{}\n{indent})", call.function.name, args.join(",\n"))
        }
        Expr::Aggregate(aggregate) => {
            let args: Vec<String> = aggregate.param.iter().chain([&aggregate.expr]).map(|arg| pretty(arg, level + 1)).collect();
            format!("{indent}{}(\n{}\n{indent})", aggregation(aggregate), args.join(",\n"))
        }
        Expr::Binary(binary) => {
            let (left, right) = (pretty(&binary.left, level + 1), pretty(&binary.right, level + 1));
            format!("{left}\n{indent}{}\n{right}", operation(binary))
        }
        Expr::Unary(unary) => format!("{indent}{}{}", sign(unary.negative), pretty(&unary.expr, level).trim()),
        Expr::Paren(paren) => format!("{indent}(\n{}\n{indent})", pretty(&paren.expr, level + 1)),
    }
}

fn split_subquery(subquery: &Subquery, level: usize) -> String {
    format!("{}{}", pretty(&subquery.expr, level), subquery_suffix(subquery))
}
