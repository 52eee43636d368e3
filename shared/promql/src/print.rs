//! Trees to text that reads back equal.

use std::fmt::{self, Write as _};

use icegate_syntax::number;

use crate::ast::{
    Aggregate, At, Binary, Cardinality, DurationExpr, DurationOp, Expr, Extended, Grouping, Matching, Matrix, Number, Selector,
    Subquery, Timing,
};
use crate::duration;
use crate::lexer::is_alphanumeric;
use crate::text::quote;

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(literal) => write!(f, "{}", literal.text),
            Self::Selector(selector) => write!(f, "{selector}"),
            Self::Matrix(matrix) => write!(f, "{matrix}"),
            Self::Subquery(subquery) => write!(f, "{}{}", subquery.expr, subquery_suffix(subquery)),
            Self::Call(call) => {
                write!(f, "{}(", call.function.name)?;
                separated(f, &call.args)?;
                f.write_str(")")
            }
            Self::Aggregate(aggregate) => {
                write!(f, "{}(", aggregation(aggregate))?;
                if let Some(param) = &aggregate.param {
                    write!(f, "{param}, ")?;
                }
                write!(f, "{})", aggregate.expr)
            }
            Self::Binary(binary) => write!(f, "{} {} {}", binary.left, operation(binary), binary.right),
            Self::Unary(unary) => write!(f, "{}{}", sign(unary.negative), unary.expr),
            Self::Paren(paren) => write!(f, "({})", paren.expr),
        }
    }
}

pub(crate) const fn sign(negative: bool) -> &'static str {
    if negative { "-" } else { "+" }
}

fn separated<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        write!(f, "{comma}{item}")?;
    }
    Ok(())
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_duration {
            return f.write_str(&duration::print(duration::millis(self.value)));
        }
        f.write_str(&plain(self.value))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", bare_selector(self), timing(&self.timing, self.extended))
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = length(self.range, self.range_expr.as_ref());
        let modifiers = timing(&self.selector.timing, self.selector.extended);
        write!(f, "{}[{range}]{modifiers}", bare_selector(&self.selector))
    }
}

/// Without modifiers; conditions in order of their text.
fn bare_selector(selector: &Selector) -> String {
    let name = selector.name.as_deref().unwrap_or_default();
    let inner = selector.matchers.len() - usize::from(selector.name.is_some() && !selector.matchers.is_empty());
    let mut matchers: Vec<String> = selector.matchers[..inner].iter().map(ToString::to_string).collect();
    matchers.sort();
    if matchers.is_empty() && !name.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", matchers.join(",")) }
}

const fn extended(extended: Extended) -> &'static str {
    match extended {
        Extended::No => "",
        Extended::Anchored => " anchored",
        Extended::Smoothed => " smoothed",
    }
}

fn timing(timing: &Timing, how: Extended) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    match timing.at {
        None => {}
        Some(At::Start) => text.push_str(" @ start()"),
        Some(At::End) => text.push_str(" @ end()"),
        Some(At::Time(millis)) => {
            let magnitude = millis.unsigned_abs();
            let sign = if millis < 0 { "-" } else { "" };
            _ = write!(text, " @ {sign}{}.{:03}", magnitude / 1000, magnitude % 1000);
        }
    }
    text.push_str(extended(how));
    if let Some(expr) = &timing.offset_expr {
        _ = write!(text, " offset {expr}");
    } else if timing.offset != 0 {
        _ = write!(text, " offset {}", duration::print(timing.offset));
    }
    text
}

fn length(millis: i64, expr: Option<&DurationExpr>) -> String {
    expr.map_or_else(|| duration::print(millis), ToString::to_string)
}

/// `[range:step]` and modifiers.
pub(crate) fn subquery_suffix(subquery: &Subquery) -> String {
    let range = length(subquery.range, subquery.range_expr.as_ref());
    let step = if subquery.step == 0 && subquery.step_expr.is_none() {
        String::new()
    } else {
        length(subquery.step, subquery.step_expr.as_ref())
    };
    format!("[{range}:{step}]{}", timing(&subquery.timing, Extended::No))
}

impl fmt::Display for DurationExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (op, left, right, wrapped) = match self {
            Self::Number(number) => return write!(f, "{number}"),
            Self::Op { op, left, right, wrapped, .. } => (*op, left, right, *wrapped),
        };
        if wrapped {
            f.write_str("(")?;
        }
        match (op, left, right) {
            (DurationOp::Step | DurationOp::Range, ..) => write!(f, "{}()", op.name())?,
            (DurationOp::MinOf | DurationOp::MaxOf, Some(left), Some(right)) => write!(f, "{}({left}, {right})", op.name())?,
            (DurationOp::Sub, None, Some(right)) => write!(f, "-{right}")?,
            (_, None, Some(right)) => write!(f, "{right}")?,
            (_, Some(left), Some(right)) => write!(f, "{left} {} {right}", op.name())?,
            (_, _, None) => {}
        }
        if wrapped { f.write_str(")") } else { Ok(()) }
    }
}

/// The name of an aggregation with its grouping.
pub(crate) fn aggregation(aggregate: &Aggregate) -> String {
    let Grouping { without, labels } = &aggregate.grouping;
    match (without, labels.is_empty()) {
        (true, _) => format!("{} without ({}) ", aggregate.op, label_names(labels)),
        (false, false) => format!("{} by ({}) ", aggregate.op, label_names(labels)),
        (false, true) => aggregate.op.to_owned(),
    }
}

/// An operation with its modifiers.
pub(crate) fn operation(binary: &Binary) -> String {
    let return_bool = if binary.return_bool { " bool" } else { "" };
    format!("{}{return_bool}{}", binary.op, binary.matching.as_ref().map(matching).unwrap_or_default())
}

fn matching(matching: &Matching) -> String {
    let mut text = String::new();
    if matching.on || !matching.labels.is_empty() || matches!(matching.card, Cardinality::ManyToOne | Cardinality::OneToMany) {
        let word = if matching.on { "on" } else { "ignoring" };
        _ = write!(text, " {word} ({})", label_names(&matching.labels));
    }
    let side = match matching.card {
        Cardinality::ManyToOne => Some("left"),
        Cardinality::OneToMany => Some("right"),
        Cardinality::OneToOne | Cardinality::ManyToMany => None,
    };
    if let Some(side) = side {
        _ = write!(text, " group_{side} ({})", label_names(&matching.include));
    }
    match (matching.fill_left, matching.fill_right) {
        (Some(left), Some(right)) if left.to_bits() == right.to_bits() => _ = write!(text, " fill ({})", plain(left)),
        (left, right) => {
            for (side, value) in [("left", left), ("right", right)] {
                if let Some(value) = value {
                    _ = write!(text, " fill_{side} ({})", plain(value));
                }
            }
        }
    }
    text
}

fn label_names(labels: &[String]) -> String {
    let names: Vec<String> = labels.iter().map(|label| label_name(label)).collect();
    names.join(", ")
}

/// The name of a label, quoted where it must be.
pub(crate) fn label_name(name: &str) -> String {
    let is_plain =
        name.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic()) && name.chars().all(is_alphanumeric);
    if is_plain { name.to_owned() } else { quote(name) }
}

/// A number without an exponent.
pub(crate) fn plain(value: f64) -> String {
    if value.is_finite() { format!("{value}") } else { number::print(value) }
}
