use icegate_series::{Grid, Labels};

use super::invariant::is_invariant;
use super::series_labels::Nameless;
use super::values::{Context, Row, Sink};
use super::{absent, aggregate, binary, dates, histograms, info, labels, math, range, scalar, selector, sort};
use crate::PromqlError;
use crate::ast::{Call, Expr, ValueType};
use crate::samples::Value;

/// Pushes the series of an instant vector.
pub(crate) fn vector(context: &Context<'_>, expr: &Expr, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    let points = context.grid.len();
    if points > 1 && is_invariant(expr) {
        let once = context.on(Grid::instant(context.grid.first()));
        return vector(&once, expr, &mut |row| {
            let value = row.values.into_iter().next().flatten();
            sink(Row { values: vec![value; points], ..row })
        });
    }
    match expr {
        Expr::Paren(paren) => vector(context, &paren.expr, sink),
        Expr::Selector(node) => selector::selector(context, node, sink),
        Expr::Aggregate(node) => aggregate::aggregate(context, node, sink),
        Expr::Binary(node) => binary::binary(context, node, sink),
        Expr::Unary(node) if node.negative => negated(context, &node.expr, sink),
        Expr::Unary(node) => vector(context, &node.expr, sink),
        Expr::Call(node) => call(context, node, sink),
        Expr::Number(_) | Expr::Text(_) | Expr::Matrix(_) | Expr::Subquery(_) => {
            Err(PromqlError::evaluation(format!("{} is not an instant vector", expr.value_type().documented())))
        }
    }
}

/// All series of an instant vector.
pub(crate) fn collect(context: &Context<'_>, expr: &Expr) -> Result<Vec<Row>, PromqlError> {
    let mut rows = Vec::new();
    let mut held = context.budget.hold(0, 0)?;
    vector(context, expr, &mut |row| {
        held.more(row.samples(), row.bytes())?;
        rows.push(row);
        Ok(())
    })?;
    Ok(rows)
}

fn negated(context: &Context<'_>, expr: &Expr, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    let mut nameless = Nameless::new(context, true)?;
    vector(context, expr, &mut |mut row| {
        for value in row.values.iter_mut().flatten() {
            *value = match value {
                Value::Float(value) => Value::Float(-*value),
                Value::Histogram(histogram) => {
                    let mut histogram = (**histogram).clone();
                    histogram.mul(-1.0);
                    Value::of(histogram)
                }
            };
        }
        nameless.pass(row, sink)
    })
}

fn call(context: &Context<'_>, call: &Call, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    let name = call.function.name;
    match name {
        "vector" => {
            let values = scalar::scalar(context, &call.args[0])?;
            sink(Row {
                labels: Labels::empty(),
                drop_name: false,
                values: values.into_iter().map(|v| Some(Value::Float(v))).collect(),
            })
        }
        "absent" => absent::absent(context, call, sink),
        "absent_over_time" => absent::absent_over_time(context, call, sink),
        "label_replace" => labels::label_replace(context, call, sink),
        "label_join" => labels::label_join(context, call, sink),
        "sort" | "sort_desc" | "sort_by_label" | "sort_by_label_desc" => sort::sort(context, call, sink),
        "timestamp" | "start_timestamp" => dates::timestamp(context, call, sink),
        "info" => info::info(context, call, sink),
        "histogram_quantile" | "histogram_fraction" | "histogram_quantiles" => histograms::estimate(context, call, sink),
        "histogram_count" | "histogram_sum" | "histogram_avg" | "histogram_stddev" | "histogram_stdvar" => {
            histograms::property(context, call, sink)
        }
        _ if dates::is_date(name) => dates::date(context, call, sink),
        _ if call.function.args.contains(&ValueType::Matrix) => range::range_function(context, call, sink),
        _ => math::math(context, call, sink),
    }
}
