use crate::ast::{Expr, Timing};

/// Functions whose value depends on the step, whatever their arguments.
const TIMED: [&str; 15] = [
    "time",
    "timestamp",
    "start_timestamp",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "hour",
    "minute",
    "month",
    "year",
    "predict_linear",
    "step",
    "range",
    "info",
];

/// Whether an expression has the same value at every step.
pub(crate) fn is_invariant(expr: &Expr) -> bool {
    let pinned = |timing: &Timing| timing.at.is_some();
    match expr {
        Expr::Number(_) | Expr::Text(_) => true,
        Expr::Selector(selector) => pinned(&selector.timing),
        Expr::Matrix(matrix) => pinned(&matrix.selector.timing),
        Expr::Subquery(subquery) => pinned(&subquery.timing),
        Expr::Call(call) if TIMED.contains(&call.function.name) || is_sort(call.function.name) => false,
        Expr::Call(_) | Expr::Aggregate(_) | Expr::Binary(_) | Expr::Unary(_) | Expr::Paren(_) => {
            expr.children().into_iter().all(is_invariant)
        }
    }
}

/// Sorting warns where there are several steps.
pub(crate) fn is_sort(function: &str) -> bool {
    function.starts_with("sort")
}
