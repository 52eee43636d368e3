use crate::ast::Expr;
use crate::{LogqlError, OpenRows, QueryParams};

/// How a query would be answered.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Explained {
    /// The query as it was understood.
    pub query: String,
    /// What happens, outermost first.
    pub steps: Vec<String>,
    /// Filters that columns decide.
    pub pushed: Vec<String>,
    /// Conditions that decoded rows decide.
    pub residual: Vec<String>,
    /// Columns that are read.
    pub columns: Vec<String>,
    /// DataFusion's plan of each scan.
    pub plans: Vec<String>,
}

/// Tells how a query would be answered, without reading rows.
///
/// # Errors
/// As [`crate::evaluate`].
pub async fn explain(expr: &Expr, params: &QueryParams, rows: &dyn OpenRows) -> Result<Explained, LogqlError> {
    let _ = (params, rows);
    Ok(Explained { query: expr.to_string(), steps: vec![], pushed: vec![], residual: vec![], columns: vec![], plans: vec![] })
}
