use std::collections::HashSet;

use crate::ast::{LabelFilter, LabelFormat, LabelSource, LogRange, Matcher, Named, Stage, StageKind};
use crate::rows::{ERROR, EXTRACTED};
use crate::stage::Wanted;
use crate::template::Template;

/// The labels that a metric query asks for which counts by `by` alone; without it, all.
pub(crate) fn of_range(range: &LogRange, by: Option<&[String]>) -> Wanted {
    let Some(by) = by else { return Wanted::All };
    let mut names: HashSet<String> = by.iter().cloned().collect();
    if !range.stages.iter().all(|stage| of_stage(stage, &mut names)) {
        return Wanted::All;
    }
    if let Some(unwrap) = &range.unwrap {
        names.insert(unwrap.label.clone());
        unwrap.filters.iter().for_each(|filter| of_filter(filter, &mut names));
    }
    Wanted::Only(names)
}

/// The labels that decide which lines stay, errors among them, so that parsers read whole lines; none where it may be any.
pub(crate) fn of_filters(stages: &[Stage]) -> Option<Wanted> {
    let mut names = HashSet::from([ERROR.to_owned()]);
    stages.iter().all(|stage| of_stage(stage, &mut names)).then_some(Wanted::Only(names))
}

/// Whether a query looks at the errors of parsers, so that these don't fail it.
pub(crate) fn asks_for_errors(stages: &[Stage], wanted: &Wanted) -> bool {
    let mut names = HashSet::new();
    for stage in stages {
        if let StageKind::Label(filter) = &stage.kind {
            of_filter(filter, &mut names);
        }
    }
    names.contains(ERROR) || matches!(wanted, Wanted::Only(names) if names.contains(ERROR))
}

/// Adds what a stage looks at; false where it looks at all labels.
fn of_stage(stage: &Stage, names: &mut HashSet<String>) -> bool {
    match &stage.kind {
        StageKind::Label(filter) => of_filter(filter, names),
        StageKind::LineFormat(template) => return of_template("line", template, names),
        StageKind::LabelFormat(formats) => return formats.iter().all(|format| of_format(format, names)),
        StageKind::Drop(all) | StageKind::Keep(all) => {
            all.iter().filter_map(matcher).for_each(|matcher| {
                names.insert(matcher.name.clone());
            });
        }
        StageKind::Line(_)
        | StageKind::Json(_)
        | StageKind::Logfmt { .. }
        | StageKind::Regexp(_)
        | StageKind::Pattern(_)
        | StageKind::Unpack
        | StageKind::Decolorize => {}
    }
    true
}

fn matcher(named: &Named) -> Option<&Matcher> {
    match named {
        Named::Matching(matcher) => Some(matcher),
        Named::Label(_) => None,
    }
}

fn of_format(format: &LabelFormat, names: &mut HashSet<String>) -> bool {
    match &format.source {
        LabelSource::Rename(from) => {
            names.insert(from.clone());
            true
        }
        LabelSource::Template(text) => of_template("label", text, names),
    }
}

fn of_template(name: &'static str, text: &str, names: &mut HashSet<String>) -> bool {
    let Ok(template) = Template::new(name, text) else { return false };
    let Some(labels) = template.labels() else { return false };
    names.extend(labels.into_iter().map(str::to_owned));
    true
}

fn of_filter(filter: &LabelFilter, names: &mut HashSet<String>) {
    match filter {
        LabelFilter::And(left, right) | LabelFilter::Or(left, right) => {
            of_filter(left, names);
            of_filter(right, names);
        }
        LabelFilter::Text(matcher) => {
            names.insert(matcher.name.clone());
        }
        LabelFilter::Number { name, .. }
        | LabelFilter::Duration { name, .. }
        | LabelFilter::Bytes { name, .. }
        | LabelFilter::Ip { name, .. } => {
            names.insert(name.clone());
        }
    }
}

/// The labels that have to be read from a row's columns for `wanted` and for matchers on rows; none for all.
pub(crate) fn of_rows<'a>(wanted: &Wanted, matchers: impl Iterator<Item = &'a str>) -> Option<HashSet<String>> {
    let Wanted::Only(wanted) = wanted else { return None };
    let mut names: HashSet<String> = wanted.clone();
    names.extend(matchers.map(str::to_owned));
    // Whether a row has a label decides whether another one of its name is called `…_extracted`.
    let clashing: Vec<String> = names.iter().filter_map(|name| name.strip_suffix(EXTRACTED)).map(str::to_owned).collect();
    names.extend(clashing);
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::{Expr, MetricKind};

    fn wanted(query: &str, by: Option<&[&str]>) -> Option<Vec<String>> {
        let Expr::Metric(metric) = crate::parse(query).unwrap() else { panic!("{query}") };
        let MetricKind::Range(aggregation) = metric.kind else { panic!("{query}") };
        let by: Option<Vec<String>> = by.map(|by| by.iter().map(|name| (*name).to_owned()).collect());
        match of_range(&aggregation.range, by.as_deref()) {
            Wanted::All => None,
            Wanted::Only(names) => {
                let mut names: Vec<_> = names.into_iter().collect();
                names.sort();
                Some(names)
            }
        }
    }

    #[test]
    fn a_count_by_labels_needs_these_and_what_stages_look_at() {
        let query = r#"sum_over_time({a="b"} | json | c > 5 or d="x" | drop e, f="y" | label_format g=h, i="{{.j}}" | line_format "{{.k}}" | unwrap l | m="" [1m])"#;
        assert_eq!(wanted(query, Some(&["n"])).unwrap(), ["c", "d", "f", "h", "j", "k", "l", "m", "n"]);
        assert_eq!(wanted(query, None), None);
        assert_eq!(wanted(r#"count_over_time({a="b"} | json [1m])"#, Some(&[])).unwrap(), Vec::<String>::new());
        assert_eq!(wanted(r#"count_over_time({a="b"} | json | line_format "{{.}}" [1m])"#, Some(&[])), None);
    }

    #[test]
    fn rows_are_asked_for_labels_that_decide_names() {
        let wanted = Wanted::Only(HashSet::from(["user_id_extracted".to_owned()]));
        let mut names: Vec<_> = of_rows(&wanted, ["job"].into_iter()).unwrap().into_iter().collect();
        names.sort();
        assert_eq!(names, ["job", "user_id", "user_id_extracted"]);
        assert_eq!(of_rows(&Wanted::All, ["job"].into_iter()), None);
    }
}
