//! Which values of a column a scan's filters look for.

use std::collections::BTreeSet;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

/// Most values that are looked for one by one.
const MAX_VALUES: usize = 16;

/// The few values, of which the column of bytes has one in every row that passes all filters; `None` where the filters don't say.
pub(crate) fn values(filters: &[Expr], column: &str) -> Option<BTreeSet<Vec<u8>>> {
    let values = filters.iter().filter_map(|filter| of(filter, column)).min_by_key(BTreeSet::len)?;
    (values.len() <= MAX_VALUES).then_some(values)
}

fn of(filter: &Expr, column: &str) -> Option<BTreeSet<Vec<u8>>> {
    let is_column = |expr: &Expr| matches!(expr, Expr::Column(found) if found.name == column);
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if is_column(left) => value(right),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if is_column(right) => value(left),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => match (of(left, column), of(right, column)) {
            (Some(left), Some(right)) => Some(if right.len() < left.len() { right } else { left }),
            (one, other) => one.or(other),
        },
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            let mut either = of(left, column)?;
            either.append(&mut of(right, column)?);
            Some(either)
        }
        Expr::InList(InList { expr, list, negated: false }) if is_column(expr) => {
            let mut any = BTreeSet::new();
            for item in list {
                any.append(&mut value(item)?);
            }
            Some(any)
        }
        _ => None,
    }
}

/// A literal; no row equals NULL.
fn value(expr: &Expr) -> Option<BTreeSet<Vec<u8>>> {
    let Expr::Literal(literal, _) = expr else { return None };
    match literal {
        ScalarValue::Binary(value)
        | ScalarValue::LargeBinary(value)
        | ScalarValue::BinaryView(value)
        | ScalarValue::FixedSizeBinary(_, value) => Some(value.iter().cloned().collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::{col, lit};

    use super::*;

    fn id(byte: u8) -> Expr {
        lit(ScalarValue::BinaryView(Some(vec![byte])))
    }

    fn sought(filters: &[Expr]) -> Option<Vec<u8>> {
        values(filters, "id").map(|values| values.into_iter().flatten().collect())
    }

    #[test]
    fn what_an_id_has_to_equal_is_looked_for() {
        let is = |byte| col("id").eq(id(byte));
        for (filters, expected) in [
            (vec![is(1)], Some(vec![1])),
            (vec![id(1).eq(col("id"))], Some(vec![1])),
            (vec![col("x").eq(id(9)), is(1)], Some(vec![1])),
            (vec![is(1).or(is(2))], Some(vec![1, 2])),
            (vec![is(1).and(col("x").eq(id(9)))], Some(vec![1])),
            (vec![is(1).or(is(2)).and(is(2))], Some(vec![2])),
            (vec![col("id").in_list(vec![id(3), id(4), id(3)], false)], Some(vec![3, 4])),
            (vec![col("id").in_list(vec![id(3), id(4)], false), is(3)], Some(vec![3])),
            (vec![col("id").eq(lit(ScalarValue::BinaryView(None)))], Some(vec![])),
            (vec![col("id").in_list((0..16).map(id).collect(), false)], Some((0..16).collect())),
        ] {
            assert_eq!(sought(&filters), expected, "{filters:?}");
        }
    }

    #[test]
    fn where_any_id_may_pass_none_is_looked_for() {
        let is = |byte| col("id").eq(id(byte));
        for filters in [
            vec![],
            vec![col("x").eq(id(1))],
            vec![is(1).or(col("x").eq(id(9)))],
            vec![is(1).or(col("id").is_null())],
            vec![col("id").not_eq(id(1))],
            vec![col("id").gt_eq(id(1)), col("id").lt_eq(id(1))],
            vec![!is(1)],
            vec![col("id").in_list(vec![id(3)], true)],
            vec![col("id").in_list(vec![id(3), col("x")], false)],
            vec![col("id").eq(col("x"))],
            vec![col("id").in_list((0..17).map(id).collect(), false)],
        ] {
            assert_eq!(sought(&filters), None, "{filters:?}");
        }
    }
}
