//! Quantiles and fractions of histograms, native ones and those of one series for each bucket.

use std::collections::HashMap;
use std::sync::Arc;

use icegate_series::Labels;

use super::labels::with;
use super::scalar::{scalar, text};
use super::series_labels::{Nameless, without_name};
use super::values::{Context, Row, Sink};
use super::vector::vector;
use crate::PromqlError;
use crate::annotations::{Fixed, about, named};
use crate::ast::Call;
use crate::histogram::{CUSTOM_BOUNDS, Histogram, NanObservations};
use crate::samples::Value;

/// Differences of counts that rounding makes.
const SMALL_DIFFERENCE: f64 = 1e-12;

/// Functions of one native histogram; numbers fall out.
pub(crate) fn property(context: &Context<'_>, call: &Call, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    let value: fn(&Histogram) -> f64 = match call.function.name {
        "histogram_count" => |h| h.count,
        "histogram_sum" => |h| h.sum,
        "histogram_avg" => |h| h.sum / h.count,
        "histogram_stdvar" => Histogram::variance,
        _ => |h| h.variance().sqrt(),
    };
    let is_simple = matches!(call.function.name, "histogram_count" | "histogram_sum" | "histogram_avg");
    let inner = if is_simple { context.with_resets(true, context.resets.is_subquery) } else { *context };
    let mut nameless = Nameless::new(context, true)?;
    vector(&inner, &call.args[0], &mut |mut row| {
        for own in &mut row.values {
            *own = own.as_ref().and_then(Value::histogram).map(|histogram| Value::Float(value(histogram)));
        }
        if row.is_empty() { Ok(()) } else { nameless.pass(row, sink) }
    })
}

/// Series that are one histogram.
struct Group {
    drop_name: bool,
    metric: String,
    native: Vec<Option<Arc<Histogram>>>,
    /// Upper bounds and cumulative counts, at each step.
    buckets: Vec<Vec<(f64, f64)>>,
    /// The first series, with the name that delayed removal leaves.
    named: Labels,
}

/// What is asked of each histogram.
enum Asked {
    Quantile { values: Vec<f64>, label: Option<(String, String)> },
    Fraction { lower: Vec<f64>, upper: Vec<f64> },
}

pub(crate) fn estimate(context: &Context<'_>, call: &Call, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    let context = &context.with_resets(false, context.resets.is_subquery);
    let name = call.function.name;
    let (arg, asked) = match name {
        "histogram_quantile" => {
            let values = quantiles(context, &call.args[0])?;
            (&call.args[1], vec![Asked::Quantile { values, label: None }])
        }
        "histogram_fraction" => {
            let (lower, upper) = (scalar(context, &call.args[0])?, scalar(context, &call.args[1])?);
            (&call.args[2], vec![Asked::Fraction { lower, upper }])
        }
        _ => {
            let label = text(&call.args[1])?;
            let asked = call.args[2..].iter().map(|arg| {
                let values = quantiles(context, arg)?;
                let shown = quantile_label(values.first().copied().unwrap_or(f64::NAN));
                Ok(Asked::Quantile { values, label: Some((label.clone(), shown)) })
            });
            (&call.args[0], asked.collect::<Result<_, PromqlError>>()?)
        }
    };
    let groups = groups(context, arg)?;
    let mut nameless = Nameless::new(context, true)?;
    for group in groups {
        for asked in &asked {
            let values: Vec<_> = (0..context.grid.len()).map(|step| value(context, &group, asked, step, arg.span())).collect();
            if values.iter().all(Option::is_none) {
                continue;
            }
            let mut labels = group.named.clone();
            if let Asked::Quantile { label: Some((name, value)), .. } = asked {
                labels = with(&labels, name, value.as_str());
            }
            nameless.pass(Row { labels, drop_name: group.drop_name, values }, sink)?;
        }
    }
    Ok(())
}

/// A quantile as a label has it: a whole number with a zero behind the point.
fn quantile_label(q: f64) -> String {
    let shown = icegate_syntax::number::print(q);
    if q.is_finite() && !shown.contains(['.', 'e']) { shown + ".0" } else { shown }
}

fn quantiles(context: &Context<'_>, arg: &crate::ast::Expr) -> Result<Vec<f64>, PromqlError> {
    let values = scalar(context, arg)?;
    values.iter().for_each(|q| check_quantile(context, *q, arg.span()));
    Ok(values)
}

/// Warns about what isn't a quantile.
pub(crate) fn check_quantile(context: &Context<'_>, q: f64, span: icegate_syntax::Span) {
    if !(0.0..=1.0).contains(&q) {
        let shown = icegate_syntax::number::print(q);
        context.notes.warn(format!("quantile value should be between 0 and 1, got {shown}"), span);
    }
}

fn groups(context: &Context<'_>, arg: &crate::ast::Expr) -> Result<Vec<Group>, PromqlError> {
    let mut index: HashMap<Labels, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut held = context.budget.hold(0, 0)?;
    vector(context, arg, &mut |row| {
        held.more(row.samples(), row.bytes())?;
        let bound = row.labels.get("le").unwrap_or_default().to_owned();
        let is_native = |value: &Option<Value>| matches!(value, Some(Value::Histogram(_)));
        let has_native = row.values.iter().any(is_native);
        let has_float = row.values.iter().any(|value| matches!(value, Some(Value::Float(_))));
        let upper = read_bound(&bound);
        if has_float && upper.is_none() {
            let message = format!("bucket label \"le\" is missing or has a malformed value of {}", crate::text::quote(&bound));
            context.notes.warn(about(&message, row.name()), arg.span());
        }
        for native in [true, false] {
            if native && !has_native || !native && (!has_float || upper.is_none()) {
                continue;
            }
            // A native histogram keeps all of its labels; of buckets, the bound isn't one of the histogram's.
            let named = if native { row.labels.clone() } else { row.labels.filtered(&["le".to_owned()], false) };
            let key = if context.options.delayed_name_removal { named.clone() } else { without_name(&named) };
            let at = *index.entry(key).or_insert_with(|| {
                let steps = row.values.len();
                groups.push(Group {
                    drop_name: true,
                    metric: row.name().to_owned(),
                    native: vec![None; steps],
                    buckets: vec![Vec::new(); steps],
                    named: named.clone(),
                });
                groups.len() - 1
            });
            let group = &mut groups[at];
            for (step, value) in row.values.iter().enumerate() {
                match (value, native) {
                    (Some(Value::Histogram(histogram)), true) => {
                        let other = group.native[step].replace(Arc::clone(histogram));
                        other.map_or(Ok(()), |_| Err(super::series_labels::same_labels()))?;
                    }
                    (Some(Value::Float(count)), false) => group.buckets[step].extend(upper.map(|upper| (upper, *count))),
                    _ => {}
                }
            }
        }
        Ok(())
    })?;
    Ok(groups)
}

fn read_bound(text: &str) -> Option<f64> {
    match text {
        "+Inf" | "Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        _ => text.parse().ok(),
    }
}

fn value(context: &Context<'_>, group: &Group, asked: &Asked, step: usize, span: icegate_syntax::Span) -> Option<Value> {
    let buckets = &group.buckets[step];
    let metric = &group.metric;
    if let Some(histogram) = &group.native[step] {
        if !buckets.is_empty() {
            context.notes.warn(about("vector contains a mix of classic and native histograms", metric), span);
            return None;
        }
        let value = match asked {
            Asked::Quantile { values, .. } => {
                let (value, nan) = histogram.quantile(values[step]);
                let message = match nan {
                    NanObservations::None => None,
                    NanObservations::NanResult => Some("result is NaN"),
                    NanObservations::SkewedHigher => Some("result is skewed higher"),
                };
                if let Some(message) = message {
                    let message = format!("input to histogram_quantile has NaN observations, {message}");
                    context.notes.info(named(&format!("{message} for metric name"), metric), span);
                }
                value
            }
            Asked::Fraction { lower, upper } => {
                let (value, has_nan) = histogram.fraction(lower[step], upper[step]);
                if has_nan {
                    let message = "input to histogram_fraction has NaN observations, which are excluded from all fractions";
                    context.notes.info(named(&format!("{message} for metric name"), metric), span);
                }
                value
            }
        };
        return Some(Value::Float(value));
    }
    if buckets.is_empty() {
        return None;
    }
    Some(Value::Float(match asked {
        Asked::Quantile { values, .. } => {
            let mut fixed = None;
            let value = bucket_quantile(values[step], buckets.clone(), &mut fixed);
            if let Some((lowest, highest, difference)) = fixed {
                let (times, bounds) = ((context.grid.time(step), context.grid.time(step)), (lowest, highest));
                context.notes.fixed(Fixed { metric: metric.clone(), span, times, bounds, difference, count: 1 });
            }
            value
        }
        Asked::Fraction { lower, upper } => bucket_fraction(lower[step], upper[step], buckets.clone()),
    }))
}

/// Sorts buckets and adds up those with the same bound; `None` where the one of all observations is missing.
fn sorted(mut buckets: Vec<(f64, f64)>) -> Option<Vec<(f64, f64)>> {
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    if buckets.last()?.0 != f64::INFINITY {
        return None;
    }
    let mut out: Vec<(f64, f64)> = Vec::with_capacity(buckets.len());
    for (upper, count) in buckets {
        match out.last_mut().filter(|last| last.0 == upper) {
            Some(last) => last.1 += count,
            None => out.push((upper, count)),
        }
    }
    Some(out)
}

/// Lets counts never fall; tells between which bounds and how much they fell, beyond what rounding does.
fn monotonic(buckets: &mut [(f64, f64)]) -> Option<(f64, f64, f64)> {
    let mut previous = buckets.first()?.1;
    let mut fixed: Option<(f64, f64, f64)> = None;
    for (upper, count) in buckets.iter_mut().skip(1) {
        if *count == previous {
            continue;
        }
        let difference = (*count - previous).abs();
        if difference <= SMALL_DIFFERENCE * (count.abs() + previous.abs()) {
            *count = previous;
        } else if *count < previous {
            let (lowest, _, most) = fixed.unwrap_or((*upper, *upper, 0.0));
            fixed = Some((lowest, *upper, f64::max(most, difference)));
            *count = previous;
        } else {
            previous = *count;
        }
    }
    fixed
}

fn bucket_quantile(q: f64, buckets: Vec<(f64, f64)>, fixed: &mut Option<(f64, f64, f64)>) -> f64 {
    if q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    let Some(mut buckets) = sorted(buckets) else { return f64::NAN };
    *fixed = monotonic(&mut buckets);
    let last = buckets.len() - 1;
    let all = buckets[last].1;
    if last == 0 || all == 0.0 {
        return f64::NAN;
    }
    let rank = q * all;
    let at = buckets[..last].partition_point(|(_, count)| *count < rank || count.is_nan());
    if at == last {
        return buckets[last - 1].0;
    }
    let (end, count) = buckets[at];
    if at == 0 && end <= 0.0 {
        return end;
    }
    let (start, before) = if at == 0 { (0.0, 0.0) } else { buckets[at - 1] };
    start + (end - start) * ((rank - before) / (count - before))
}

fn bucket_fraction(lower: f64, upper: f64, buckets: Vec<(f64, f64)>) -> f64 {
    let Some(buckets) = sorted(buckets) else { return f64::NAN };
    let all = buckets.last().map_or(0.0, |last| last.1);
    let mut histogram = Histogram { schema: CUSTOM_BOUNDS, count: all, ..Histogram::default() };
    let mut before = 0.0;
    for (index, (_, count)) in buckets.iter().enumerate() {
        Histogram::push(&mut histogram.positive, i32::try_from(index).unwrap_or(i32::MAX), count - before);
        before = *count;
    }
    histogram.custom_values = buckets[..buckets.len() - 1].iter().map(|bucket| bucket.0).collect();
    histogram.fraction(lower, upper).0
}
