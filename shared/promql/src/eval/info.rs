//! `info`: labels of info series join those of others with the same job and instance.

use std::collections::{BTreeMap, HashMap, HashSet};

use icegate_series::Labels;

use super::labels::with;
use super::selector::{Seen, seen_at};
use super::timing::Look;
use super::values::{Context, Row, Sink, name};
use super::vector::collect;
use crate::PromqlError;
use crate::ast::{Call, Expr};
use crate::matcher::{MatchOp, Matcher};
use crate::samples::Value;
use crate::text::Text;

/// The labels that say whose info it is.
const IDENTIFYING: [&str; 2] = ["instance", "job"];

/// An info series at the steps.
struct Info {
    labels: Labels,
    seen: Vec<Option<Seen>>,
}

/// What the second argument says.
struct Wanted {
    names: Vec<Matcher>,
    data: Vec<Matcher>,
}

impl Wanted {
    fn new(call: &Call) -> Result<Self, PromqlError> {
        let matchers = match call.args.get(1) {
            Some(Expr::Selector(selector)) => selector.matchers.as_slice(),
            _ => &[],
        };
        let (mut names, data): (Vec<_>, Vec<_>) = matchers.iter().cloned().partition(|matcher| matcher.name == "__name__");
        if names.is_empty() {
            names.push(Matcher::equal("__name__", "target_info"));
        } else if names.iter().all(|matcher| matches!(matcher.op, MatchOp::NotEqual | MatchOp::MatchesNot)) {
            let any = Matcher::new("__name__", MatchOp::Matches, Text::from(".+_info")).map_err(PromqlError::evaluation)?;
            names.push(any);
        }
        Ok(Self { names, data })
    }

    /// Whether a series is an info series itself.
    fn is_info(&self, labels: &Labels) -> bool {
        self.names.iter().all(|matcher| matcher.fits(name(labels)))
    }

    /// Whether a series may do without info.
    fn is_optional(&self) -> bool {
        self.data.iter().all(|matcher| matcher.fits(""))
    }

    fn wants(&self, label: &str) -> bool {
        label != "__name__"
            && !IDENTIFYING.contains(&label)
            && (self.data.is_empty() || self.data.iter().any(|matcher| matcher.name == label))
    }
}

fn identity(labels: &Labels) -> [String; 2] {
    IDENTIFYING.map(|name| labels.get(name).unwrap_or_default().to_owned())
}

pub(crate) fn info(context: &Context<'_>, call: &Call, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    let wanted = Wanted::new(call)?;
    let rows = collect(context, &call.args[0])?;
    let _held = context.budget.hold(rows.iter().map(Row::samples).sum(), rows.iter().map(Row::bytes).sum())?;
    let infos = if rows.is_empty() { HashMap::new() } else { infos(context, &call.args[0], &wanted, &rows)? };
    for row in rows {
        let own = identity(&row.labels);
        if wanted.is_info(&row.labels) || own.iter().all(String::is_empty) && wanted.is_optional() {
            sink(row)?;
            continue;
        }
        enriched(&row, infos.get(&own).map_or(&[], Vec::as_slice), &wanted)?.into_iter().try_for_each(&mut *sink)?;
    }
    Ok(())
}

/// Info series by whose they are, seen as of the times that the samples of `base` are from.
fn infos(
    context: &Context<'_>,
    base: &Expr,
    wanted: &Wanted,
    rows: &[Row],
) -> Result<HashMap<[String; 2], Vec<Info>>, PromqlError> {
    // Where a series has an identifying label, an info series must have it too, with one of the values.
    let values = |label: &'static str| -> HashSet<&str> {
        let rows = rows.iter().filter(|row| !wanted.is_info(&row.labels));
        rows.filter_map(|row| row.labels.get(label)).collect()
    };
    let values = IDENTIFYING.map(values);
    let looks = looks(context, base)?;
    let times: Vec<i64> = context.times().map(|step| looks.iter().fold(step, |time, look| look.from(time))).collect();
    let matchers: Vec<Matcher> = wanted.names.iter().chain(&wanted.data).cloned().collect();
    let mut found: HashMap<[String; 2], Vec<Info>> = HashMap::new();
    let mut held = context.budget.hold(0, 0)?;
    seen_at(context, &matchers, &times, &mut |labels, seen| {
        held.more(seen.iter().flatten().count(), seen.len() * size_of::<Option<Seen>>())?;
        let is_other = IDENTIFYING
            .iter()
            .zip(&values)
            .any(|(label, values)| !values.is_empty() && !values.contains(labels.get(label).unwrap_or_default()));
        if is_other {
            return Ok(());
        }
        if seen.iter().flatten().any(|seen| matches!(seen.value, Value::Histogram(_))) {
            return Err(PromqlError::evaluation(format!("info sample should be float: {labels}")));
        }
        found.entry(identity(&labels)).or_default().push(Info { labels, seen });
        Ok(())
    })?;
    Ok(found)
}

/// How the first selector of an expression looks, from the outermost subquery on.
fn looks(context: &Context<'_>, expr: &Expr) -> Result<Vec<Look>, PromqlError> {
    let mut looks = Vec::new();
    let mut next = Some(expr);
    while let Some(expr) = next {
        let (timing, inner) = match expr {
            Expr::Selector(selector) => (Some(&selector.timing), None),
            Expr::Matrix(matrix) => (Some(&matrix.selector.timing), None),
            Expr::Subquery(subquery) => (Some(&subquery.timing), Some(&subquery.expr)),
            other => (None, other.children().into_iter().find(|child| has_selector(child))),
        };
        if let Some(timing) = timing {
            looks.push(Look::new(context, timing, expr.span())?);
        }
        next = inner;
    }
    Ok(looks)
}

fn has_selector(expr: &Expr) -> bool {
    matches!(expr, Expr::Selector(_) | Expr::Matrix(_)) || expr.children().into_iter().any(has_selector)
}

/// The series with the labels of its info, one for each set of labels.
fn enriched(row: &Row, infos: &[Info], wanted: &Wanted) -> Result<Vec<Row>, PromqlError> {
    let mut out: Vec<Row> = Vec::new();
    let mut last: Option<(Vec<usize>, usize)> = None;
    for (step, value) in row.values.iter().enumerate() {
        let Some(value) = value else { continue };
        let current = current(infos, step)?;
        if current.is_empty() && !wanted.is_optional() {
            continue;
        }
        let known = last.as_ref().filter(|(before, _)| *before == current).map(|(_, at)| *at);
        let at = match known {
            Some(at) => at,
            None => {
                let labels = joined(row, current.iter().map(|at| &infos[*at]), wanted)?;
                let at = out.iter().position(|row| row.labels == labels).unwrap_or_else(|| {
                    out.push(Row { labels, drop_name: row.drop_name, values: vec![None; row.values.len()] });
                    out.len() - 1
                });
                last = Some((current, at));
                at
            }
        };
        out[at].values[step] = Some(value.clone());
    }
    Ok(out)
}

/// The latest info series of each name at a step.
fn current(infos: &[Info], step: usize) -> Result<Vec<usize>, PromqlError> {
    let mut latest: BTreeMap<&str, (usize, i64)> = BTreeMap::new();
    for (at, info) in infos.iter().enumerate() {
        let Some(seen) = &info.seen[step] else { continue };
        match latest.get(name(&info.labels)) {
            Some((other, time)) if *time == seen.at => {
                return Err(PromqlError::evaluation(format!(
                    "found duplicate series for info metric: existing {} @ {time}, new {} @ {}",
                    infos[*other].labels, info.labels, seen.at
                )));
            }
            Some((_, time)) if *time > seen.at => {}
            _ => {
                latest.insert(name(&info.labels), (at, seen.at));
            }
        }
    }
    Ok(latest.into_values().map(|(at, _)| at).collect())
}

fn joined<'a>(row: &Row, infos: impl Iterator<Item = &'a Info>, wanted: &Wanted) -> Result<Labels, PromqlError> {
    let mut added: BTreeMap<&str, &str> = BTreeMap::new();
    for info in infos {
        for label in info.labels.iter().filter(|label| wanted.wants(&label.name) && row.labels.get(&label.name).is_none()) {
            if let Some(other) = added.insert(&label.name, &label.value)
                && other != &*label.value
            {
                return Err(PromqlError::evaluation(format!("conflicting label: {}", label.name)));
            }
        }
    }
    Ok(added.into_iter().fold(row.labels.clone(), |labels, (name, value)| with(&labels, name, value)))
}
