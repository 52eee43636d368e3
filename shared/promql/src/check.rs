//! Types and the other things that a tree must fulfil.

use icegate_syntax::Diagnostic;

use crate::ast::{Aggregate, Binary, Call, Cardinality, Expr, Selector, Subquery, ValueType};

type Checked = Result<ValueType, Diagnostic>;

/// The tree, if it is well typed; matching of what isn't two vectors is removed.
pub(crate) fn check(mut expr: Expr) -> Result<Expr, Diagnostic> {
    check_expr(&mut expr)?;
    Ok(expr)
}

fn check_expr(expr: &mut Expr) -> Checked {
    let span = expr.span();
    match expr {
        Expr::Number(_) | Expr::Text(_) => {}
        Expr::Selector(selector) => check_selector(selector)?,
        Expr::Matrix(matrix) => check_selector(&matrix.selector)?,
        Expr::Subquery(subquery) => check_subquery(subquery)?,
        Expr::Call(call) => check_call(call)?,
        Expr::Aggregate(aggregate) => check_aggregate(aggregate)?,
        Expr::Binary(binary) => check_binary(binary)?,
        Expr::Unary(unary) => {
            let found = check_expr(&mut unary.expr)?;
            if !matches!(found, ValueType::Scalar | ValueType::Vector) {
                return Err(Diagnostic::new(
                    format!(
                        "unary expression only allowed on expressions of type scalar or instant vector, got {:?}",
                        found.documented()
                    ),
                    span,
                ));
            }
        }
        Expr::Paren(paren) => return check_expr(&mut paren.expr),
    }
    Ok(expr.value_type())
}

fn check_selector(selector: &Selector) -> Result<(), Diagnostic> {
    let at = |message: String| Err(Diagnostic::new(message, selector.place.0));
    if let Some(name) = &selector.name {
        let inner = &selector.matchers[..selector.matchers.len().saturating_sub(1)];
        return match inner.iter().find(|matcher| matcher.name == "__name__") {
            Some(other) => at(format!("metric name must not be set twice: {name:?} or {}", other.value)),
            None => Ok(()),
        };
    }
    if selector.matchers.iter().all(|matcher| matcher.fits("")) {
        return at("vector selector must contain at least one non-empty matcher".to_owned());
    }
    Ok(())
}

fn check_subquery(subquery: &mut Subquery) -> Result<(), Diagnostic> {
    let found = check_expr(&mut subquery.expr)?;
    if found == ValueType::Vector {
        return Ok(());
    }
    Err(Diagnostic::new(format!("subquery is only allowed on instant vector, got {} instead", found.name()), subquery.place.0))
}

/// Checks an expression that must have a type.
fn expect(expr: &mut Expr, wanted: ValueType, context: &str) -> Result<(), Diagnostic> {
    let found = check_expr(expr)?;
    if found == wanted {
        return Ok(());
    }
    let message = format!("expected type {} in {context}, got {}", wanted.documented(), found.documented());
    Err(Diagnostic::new(message, expr.span()))
}

fn check_aggregate(aggregate: &mut Aggregate) -> Result<(), Diagnostic> {
    expect(&mut aggregate.expr, ValueType::Vector, "aggregation expression")?;
    let wanted = if aggregate.op == "count_values" { ValueType::String } else { ValueType::Scalar };
    aggregate.param.as_mut().map_or(Ok(()), |param| expect(param, wanted, "aggregation parameter"))
}

fn check_call(call: &mut Call) -> Result<(), Diagnostic> {
    let function = call.function;
    let (wanted, given) = (function.args.len(), call.args.len());
    let at = |message: String| Err(Diagnostic::new(message, call.place.0));
    let counted = |bound: &str, count: usize| {
        at(format!("expected {bound}{count} argument(s) in call to {:?}, got {given}", function.name))
    };
    if function.variadic == 0 {
        if wanted != given {
            return counted("", wanted);
        }
    } else {
        let least = wanted - 1;
        if given < least {
            return counted("at least ", least);
        }
        if let Ok(more) = usize::try_from(function.variadic)
            && given > least + more
        {
            return counted("at most ", least + more);
        }
    }
    if function.name == "info" && call.args.len() > 1 {
        check_info_selector(&call.args[1])?;
    }
    let context = format!("call to function {:?}", function.name);
    for (index, arg) in call.args.iter_mut().enumerate() {
        if let Some(wanted) = function.args.get(index).or(function.args.last()) {
            let is_info_selector = function.name == "info" && index == 1;
            // What it matches may be empty: it is joined with what the first argument says.
            if !is_info_selector {
                expect(arg, *wanted, &context)?;
            }
        }
    }
    Ok(())
}

fn check_info_selector(expr: &Expr) -> Result<(), Diagnostic> {
    let at = |message: &str| Err(Diagnostic::new(message, expr.span()));
    match expr {
        Expr::Selector(selector) if selector.name.is_some() => at("expected label selectors only, got vector selector instead"),
        Expr::Selector(_) => Ok(()),
        _ => at("expected label selectors only"),
    }
}

fn check_binary(binary: &mut Binary) -> Result<(), Diagnostic> {
    let (left, right) = (check_expr(&mut binary.left)?, check_expr(&mut binary.right)?);
    let op = binary.op;
    let op_span = binary.op_place.0;
    let whole = binary.left.span().to(binary.right.span());
    let is_comparison = matches!(op, "==" | "!=" | "<" | ">" | "<=" | ">=");
    let is_set = matches!(op, "and" | "or" | "unless");
    if binary.return_bool && !is_comparison {
        return Err(Diagnostic::new("bool modifier can only be used on comparison operators", op_span));
    }
    if is_comparison && !binary.return_bool && left == ValueType::Scalar && right == ValueType::Scalar {
        return Err(Diagnostic::new("comparisons between scalars must use BOOL modifier", op_span));
    }
    if let Some(matching) = binary.matching.as_ref().filter(|matching| matching.on)
        && let Some(both) = matching.labels.iter().find(|label| matching.include.contains(label))
    {
        return Err(Diagnostic::new(format!("label {both:?} must not occur in ON and GROUP clause at once"), op_span));
    }
    for (found, side) in [(left, &binary.left), (right, &binary.right)] {
        if !matches!(found, ValueType::Scalar | ValueType::Vector) {
            let message = "binary expression must contain only scalar and instant vector types";
            return Err(Diagnostic::new(message, side.span()));
        }
    }
    let at = |message: String| Err(Diagnostic::new(message, whole));
    let is_scalar = left != ValueType::Vector || right != ValueType::Vector;
    if let Some(matching) = &binary.matching {
        let has_fill = matching.fill_left.is_some() || matching.fill_right.is_some();
        if is_scalar && (!matching.labels.is_empty() || has_fill) {
            let what = if matching.labels.is_empty() { "filling in missing series" } else { "vector matching" };
            return at(format!("{what} only allowed between instant vectors"));
        }
        if is_set && matches!(matching.card, Cardinality::OneToMany | Cardinality::ManyToOne) {
            return at(format!("no grouping allowed for {op:?} operation"));
        }
        if is_set && has_fill {
            return at("filling in missing series not allowed for set operators".to_owned());
        }
    }
    if is_scalar && is_set {
        return at(format!("set operator {op:?} not allowed in binary scalar expression"));
    }
    if is_scalar {
        binary.matching = None;
    }
    Ok(())
}
