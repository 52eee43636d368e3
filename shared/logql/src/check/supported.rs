use icegate_syntax::Span;

use crate::LogqlError;
use crate::ast::{
    Aggregation, Expr, LabelFilter, LineFilter, LineOp, LineTerm, LogRange, MetricExpr, MetricKind, RangeOp, Stage, StageKind,
};

/// Names the first part that evaluation lacks.
pub(crate) fn supported(expr: &Expr) -> Result<(), LogqlError> {
    match expr {
        Expr::Logs(logs) => stages(&logs.stages),
        Expr::Metric(one) => metric(one),
    }
}

fn metric(metric_expr: &MetricExpr) -> Result<(), LogqlError> {
    let span = metric_expr.place.0;
    match &metric_expr.kind {
        MetricKind::Number(_) | MetricKind::Vector(_) => Ok(()),
        MetricKind::Range(aggregation) => {
            range(&aggregation.range)?;
            match aggregation.op {
                RangeOp::Rate
                | RangeOp::CountOverTime
                | RangeOp::BytesRate
                | RangeOp::BytesOverTime
                | RangeOp::AbsentOverTime => Ok(()),
                op => Err(LogqlError::unsupported(format!("`{}`", op.word()), span)),
            }
        }
        MetricKind::Vectors(aggregation) => {
            metric(&aggregation.inner)?;
            match aggregation.op {
                Aggregation::Sum | Aggregation::Avg | Aggregation::Min | Aggregation::Max | Aggregation::Count => Ok(()),
                Aggregation::Stddev | Aggregation::Stdvar => Ok(()),
                op => Err(LogqlError::unsupported(format!("`{}`", op.word()), span)),
            }
        }
        MetricKind::Binary { modifier, left, right, .. } => {
            metric(left)?;
            metric(right)?;
            match modifier.matching.as_ref().and_then(|matching| matching.group.as_ref()) {
                Some(_) => Err(LogqlError::unsupported("`group_left` and `group_right`", span)),
                None => Ok(()),
            }
        }
        MetricKind::LabelReplace { .. } => Err(LogqlError::unsupported("`label_replace`", span)),
    }
}

fn range(range: &LogRange) -> Result<(), LogqlError> {
    stages(&range.stages)?;
    match &range.unwrap {
        Some(unwrap) => Err(LogqlError::unsupported("`unwrap`", unwrap.place.0)),
        None => Ok(()),
    }
}

fn stages(stages: &[Stage]) -> Result<(), LogqlError> {
    stages.iter().try_for_each(|stage| one(&stage.kind, stage.place.0))
}

fn one(kind: &StageKind, span: Span) -> Result<(), LogqlError> {
    let construct = match kind {
        StageKind::Line(filter) => return line_filter(filter, span),
        StageKind::Label(filter) => return label_filter(filter),
        StageKind::Drop(_) | StageKind::Keep(_) => return Ok(()),
        StageKind::Json(_) => "`json` stage",
        StageKind::Logfmt { .. } => "`logfmt` stage",
        StageKind::Regexp(_) => "`regexp` stage",
        StageKind::Pattern(_) => "`pattern` stage",
        StageKind::Unpack => "`unpack` stage",
        StageKind::LineFormat(_) => "`line_format` stage",
        StageKind::LabelFormat(_) => "`label_format` stage",
        StageKind::Decolorize => "`decolorize` stage",
    };
    Err(LogqlError::unsupported(construct, span))
}

fn line_filter(filter: &LineFilter, span: Span) -> Result<(), LogqlError> {
    if matches!(filter.op, LineOp::Pattern | LineOp::NotPattern) {
        return Err(LogqlError::unsupported(format!("line filter `{}`", filter.op.symbol()), span));
    }
    if filter.terms.iter().any(|term| matches!(term, LineTerm::Ip(_))) {
        return Err(LogqlError::unsupported("line filter `ip()`", span));
    }
    Ok(())
}

fn label_filter(filter: &LabelFilter) -> Result<(), LogqlError> {
    match filter {
        LabelFilter::Ip { place, .. } => Err(LogqlError::unsupported("label filter `ip()`", place.0)),
        LabelFilter::And(left, right) | LabelFilter::Or(left, right) => {
            label_filter(left)?;
            label_filter(right)
        }
        LabelFilter::Text(_) | LabelFilter::Number { .. } | LabelFilter::Duration { .. } | LabelFilter::Bytes { .. } => Ok(()),
    }
}
