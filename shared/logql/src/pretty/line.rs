use icegate_syntax::text::quote;
use icegate_syntax::{duration, number};

use crate::ast::{
    Extraction, GroupSide, Grouping, LabelFilter, LogRange, MetricExpr, MetricKind, Modifier, RangeAggregation, Selector, Stage,
    StageKind, Unwrap, VectorAggregation,
};

/// Lines on one line.
pub(super) fn logs(selector: &Selector, stages: &[Stage]) -> String {
    std::iter::once(selector.to_string()).chain(stages.iter().map(stage)).collect::<Vec<_>>().join(" ")
}

/// A stage; other than in the usual text, conditions have no spaces around operators, and lists none behind commas.
pub(super) fn stage(stage: &Stage) -> String {
    match &stage.kind {
        StageKind::Label(filter) => format!("| {}", label_filter(filter)),
        StageKind::Json(extractions) => parser("json", extractions),
        StageKind::Logfmt { strict, keep_empty, extractions } => {
            let (strict, keep_empty) = (if *strict { " --strict" } else { "" }, if *keep_empty { " --keep-empty" } else { "" });
            parser(&format!("logfmt{strict}{keep_empty}"), extractions)
        }
        StageKind::LabelFormat(formats) => format!("| label_format {}", joined(formats)),
        StageKind::Drop(names) => format!("| drop {}", joined(names)),
        StageKind::Keep(names) => format!("| keep {}", joined(names)),
        _ => stage.to_string(),
    }
}

fn parser(name: &str, extractions: &[Extraction]) -> String {
    if extractions.is_empty() { format!("| {name}") } else { format!("| {name} {}", joined(extractions)) }
}

fn joined<T: ToString>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn label_filter(filter: &LabelFilter) -> String {
    match filter {
        LabelFilter::And(left, right) => format!("( {} , {} )", label_filter(left), label_filter(right)),
        LabelFilter::Or(left, right) => format!("( {} or {} )", label_filter(left), label_filter(right)),
        LabelFilter::Number { name, op, value, .. } => format!("{name}{}{value}", op.symbol()),
        LabelFilter::Duration { name, op, nanos, .. } => format!("{name}{}{}", op.symbol(), go(*nanos)),
        LabelFilter::Bytes { name, op, size, .. } => format!("{name}{}{}", op.symbol(), bytes(*size)),
        LabelFilter::Text(_) | LabelFilter::Ip { .. } => filter.to_string(),
    }
}

/// An unwrap and its conditions.
pub(super) fn unwrap(unwrap: &Unwrap) -> Vec<String> {
    let bare = Unwrap { filters: Vec::new(), ..unwrap.clone() };
    std::iter::once(bare.to_string()).chain(unwrap.filters.iter().map(|filter| format!("| {}", label_filter(filter)))).collect()
}

pub(super) fn metric(expr: &MetricExpr) -> String {
    match &expr.kind {
        MetricKind::Number(value) => number::print(*value),
        MetricKind::Vector(value) => vector(*value),
        MetricKind::Range(aggregation) => range(aggregation),
        MetricKind::Vectors(aggregation) => vectors(aggregation),
        MetricKind::Binary { op, modifier: how, left, right } => {
            format!("({} {}{} {})", metric(left), op.word(), modifier(how), metric(right))
        }
        MetricKind::LabelReplace { inner, target, replacement, source, regex } => {
            let [target, replacement, source, regex] = [target, replacement, source, regex].map(|text| quote(text));
            format!("label_replace({},{target},{replacement},{source},{regex})", metric(inner))
        }
    }
}

/// Six digits behind the point, or as many as the number has.
fn vector(value: f64) -> String {
    let fixed = format!("{value:.6}");
    if fixed.parse() == Ok(value) { format!("vector({fixed})") } else { format!("vector({})", number::print(value)) }
}

/// What follows an operator.
pub(super) fn modifier(modifier: &Modifier) -> String {
    let mut text = String::from(if modifier.bool { " bool" } else { "" });
    let Some(matching) = &modifier.matching else { return text };
    text.push_str(if matching.on { " on (" } else { " ignoring (" });
    text.push_str(&matching.labels.join(","));
    text.push(')');
    match &matching.group {
        None => text.push(' '),
        Some((side, labels)) => {
            text.push_str(if *side == GroupSide::Left { " group_left" } else { " group_right" });
            if !labels.is_empty() {
                text.push_str(&format!(" ({})", labels.join(",")));
            }
        }
    }
    text
}

fn range(aggregation: &RangeAggregation) -> String {
    let param = aggregation.param.map(|param| format!("{},", number::print(param))).unwrap_or_default();
    let grouping = aggregation.grouping.as_ref().map(|by| format!(" {}", grouping(by))).unwrap_or_default();
    format!("{}({param}{}){grouping}", aggregation.op.word(), lines(&aggregation.range))
}

fn lines(range: &LogRange) -> String {
    let unwrapped: String = range.unwrap.iter().flat_map(unwrap).map(|stage| format!(" {stage}")).collect();
    let offset = if range.offset == 0 { String::new() } else { format!(" offset {}", go(range.offset)) };
    format!("{}{unwrapped}[{}]{offset}", logs(&range.selector, &range.stages), range_length(range.nanos))
}

fn vectors(aggregation: &VectorAggregation) -> String {
    let param = aggregation.param.map(|param| format!("{param},")).unwrap_or_default();
    let grouping = aggregation.grouping.as_ref().map(|by| format!(" {}", grouping(by))).unwrap_or_default();
    format!("{}{grouping}({param}{})", aggregation.op.word(), metric(&aggregation.inner))
}

fn grouping(grouping: &Grouping) -> String {
    format!("{} ({})", if grouping.without { "without" } else { "by" }, grouping.labels.join(","))
}

/// A range's length or offset in Prometheus's form; whole years and weeks as such.
pub(super) fn range_length(nanos: i64) -> String {
    const WEEK: i64 = 7 * 24 * 3_600 * 1_000_000_000;
    const YEAR: i64 = 365 * 24 * 3_600 * 1_000_000_000;
    match nanos {
        _ if nanos > 0 && nanos % YEAR == 0 => format!("{}y", nanos / YEAR),
        _ if nanos > 0 && nanos % WEEK == 0 => format!("{}w", nanos / WEEK),
        _ => duration::print(nanos),
    }
}

/// A duration as Go writes it: `1h0m0.5s`, `1.5ms`.
fn go(nanos: i64) -> String {
    let (sign, rest) = (if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs());
    let decimal = |scale: u64, unit: &str, rest: u64| {
        let digits = format!("{:0width$}", rest % scale, width = scale.ilog10() as usize);
        let fraction = digits.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{}{point}{fraction}{unit}", rest / scale)
    };
    const SECOND: u64 = 1_000_000_000;
    let (hours, minutes, seconds) = (rest / (3_600 * SECOND), rest / (60 * SECOND) % 60, rest % (60 * SECOND));
    let text = match rest {
        0 => "0s".to_owned(),
        1..1_000 => format!("{rest}ns"),
        1_000..1_000_000 => decimal(1_000, "µs", rest),
        1_000_000..SECOND => decimal(1_000_000, "ms", rest),
        _ if hours > 0 => format!("{hours}h{minutes}m{}", decimal(SECOND, "s", seconds)),
        _ if minutes > 0 => format!("{minutes}m{}", decimal(SECOND, "s", seconds)),
        _ => decimal(SECOND, "s", seconds),
    };
    format!("{sign}{text}")
}

/// A size in the largest decimal unit in which it has at most one digit behind the point.
fn bytes(size: u64) -> String {
    const UNITS: [(&str, u64); 5] =
        [("PB", 1_000_000_000_000_000), ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    let tenths = |scale: u64| size >= scale && size.is_multiple_of(scale / 10);
    match UNITS.into_iter().find(|(_, scale)| tenths(*scale)) {
        Some((unit, scale)) if size.is_multiple_of(scale) => format!("{}{unit}", size / scale),
        Some((unit, scale)) => format!("{}.{}{unit}", size / scale, size % scale / (scale / 10)),
        None => format!("{size}B"),
    }
}
