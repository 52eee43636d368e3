//! Answers: log queries in [`logs`], numbers in [`metric`], lines of windows in [`range`].

mod binary;
pub(crate) mod drive;
pub(crate) mod follow;
mod grouped;
pub(crate) mod logs;
pub(crate) mod metric;
pub(crate) mod range;
mod relabel;
mod sampler;
mod whole;

use crate::ast::Expr;
use crate::{Answer, LogqlError, OpenRows, QueryParams};

use metric::Value;

/// Answers a query.
///
/// # Errors
/// Limits, failures of rows and errors of pipelines as [`LogqlError`] names them.
pub async fn evaluate(expr: &Expr, params: &QueryParams, rows: &dyn OpenRows) -> Result<Answer, LogqlError> {
    match expr {
        Expr::Logs(_) if params.is_instant() => Err(LogqlError::InstantLogQuery),
        Expr::Logs(logs) => {
            params.grid()?;
            logs::answer(logs, params, rows).await.map(Answer::Streams)
        }
        Expr::Metric(expr) => {
            let grid = params.grid()?;
            let value = metric::evaluate(expr, &params.context(grid, rows)).await?;
            let block = match value {
                Value::Scalar(number) if params.is_instant() => return Ok(Answer::Scalar(number)),
                value => value.into_block(grid),
            };
            if block.live() > params.limits.series {
                return Err(LogqlError::TooManySeries { limit: params.limits.series });
            }
            Ok(match (params.is_instant(), metric::sorts(expr)) {
                (true, true) => Answer::Vector(block.into_ordered_vector()),
                (true, false) => Answer::Vector(block.into_vector()),
                (false, _) => Answer::Matrix(block.into_matrix()),
            })
        }
    }
}
