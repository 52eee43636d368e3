use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, cast, col, lit};
use icegate_schema::columns::{DETECTED_LEVEL, SERVICE_NAME, SEVERITY_NUMBER, SEVERITY_TEXT, SPAN_ID, STREAM_LABELS, TRACE_ID};
use icegate_schema::{STREAM_RESOURCE_ATTRIBUTES, label_name};

use super::predicate::text_predicate;
use crate::LogqlError;
use crate::ast::{Comparison, LabelFilter, MatchOp, Matcher};
use crate::rows::parse_stream;
use crate::stage::{MatcherTest, loosened};

/// Who decides a label's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A column of texts, NULL for "".
    Column(&'static str),
    /// A column of bytes, as lower-case hexadecimal digits.
    Id(&'static str),
    /// The column of stream labels where it has the label, else the row.
    Stream,
    /// All of the row.
    Row,
}

/// Who decides the value of the label of this name.
pub(crate) fn owner(name: &str) -> Owner {
    match name {
        "service_name" => Owner::Column(SERVICE_NAME),
        "severity_text" => Owner::Column(SEVERITY_TEXT),
        "detected_level" => Owner::Column(DETECTED_LEVEL),
        "trace_id" => Owner::Id(TRACE_ID),
        "span_id" => Owner::Id(SPAN_ID),
        _ if STREAM_RESOURCE_ATTRIBUTES.iter().any(|attribute| label_name(attribute) == name) => Owner::Stream,
        _ => Owner::Row,
    }
}

/// A matcher on columns; for a stream label, true also where the stream lacks it, which sets `undecided`. `None` where no column helps.
pub(crate) fn matcher(matcher: &Matcher, undecided: &Arc<AtomicBool>) -> Result<Option<Expr>, LogqlError> {
    Ok(match owner(&matcher.name) {
        Owner::Column(column) => Some(text(column, matcher)?),
        Owner::Id(column) => Some(id(column, matcher)?),
        Owner::Stream => Some(stream(matcher, Arc::clone(undecided))?),
        Owner::Row => None,
    })
}

fn text(column: &'static str, matcher: &Matcher) -> Result<Expr, LogqlError> {
    let value = || lit(matcher.value.as_str());
    Ok(match matcher.op {
        MatchOp::Equal if matcher.value.is_empty() => col(column).is_null().or(col(column).eq(value())),
        MatchOp::Equal => col(column).eq(value()),
        MatchOp::NotEqual if matcher.value.is_empty() => col(column).is_not_null().and(col(column).not_eq(value())),
        MatchOp::NotEqual => col(column).is_null().or(col(column).not_eq(value())),
        MatchOp::Regex if alternatives(&matcher.value).is_some() => {
            let values = alternatives(&matcher.value).unwrap_or_default();
            col(column).in_list(values.into_iter().map(lit).collect(), false)
        }
        MatchOp::Regex | MatchOp::NotRegex => {
            let test = MatcherTest::new(matcher)?;
            text_predicate(format!("{column}{}{:?}", matcher.op.symbol(), matcher.value), true, move |value| test.fits(value))
                .call(vec![col(column)])
        }
    })
}

/// What has to hold for rows that a label filter behind a parser may keep: a column that has a value decides, one without may be
/// filled by the parser. `None` where no column helps.
pub(crate) fn possible(filter: &LabelFilter) -> Result<Option<Expr>, LogqlError> {
    Ok(match filter {
        LabelFilter::Text(matcher) => match owner(&matcher.name) {
            Owner::Column(column) => {
                let missing = col(column).is_null().or(col(column).eq(lit("")));
                Some(missing.or(text(column, &loosened(matcher))?))
            }
            Owner::Id(column) => Some(col(column).is_null().or(id(column, &loosened(matcher))?)),
            Owner::Stream | Owner::Row => None,
        },
        LabelFilter::And(left, right) => match (possible(left)?, possible(right)?) {
            (Some(left), Some(right)) => Some(left.and(right)),
            (one, other) => one.or(other),
        },
        LabelFilter::Or(left, right) => possible(left)?.zip(possible(right)?).map(|(left, right)| left.or(right)),
        _ => None,
    })
}

/// The texts of `a|b|c`, none of them empty.
fn alternatives(expression: &str) -> Option<Vec<&str>> {
    let plain = |text: &&str| {
        !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ' | '/' | ':' | '@'))
    };
    let parts: Vec<_> = expression.split('|').collect();
    parts.iter().all(plain).then_some(parts)
}

fn id(column: &'static str, matcher: &Matcher) -> Result<Expr, LogqlError> {
    let bytes = hex::decode(&matcher.value).ok().filter(|bytes| hex::encode(bytes) == matcher.value);
    Ok(match (matcher.op, bytes) {
        (MatchOp::Equal, _) if matcher.value.is_empty() => col(column).is_null(),
        (MatchOp::NotEqual, _) if matcher.value.is_empty() => col(column).is_not_null(),
        (MatchOp::Equal, Some(bytes)) => col(column).eq(binary(bytes)),
        (MatchOp::Equal, None) => lit(false),
        (MatchOp::NotEqual, Some(bytes)) => col(column).is_null().or(col(column).not_eq(binary(bytes))),
        (MatchOp::NotEqual, None) => lit(true),
        (MatchOp::Regex | MatchOp::NotRegex, _) => {
            let test = MatcherTest::new(matcher)?;
            let name = format!("{column}{}{:?}", matcher.op.symbol(), matcher.value);
            text_predicate(name, false, move |value| test.fits(value)).call(vec![col(column)])
        }
    })
}

pub(crate) fn binary(bytes: Vec<u8>) -> Expr {
    lit(ScalarValue::Binary(Some(bytes)))
}

fn stream(matcher: &Matcher, undecided: Arc<AtomicBool>) -> Result<Expr, LogqlError> {
    let test = MatcherTest::new(matcher)?;
    let name = format!("{STREAM_LABELS}.{}{}{:?}", matcher.name, matcher.op.symbol(), matcher.value);
    let predicate = text_predicate(name, true, move |json| match parse_stream(json).build().get(&test.name) {
        Some(value) => test.fits(value),
        None => {
            undecided.store(true, Ordering::Relaxed);
            true
        }
    });
    Ok(predicate.call(vec![col(STREAM_LABELS)]))
}

/// A comparison of a number that a column holds.
pub(crate) fn number(name: &str, op: Comparison, value: f64) -> Option<Expr> {
    if name != SEVERITY_NUMBER {
        return None;
    }
    let (column, value) = (cast(col(SEVERITY_NUMBER), DataType::Float64), lit(value));
    let holds = match op {
        Comparison::Equal => column.eq(value),
        Comparison::NotEqual => column.not_eq(value),
        Comparison::Greater => column.gt(value),
        Comparison::GreaterOrEqual => column.gt_eq(value),
        Comparison::Less => column.lt(value),
        Comparison::LessOrEqual => column.lt_eq(value),
    };
    // 0 says that there is no number, so the label is missing.
    Some(col(SEVERITY_NUMBER).not_eq(lit(0)).and(holds))
}
