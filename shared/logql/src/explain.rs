use datafusion::dataframe::DataFrame;
use datafusion::physical_plan::displayable;

use crate::ast::{Expr, MetricExpr, MetricKind, RangeAggregation};
use crate::eval::metric::summed_by;
use crate::eval::{logs, range};
use crate::plan::{Plan, Trust};
use crate::{LogqlError, OpenRows, QueryParams};

/// How a query would be answered. [`std::fmt::Display`] gives it as text.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Explained {
    /// The query as it was understood.
    pub query: String,
    /// What happens, outermost first, indented by depth.
    pub steps: Vec<String>,
    /// The scans, in the order of their steps.
    pub scans: Vec<Scan>,
}

/// How rows are read.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Scan {
    /// Filters that columns decide.
    pub pushed: Vec<String>,
    /// Conditions and stages that run on decoded rows.
    pub residual: Vec<String>,
    /// Columns that are read.
    pub columns: Vec<String>,
    /// DataFusion's physical plan.
    pub plan: String,
}

impl std::fmt::Display for Explained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "query: {}", self.query)?;
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))?;
        for (index, scan) in self.scans.iter().enumerate() {
            writeln!(f, "scan {}", index + 1)?;
            scan.pushed.iter().try_for_each(|filter| writeln!(f, "  pushed: {filter}"))?;
            scan.residual.iter().try_for_each(|stage| writeln!(f, "  residual: {stage}"))?;
            writeln!(f, "  columns: {}", scan.columns.join(", "))?;
            scan.plan.lines().try_for_each(|line| writeln!(f, "  {line}"))?;
        }
        Ok(())
    }
}

/// Tells how a query would be answered, without reading rows.
///
/// # Errors
/// As [`crate::evaluate`].
pub async fn explain(expr: &Expr, params: &QueryParams, rows: &dyn OpenRows) -> Result<Explained, LogqlError> {
    let mut explained = Explained { query: expr.to_string(), ..Explained::default() };
    match expr {
        Expr::Logs(logs) => {
            let source = rows.open(logs::time(params)?).await?;
            let plan = logs::plan(logs, params, Trust::Streams)?;
            explained.steps.push(format!("lines: first {} {:?}", params.limit, params.direction));
            explained.scans.push(scan(&plan, logs::frame(&plan, params, &source)?).await?);
        }
        Expr::Metric(metric) => {
            let mut ranges = Vec::new();
            steps(metric, 0, &mut explained.steps, &mut ranges);
            let context = params.context(params.grid()?, rows);
            for (aggregation, by) in ranges {
                let source = rows.open(range::reach(&aggregation.range, context.grid)?).await?;
                let planned = range::Scan::new(aggregation, by.as_deref(), &context, Trust::Streams)?;
                let mut scan = scan(&planned.plan, planned.frame(&source)?).await?;
                scan.residual.extend(aggregation.range.unwrap.iter().map(ToString::to_string));
                explained.scans.push(scan);
            }
        }
    }
    Ok(explained)
}

type Ranges<'a> = Vec<(&'a RangeAggregation, Option<Vec<String>>)>;

fn steps<'a>(metric: &'a MetricExpr, depth: usize, into: &mut Vec<String>, ranges: &mut Ranges<'a>) {
    let indent = "  ".repeat(depth);
    match &metric.kind {
        MetricKind::Number(_) | MetricKind::Vector(_) => into.push(format!("{indent}constant {metric}")),
        MetricKind::Range(aggregation) => {
            into.push(format!("{indent}{aggregation}"));
            ranges.push((aggregation, None));
        }
        MetricKind::Vectors(aggregation) => match summed_by(aggregation) {
            Some((inner, by)) => {
                into.push(format!("{indent}sum while scanning, by ({}): {inner}", by.join(", ")));
                ranges.push((inner, Some(by)));
            }
            None => {
                into.push(format!("{indent}{}", aggregation.op.word()));
                steps(&aggregation.inner, depth + 1, into, ranges);
            }
        },
        MetricKind::Binary { op, left, right, .. } => {
            into.push(format!("{indent}{}", op.word()));
            steps(left, depth + 1, into, ranges);
            steps(right, depth + 1, into, ranges);
        }
        MetricKind::LabelReplace { inner, .. } => {
            into.push(format!("{indent}label_replace"));
            steps(inner, depth + 1, into, ranges);
        }
    }
}

async fn scan(plan: &Plan, frame: DataFrame) -> Result<Scan, LogqlError> {
    let columns = frame.schema().fields().iter().map(|field| field.name().clone()).collect();
    let physical = frame.create_physical_plan().await?;
    Ok(Scan {
        pushed: plan.filters.iter().map(ToString::to_string).collect(),
        residual: plan.residual.clone(),
        columns,
        plan: displayable(physical.as_ref()).indent(false).to_string(),
    })
}
