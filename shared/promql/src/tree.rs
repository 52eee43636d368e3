//! Trees as JSON, in the form of the API's `parse_query`.

use icegate_syntax::number;
use serde_json::{Value, json};

use crate::ast::{
    Aggregate, At, Binary, Call, DurationExpr, Expr, Extended, Matching, Matrix, Number, Selector, Subquery, Timing,
};
use crate::print::plain;

type Tree = Result<Value, String>;

/// The tree as the API shows it.
///
/// # Errors
/// A text where a number can't be written in JSON.
pub fn parse_tree(expr: &Expr) -> Result<Value, String> {
    match expr {
        Expr::Number(number) => Ok(json!({"type": "numberLiteral", "val": plain(number.value)})),
        Expr::Text(literal) => Ok(json!({"type": "stringLiteral", "val": literal.text.lossy()})),
        Expr::Selector(selector) => Ok(selector_tree(selector, "vectorSelector")),
        Expr::Matrix(matrix) => Ok(matrix_tree(matrix)),
        Expr::Subquery(subquery) => subquery_tree(subquery),
        Expr::Call(call) => call_tree(call),
        Expr::Aggregate(aggregate) => aggregate_tree(aggregate),
        Expr::Binary(binary) => binary_tree(binary),
        Expr::Unary(unary) => with_expr("unaryExpr", &unary.expr, Some(crate::print::sign(unary.negative))),
        Expr::Paren(paren) => with_expr("parenExpr", &paren.expr, None),
    }
}

fn with_expr(kind: &str, expr: &Expr, op: Option<&str>) -> Tree {
    let inner = parse_tree(expr)?;
    let mut tree = json!({"type": kind, "expr": inner});
    if let Some(op) = op {
        tree["op"] = json!(op);
    }
    Ok(tree)
}

fn matrix_tree(matrix: &Matrix) -> Value {
    let mut tree = selector_tree(&matrix.selector, "matrixSelector");
    tree["range"] = json!(matrix.range);
    tree["rangeExpr"] = duration(matrix.range_expr.as_ref());
    tree
}

fn subquery_tree(subquery: &Subquery) -> Tree {
    let mut tree = with_expr("subquery", &subquery.expr, None)?;
    tree["range"] = json!(subquery.range);
    tree["rangeExpr"] = duration(subquery.range_expr.as_ref());
    tree["step"] = json!(subquery.step);
    tree["stepExpr"] = duration(subquery.step_expr.as_ref());
    add_timing(&mut tree, &subquery.timing);
    Ok(tree)
}

fn call_tree(call: &Call) -> Tree {
    let args = call.args.iter().map(parse_tree).collect::<Result<Vec<_>, _>>()?;
    let function = call.function;
    let types: Vec<&str> = function.args.iter().map(|arg| arg.name()).collect();
    let shown = json!({
        "name": function.name,
        "argTypes": types,
        "variadic": function.variadic,
        "returnType": function.returns.name(),
    });
    Ok(json!({"type": "call", "func": shown, "args": args}))
}

fn aggregate_tree(aggregate: &Aggregate) -> Tree {
    let mut tree = with_expr("aggregation", &aggregate.expr, Some(aggregate.op))?;
    tree["param"] = aggregate.param.as_ref().map(parse_tree).transpose()?.unwrap_or(Value::Null);
    tree["grouping"] = json!(aggregate.grouping.labels);
    tree["without"] = json!(aggregate.grouping.without);
    Ok(tree)
}

fn binary_tree(binary: &Binary) -> Tree {
    let (left, right) = (parse_tree(&binary.left)?, parse_tree(&binary.right)?);
    let matching = binary.matching.as_ref().map(matching_tree).transpose()?;
    let mut tree = json!({"type": "binaryExpr", "op": binary.op, "bool": binary.return_bool});
    tree["lhs"] = left;
    tree["rhs"] = right;
    tree["matching"] = matching.unwrap_or(Value::Null);
    Ok(tree)
}

fn matching_tree(matching: &Matching) -> Tree {
    Ok(json!({
        "card": matching.card.name(),
        "labels": matching.labels,
        "on": matching.on,
        "include": matching.include,
        "fillValues": {"lhs": fill(matching.fill_left)?, "rhs": fill(matching.fill_right)?},
    }))
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
