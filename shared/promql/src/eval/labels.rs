use icegate_series::{Labels, LabelsBuilder};

use super::scalar::text;
use super::series_labels::Distinct;
use super::values::{Context, Sink};
use super::vector::vector;
use crate::PromqlError;
use crate::ast::{Call, Expr};
use crate::matcher::whole;

pub(crate) fn label_replace(context: &Context<'_>, call: &Call, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    let arg = |index: usize| text(&call.args[index]);
    let (target, template, source, pattern) = (label_name(&call.args[1], "label_replace")?, arg(2)?, arg(3)?, arg(4)?);
    let regex = whole(&pattern)
        .map_err(|_| PromqlError::evaluation(format!("invalid regular expression in label_replace(): {pattern}")))?;
    relabeled(context, &call.args[0], &target, sink, &|labels| {
        let captures = regex.captures(labels.get(&source).unwrap_or_default())?;
        let mut value = String::new();
        captures.expand(&template, &mut value);
        Some(value)
    })
}

pub(crate) fn label_join(context: &Context<'_>, call: &Call, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    let (target, separator) = (label_name(&call.args[1], "label_join")?, text(&call.args[2])?);
    let sources = call.args[3..].iter().map(text).collect::<Result<Vec<_>, _>>()?;
    relabeled(context, &call.args[0], &target, sink, &|labels| {
        let values: Vec<&str> = sources.iter().map(|source| labels.get(source).unwrap_or_default()).collect();
        Some(values.join(&separator))
    })
}

/// The name of a label: any text that is UTF-8 and not empty.
fn label_name(expr: &Expr, function: &str) -> Result<String, PromqlError> {
    match expr.unwrapped() {
        Expr::Text(literal) => match literal.text.as_str().filter(|name| !name.is_empty()) {
            Some(name) => Ok(name.to_owned()),
            None => {
                let shown = literal.text.lossy();
                Err(PromqlError::evaluation(format!("invalid destination label name in {function}(): {shown}")))
            }
        },
        other => text(other),
    }
}

/// Sets a label of each series to what `value` gives, if it gives something.
fn relabeled(
    context: &Context<'_>,
    expr: &Expr,
    target: &str,
    sink: &mut Sink<'_>,
    value: &dyn Fn(&Labels) -> Option<String>,
) -> Result<(), PromqlError> {
    let mut distinct = Distinct::new(context, true)?;
    vector(context, expr, &mut |mut row| {
        if let Some(value) = value(&row.labels) {
            row.labels = with(&row.labels, target, value);
            // A name that is given here stays.
            row.drop_name &= target != "__name__";
        }
        distinct.check(&row)?;
        sink(row)
    })
}

/// Labels with one more, or without where its value is empty.
pub(crate) fn with(labels: &Labels, name: &str, value: impl Into<std::sync::Arc<str>>) -> Labels {
    let mut builder = LabelsBuilder::default();
    for label in labels.iter() {
        builder.set(std::sync::Arc::clone(&label.name), std::sync::Arc::clone(&label.value));
    }
    builder.set(name, value);
    builder.build()
}
