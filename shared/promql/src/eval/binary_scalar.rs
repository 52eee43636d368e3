use super::binary_value::{Operation, is_arithmetic};
use super::scalar::scalar;
use super::series_labels::Nameless;
use super::values::{Context, Sink};
use super::vector::vector;
use crate::PromqlError;
use crate::ast::Expr;
use crate::samples::Value;

/// A vector and a scalar, in the order that they stand in.
pub(crate) enum Sides<'a> {
    VectorScalar(&'a Expr, &'a Expr),
    ScalarVector(&'a Expr, &'a Expr),
}

pub(crate) fn combine(
    context: &Context<'_>,
    operation: &Operation<'_>,
    sides: &Sides<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), PromqlError> {
    let (series, number, number_first) = match sides {
        Sides::VectorScalar(series, number) => (series, number, false),
        Sides::ScalarVector(number, series) => (series, number, true),
    };
    let numbers = scalar(context, number)?;
    let is_named = !is_arithmetic(operation.op) && !operation.return_bool;
    let mut nameless = Nameless::new(context, true)?;
    vector(context, series, &mut |mut row| {
        for (own, number) in row.values.iter_mut().zip(&numbers) {
            let Some(value) = own.take() else { continue };
            let number = Value::Float(*number);
            let (left, right) = if number_first { (&number, &value) } else { (&value, &number) };
            *own = operation.apply(left, right, &value);
        }
        if row.is_empty() {
            return Ok(());
        }
        if is_named { sink(row) } else { nameless.pass(row, sink) }
    })
}
