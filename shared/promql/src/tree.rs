//! Trees as JSON, in the form of the API's `parse_query`.

use icegate_syntax::number;
use serde_json::{Value, json};

use crate::ast::{At, DurationExpr, Expr, Extended, Number, Selector, Timing};
use crate::print::plain;

/// The tree as the API shows it.
///
/// # Errors
/// A text where a number can't be written in JSON.
pub fn parse_tree(expr: &Expr) -> Result<Value, String> {
    Ok(match expr {
        Expr::Number(number) => json!({"type": "numberLiteral", "val": plain(number.value)}),
        Expr::Text(literal) => json!({"type": "stringLiteral", "val": literal.text.lossy()}),
        Expr::Selector(selector) => selector_tree(selector, "vectorSelector"),
        Expr::Matrix(matrix) => {
            let mut tree = selector_tree(&matrix.selector, "matrixSelector");
            tree["range"] = json!(matrix.range);
            tree["rangeExpr"] = duration(matrix.range_expr.as_ref());
            tree
        }
        Expr::Subquery(subquery) => {
            let mut tree = json!({
                "type": "subquery",
                "expr": parse_tree(&subquery.expr)?,
                "range": subquery.range,
                "rangeExpr": duration(subquery.range_expr.as_ref()),
                "step": subquery.step,
                "stepExpr": duration(subquery.step_expr.as_ref()),
            });
            add_timing(&mut tree, &subquery.timing);
            tree
        }
        Expr::Call(call) => json!({
            "type": "call",
            "func": {
                "name": call.function.name,
                "argTypes": call.function.args.iter().map(|arg| arg.name()).collect::<Vec<_>>(),
                "variadic": call.function.variadic,
                "returnType": call.function.returns.name(),
            },
            "args": call.args.iter().map(parse_tree).collect::<Result<Vec<_>, _>>()?,
        }),
        Expr::Aggregate(aggregate) => json!({
            "type": "aggregation",
            "op": aggregate.op,
            "expr": parse_tree(&aggregate.expr)?,
            "param": aggregate.param.as_ref().map(parse_tree).transpose()?,
            "grouping": aggregate.grouping.labels,
            "without": aggregate.grouping.without,
        }),
        Expr::Binary(binary) => {
            let matching = binary.matching.as_ref().map(|matching| {
                Ok::<_, String>(json!({
                    "card": matching.card.name(),
                    "labels": matching.labels,
                    "on": matching.on,
                    "include": matching.include,
                    "fillValues": {"lhs": fill(matching.fill_left)?, "rhs": fill(matching.fill_right)?},
                }))
            });
            json!({
                "type": "binaryExpr",
                "op": binary.op,
                "lhs": parse_tree(&binary.left)?,
                "rhs": parse_tree(&binary.right)?,
                "matching": matching.transpose()?,
                "bool": binary.return_bool,
            })
        }
        Expr::Unary(unary) => {
            json!({"type": "unaryExpr", "op": crate::print::sign(unary.negative), "expr": parse_tree(&unary.expr)?})
        }
        Expr::Paren(paren) => json!({"type": "parenExpr", "expr": parse_tree(&paren.expr)?}),
    })
}

fn selector_tree(selector: &Selector, kind: &str) -> Value {
    let matchers: Vec<Value> = selector
        .matchers
        .iter()
        .map(|matcher| json!({"name": matcher.name, "type": matcher.op.name(), "value": matcher.value.lossy()}))
        .collect();
    let mut tree = json!({
        "type": kind,
        "name": selector.name.as_deref().unwrap_or_default(),
        "matchers": matchers,
        "anchored": selector.extended == Extended::Anchored,
        "smoothed": selector.extended == Extended::Smoothed,
    });
    add_timing(&mut tree, &selector.timing);
    tree
}

fn add_timing(tree: &mut Value, timing: &Timing) {
    tree["offset"] = json!(timing.offset);
    tree["offsetExpr"] = duration(timing.offset_expr.as_ref());
    tree["timestamp"] = match timing.at {
        Some(At::Time(millis)) => json!(millis),
        _ => Value::Null,
    };
    tree["startOrEnd"] = match timing.at {
        Some(At::Start) => json!("start"),
        Some(At::End) => json!("end"),
        _ => Value::Null,
    };
}

fn duration(expr: Option<&DurationExpr>) -> Value {
    match expr {
        None => Value::Null,
        Some(DurationExpr::Number(Number { value, is_duration, .. })) => {
            json!({"type": "numberLiteral", "val": plain(*value), "duration": is_duration})
        }
        Some(DurationExpr::Op { op, left, right, wrapped, .. }) => json!({
            "type": "durationExpr",
            "op": op.name(),
            "lhs": duration(left.as_deref()),
            "rhs": duration(right.as_deref()),
            "wrapped": wrapped,
        }),
    }
}

/// A number that stands for what is missing; JSON has no infinities.
fn fill(value: Option<f64>) -> Result<Value, String> {
    match value {
        Some(value) if !value.is_finite() => Err(format!("v1.Response.Data: unsupported value: {}", number::print(value))),
        Some(value) if value.fract() == 0.0 && value.abs() < 9e15 => {
            #[allow(clippy::cast_possible_truncation, reason = "a whole number in range")]
            let whole = value as i64;
            Ok(json!(whole))
        }
        value => Ok(json!(value)),
    }
}
