use icegate_series::{Labels, LabelsBuilder};

use super::values::{Context, Row, Sink};
use super::vector::vector;
use super::windows::windows;
use crate::PromqlError;
use crate::ast::{Call, Expr};
use crate::matcher::{MatchOp, Matcher};
use crate::samples::Value;

/// One at each step where no series has a value.
pub(crate) fn absent(context: &Context<'_>, call: &Call, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    let mut present = vec![false; context.grid.len()];
    vector(context, &call.args[0], &mut |row| {
        present.iter_mut().zip(&row.values).for_each(|(present, value)| *present |= value.is_some());
        Ok(())
    })?;
    missing(&present, labels(&call.args[0]), sink)
}

/// One at each step where no series has a sample in its window.
pub(crate) fn absent_over_time(context: &Context<'_>, call: &Call, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    let mut present = vec![false; context.grid.len()];
    windows(context, &call.args[0], &mut |series| {
        for (present, (from, to)) in present.iter_mut().zip(&series.frames.windows) {
            *present |= !series.samples.window(*from, *to).is_empty();
        }
        Ok(())
    })?;
    missing(&present, labels(&call.args[0]), sink)
}

fn missing(present: &[bool], labels: Labels, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    let values: Vec<_> = present.iter().map(|present| (!present).then_some(Value::Float(1.0))).collect();
    if values.iter().all(Option::is_none) { Ok(()) } else { sink(Row { labels, drop_name: false, values }) }
}

/// The labels that a series would have: those that the selector says once, and with certainty.
fn labels(expr: &Expr) -> Labels {
    let matchers: &[Matcher] = match expr {
        Expr::Selector(selector) => &selector.matchers,
        Expr::Matrix(matrix) => &matrix.selector.matchers,
        _ => &[],
    };
    let mut builder = LabelsBuilder::default();
    for matcher in matchers.iter().filter(|matcher| matcher.name != "__name__") {
        let is_alone = matchers.iter().filter(|other| other.name == matcher.name).count() == 1;
        if is_alone && matcher.op == MatchOp::Equal {
            builder.set(matcher.name.as_str(), matcher.value.lossy());
        }
    }
    builder.build()
}
