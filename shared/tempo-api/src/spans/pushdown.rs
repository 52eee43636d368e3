//! What columns decide of spans, as filters that the scan prunes and drops rows by.
//!
//! A filter lets every span through that fits, and may let others through: what it doesn't decide, [`super::sieve`] does.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, col, lit, not};
use icegate_model::Table;
use icegate_schema::columns::*;
use icegate_schema::{AttributeColumn, AttributeKind, AttributeOwner, attribute_columns};
use icegate_traceql::ast::{Attribute, Comparison, Field, Intrinsic, Scope};
use icegate_traceql::{Condition, Predicate, Test, Value};

use super::Window;

/// A filter, and whether it lets nothing else through.
struct Filter {
    expr: Expr,
    exact: bool,
}

/// The filter that a predicate comes down to; none where columns decide nothing.
pub(super) fn filter(predicate: &Predicate) -> Option<Expr> {
    of(predicate).map(|filter| filter.expr)
}

/// Whether columns decide anything of it.
pub(super) fn helps(predicate: &Predicate) -> bool {
    of(predicate).is_some()
}

fn of(predicate: &Predicate) -> Option<Filter> {
    match predicate {
        Predicate::All(all) => {
            let parts: Vec<_> = all.iter().map(of).collect();
            let exact = parts.iter().all(|part| part.as_ref().is_some_and(|part| part.exact));
            let expr = parts.into_iter().flatten().map(|part| part.expr).reduce(Expr::and)?;
            Some(Filter { expr, exact })
        }
        Predicate::Any(any) if any.is_empty() => Some(Filter { expr: lit(false), exact: true }),
        Predicate::Any(any) => {
            let parts: Vec<_> = any.iter().map(of).collect::<Option<_>>()?;
            let exact = parts.iter().all(|part| part.exact);
            let expr = parts.into_iter().map(|part| part.expr).reduce(Expr::or)?;
            Some(Filter { expr, exact })
        }
        // Only what is decided wholly can be turned around.
        Predicate::Not(inner) => of(inner).filter(|inner| inner.exact).map(|inner| Filter { expr: not(inner.expr), exact: true }),
        Predicate::Condition(condition) => of_condition(condition),
    }
}

fn of_condition(condition: &Condition) -> Option<Filter> {
    of_attribute(condition).or_else(|| of_column(condition))
}

/// Of an attribute that has a column of its own, where the row's columns say anything of it.
fn of_attribute(condition: &Condition) -> Option<Filter> {
    let Field::Attribute(Attribute { scope: Some(scope), name }) = &condition.field else { return None };
    let owner = match scope {
        Scope::Span => AttributeOwner::Record,
        Scope::Resource => AttributeOwner::Resource,
        Scope::Event | Scope::Link | Scope::Instrumentation => return None,
    };
    let list = attribute_columns(Table::Spans);
    let index = list.iter().position(|attribute| attribute.owner == owner && attribute.key == name)?;
    let AttributeColumn { column, kind, .. } = list[index];
    let test = match (&condition.test, kind) {
        (Test::Absent, _) => col(column).is_null(),
        (Test::Compares(op, Value::Int(value)), AttributeKind::Int) => compared(*op, column, lit(*value)),
        (Test::Compares(op @ (Comparison::Equal | Comparison::NotEqual), Value::Text(text)), AttributeKind::Text) => {
            compared(*op, column, lit(&**text))
        }
        _ => col(column).is_not_null(),
    };
    let known = || col(ATTRIBUTE_COLUMNS);
    let says_nothing = known().is_null().or(known().lt_eq(lit(i32::try_from(index).ok()?)));
    Some(loose(says_nothing.or(test)))
}

fn of_column(condition: &Condition) -> Option<Filter> {
    let Test::Compares(op, value) = &condition.test else { return None };
    if condition.field.is_service_name() {
        let Value::Text(text) = value else { return None };
        // The column also has services whose name isn't a text, and a name for those that have none.
        return (*op == Comparison::Equal && !text.is_empty()).then(|| loose(is(SERVICE_NAME, lit(&**text))));
    }
    let Field::Intrinsic(intrinsic, _) = &condition.field else { return None };
    match (intrinsic, value) {
        (Intrinsic::Name, Value::Text(text)) => Some(exact(compared(*op, NAME, lit(&**text)))),
        (Intrinsic::Kind, Value::Kind(kind)) => coded(*op, KIND, *kind as i32),
        (Intrinsic::Status, Value::Status(status)) => coded(*op, STATUS_CODE, *status as i32),
        (Intrinsic::Duration, value) => duration(*op, value).map(loose),
        (Intrinsic::TraceId, Value::Text(text)) if *op == Comparison::Equal => id::<16>(TRACE_ID, text).map(loose),
        (Intrinsic::SpanId, Value::Text(text)) if *op == Comparison::Equal => id::<8>(SPAN_ID, text).map(loose),
        (Intrinsic::StatusMessage, Value::Text(text)) => given(*op, STATUS_MESSAGE, text),
        (Intrinsic::InstrumentationName, Value::Text(text)) => given(*op, SCOPE_NAME, text),
        (Intrinsic::InstrumentationVersion, Value::Text(text)) => given(*op, SCOPE_VERSION, text),
        _ => None,
    }
}

const fn exact(expr: Expr) -> Filter {
    Filter { expr, exact: true }
}

const fn loose(expr: Expr) -> Filter {
    Filter { expr, exact: false }
}

/// Never NULL, so that it can be turned around.
fn is(column: &str, value: Expr) -> Expr {
    col(column).is_not_null().and(col(column).eq(value))
}

fn compared(op: Comparison, column: &str, value: Expr) -> Expr {
    let column = col(column);
    match op {
        Comparison::Equal => column.eq(value),
        Comparison::NotEqual => column.not_eq(value),
        Comparison::Greater => column.gt(value),
        Comparison::GreaterOrEqual => column.gt_eq(value),
        Comparison::Less => column.lt(value),
        Comparison::LessOrEqual => column.lt_eq(value),
    }
}

/// A column of numbers that stand for words, NULL for the first.
fn coded(op: Comparison, column: &str, code: i32) -> Option<Filter> {
    let same = if code == 0 { col(column).is_null().or(is(column, lit(0))) } else { is(column, lit(code)) };
    match op {
        Comparison::Equal => Some(exact(same)),
        Comparison::NotEqual => Some(exact(not(same))),
        _ => None,
    }
}

/// A column of texts, NULL for the empty one.
fn given(op: Comparison, column: &str, text: &str) -> Option<Filter> {
    (op == Comparison::Equal && !text.is_empty()).then(|| loose(is(column, lit(text))))
}

/// Whole microseconds that a duration of so many nanoseconds lies in.
fn duration(op: Comparison, value: &Value) -> Option<Expr> {
    let micros = match value {
        Value::Int(nanos) | Value::Duration(nanos) => nanos.div_euclid(1_000),
        #[allow(clippy::cast_possible_truncation, reason = "a number that is too great becomes the greatest one")]
        Value::Float(nanos) if nanos.is_finite() => (nanos / 1e3).floor() as i64,
        _ => return None,
    };
    let column = || col(DURATION_MICROS);
    match op {
        Comparison::Greater | Comparison::GreaterOrEqual => Some(column().gt_eq(lit(micros))),
        Comparison::Less | Comparison::LessOrEqual => Some(column().lt_eq(lit(micros))),
        Comparison::Equal => Some(column().eq(lit(micros))),
        Comparison::NotEqual => None,
    }
}

/// An id of so many bytes; nothing is known of a text that is none.
fn id<const N: usize>(column: &str, digits: &str) -> Option<Expr> {
    let bytes = hex::decode(format!("{digits:0>width$}", width = 2 * N)).ok().filter(|bytes| bytes.len() == N)?;
    Some(col(column).eq(binary(&bytes)))
}

pub(super) fn binary(bytes: &[u8]) -> Expr {
    lit(ScalarValue::BinaryView(Some(bytes.to_vec())))
}

/// Rows that start within the microseconds of a window.
pub(super) fn within(window: Window) -> Vec<Expr> {
    vec![col(TIMESTAMP).gt_eq(micros(window.start)), col(TIMESTAMP).lt_eq(micros(window.end))]
}

/// Rows that start at a time or before it, to the microsecond.
pub(crate) fn starts_until(nanos: i64) -> Expr {
    col(TIMESTAMP).lt_eq(micros(nanos))
}

/// Rows that end at a time or after it, to the microsecond.
pub(crate) fn ends_from(nanos: i64) -> Expr {
    col(END_TIMESTAMP).gt_eq(micros(nanos))
}

fn micros(nanos: i64) -> Expr {
    lit(ScalarValue::TimestampMicrosecond(Some(nanos.div_euclid(1_000)), Some("+00:00".into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use icegate_traceql::{parse, plan};

    fn pushed(query: &str) -> String {
        let plan = plan(&parse(query).unwrap()).remove(0);
        filter(&plan.spans).map_or_else(|| "everything".to_owned(), |expr| expr.to_string())
    }

    #[test]
    fn columns_decide_what_they_hold() {
        for (query, filter) in [
            ("{ }", "everything"),
            ("{ span.a = 1 }", "everything"),
            (r#"{ name = "a" }"#, r#"name = Utf8("a")"#),
            (r#"{ name != "a" && span.b = 1 }"#, r#"name != Utf8("a")"#),
            (r#"{ name = "a" || span.b = 1 }"#, "everything"),
            ("{ status = error }", "status_code IS NOT NULL AND status_code = Int32(2)"),
            ("{ status != unset }", "NOT status_code IS NULL OR status_code IS NOT NULL AND status_code = Int32(0)"),
            ("{ kind = server }", "kind IS NOT NULL AND kind = Int32(2)"),
            ("{ duration > 1500ns }", "duration_micros >= Int64(1)"),
            ("{ duration <= 1500ns }", "duration_micros <= Int64(1)"),
            ("{ duration != 1s }", "everything"),
            (r#"{ resource.service.name = "a" }"#, r#"service_name IS NOT NULL AND service_name = Utf8("a")"#),
            (r#"{ .service.name = "a" }"#, "everything"),
            (r#"{ !(name = "a") }"#, r#"NOT name = Utf8("a")"#),
            (r#"{ !(resource.service.name = "a") }"#, "everything"),
            ("{ false }", "Boolean(false)"),
            (r#"{ span:id = "zz" }"#, "everything"),
        ] {
            assert_eq!(pushed(query), filter, "{query}");
        }
        // The first of the list is known by any row that knows one.
        let unless_known = "attribute_columns IS NULL OR attribute_columns <= Int32(0) OR";
        for (test, filter) in [
            ("= 500", "http_response_status_code = Int64(500)"),
            ("!= 500", "http_response_status_code != Int64(500)"),
            (">= 500", "http_response_status_code >= Int64(500)"),
            (r#"= "500""#, "http_response_status_code IS NOT NULL"),
            (r#"=~ "5.*""#, "http_response_status_code IS NOT NULL"),
            ("!= nil", "http_response_status_code IS NOT NULL"),
            ("= nil", "http_response_status_code IS NULL"),
        ] {
            let query = format!("{{ span.http.response.status_code {test} }}");
            assert_eq!(pushed(&query), format!("{unless_known} {filter}"), "{query}");
        }
        assert!(pushed(r#"{ span.http.route = "/a" }"#).ends_with(r#"OR http_route = Utf8("/a")"#));
        assert!(pushed(r#"{ resource.k8s.pod.name != "a" }"#).ends_with(r#"OR k8s_pod_name != Utf8("a")"#));
        // The other owner has no column, without an owner either may have it, and what is undecided can't be turned around.
        for query in [r#"{ resource.http.route = "/a" }"#, r#"{ .http.route = "/a" }"#, r#"{ !(span.http.route = "/a") }"#] {
            assert_eq!(pushed(query), "everything", "{query}");
        }
        let id = pushed(r#"{ trace:id = "1f" }"#);
        assert!(id.starts_with("trace_id = BinaryView(") && id.contains("31"), "{id}");
    }
}
