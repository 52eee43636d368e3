//! Which fields a query reads.

use crate::ast::{Field, FieldExpr, Intrinsic, MetricsFunction, MetricsQuery, Pipeline, SpansetExpr, Stage};

/// What a pipeline reads and shows.
pub(super) fn of_pipeline(pipeline: &Pipeline) -> Vec<Field> {
    let mut reads = Vec::new();
    pipeline.each_expr(&mut |expr| add_expr(&mut reads, expr));
    selected(pipeline, &mut reads);
    reads
}

fn selected(pipeline: &Pipeline, reads: &mut Vec<Field>) {
    for stage in &pipeline.stages {
        match stage {
            Stage::Select(fields) => fields.iter().for_each(|field| add(reads, field)),
            Stage::Spanset(spanset) => wrapped(spanset, reads),
            _ => {}
        }
    }
}

fn wrapped(spanset: &SpansetExpr, reads: &mut Vec<Field>) {
    match spanset {
        SpansetExpr::Filter(_) => {}
        SpansetExpr::Wrapped(pipeline) => selected(pipeline, reads),
        SpansetExpr::Binary(_, left, right) => {
            wrapped(left, reads);
            wrapped(right, reads);
        }
    }
}

/// What a metrics function reads besides.
pub(super) fn add_metrics(reads: &mut Vec<Field>, leaf: &MetricsQuery) {
    leaf.by.iter().chain(leaf.function.field()).for_each(|field| add(reads, field));
    if let MetricsFunction::Compare(compare) = &leaf.function {
        add_expr(reads, &compare.selection);
        let compared = [
            Intrinsic::Name,
            Intrinsic::Kind,
            Intrinsic::Status,
            Intrinsic::StatusMessage,
            Intrinsic::RootName,
            Intrinsic::RootServiceName,
        ];
        compared.into_iter().for_each(|intrinsic| add(reads, &Field::Intrinsic(intrinsic, false)));
    }
}

fn add_expr(reads: &mut Vec<Field>, expr: &FieldExpr) {
    expr.each_field(&mut |field| add(reads, field));
}

fn add(reads: &mut Vec<Field>, field: &Field) {
    let field = match field {
        Field::Intrinsic(intrinsic, _) => Field::Intrinsic(*intrinsic, false),
        Field::Attribute(_) => field.clone(),
    };
    if !reads.contains(&field) {
        reads.push(field);
    }
}
