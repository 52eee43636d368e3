//! Which series, labels and values there are.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use icegate_promql::Matcher;
use icegate_series::Labels;

use crate::call::Call;
use crate::query::TRUNCATED;
use crate::respond::{self, Notes};
use crate::run::run;
use crate::scan::{self, MAX_MILLIS};
use crate::state::Shared;
use crate::{PrometheusError, params, render};

/// `/api/v1/labels`: names of labels.
pub(crate) async fn labels(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, PrometheusError> {
    let limit = params::limit(&call.params, "limit")?;
    let selectors = params::selectors(&call.params)?;
    let (found, notes) = find(&state, call, selectors).await?;
    let names = found.iter().flat_map(|labels| labels.iter().map(|label| label.name.to_string()));
    strings(names.collect(), limit, notes)
}

/// `/api/v1/label/{name}/values`: values of a label.
pub(crate) async fn label_values(
    State(state): State<Arc<Shared>>,
    Path(name): Path<String>,
    call: Call,
) -> Result<Response, PrometheusError> {
    let limit = params::limit(&call.params, "limit")?;
    let name = unescaped(&name);
    let selectors = params::selectors(&call.params)?;
    let (found, notes) = find(&state, call, selectors).await?;
    let values = found.iter().filter_map(|labels| labels.get(&name)).map(str::to_owned);
    strings(values.collect(), limit, notes)
}

/// `/api/v1/series`: series that fit.
pub(crate) async fn series(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, PrometheusError> {
    let limit = params::limit(&call.params, "limit")?;
    let selectors = params::selectors(&call.params)?;
    if selectors.is_empty() {
        return Err(PrometheusError::BadData("no match[] parameter provided".to_owned()));
    }
    let (found, notes) = find(&state, call, selectors).await?;
    let (shown, notes) = limited(found.into_iter(), limit, notes);
    let shown: Vec<String> = shown.iter().map(render::labels).collect();
    respond::raw(&format!("[{}]", shown.join(",")), notes)
}

/// The labels of series that fit one of the selectors, or of all where there are none.
async fn find(
    state: &Arc<Shared>,
    call: Call,
    mut selectors: Vec<Vec<Matcher>>,
) -> Result<(BTreeSet<Labels>, Notes), PrometheusError> {
    let start = params::time(&call.params, "start", Some(-MAX_MILLIS))?;
    let end = params::time(&call.params, "end", Some(MAX_MILLIS))?;
    if selectors.is_empty() {
        selectors.push(Vec::new());
    }
    run(state, call.tenant, None, move |asked, runtime| {
        let (mut found, mut notes) = (BTreeSet::new(), Notes::default());
        for matchers in &selectors {
            let range = (start.saturating_sub(1), end);
            found.extend(runtime.block_on(scan::labels(asked, matchers, range, &mut notes.warnings))?);
        }
        notes.warnings.dedup();
        Ok((found, notes))
    })
    .await
}

fn strings(found: BTreeSet<String>, limit: Option<usize>, notes: Notes) -> Result<Response, PrometheusError> {
    let (shown, notes) = limited(found.into_iter(), limit, notes);
    respond::data(&shown.into(), notes)
}

fn limited<T>(found: impl ExactSizeIterator<Item = T>, limit: Option<usize>, mut notes: Notes) -> (Vec<T>, Notes) {
    let limit = limit.unwrap_or(usize::MAX);
    if found.len() > limit {
        notes.warnings.push(TRUNCATED.to_owned());
    }
    (found.take(limit).collect(), notes)
}

/// A name as Grafana escapes it: `U__`, then `__` for `_` and `_2e_` for the character of that number.
fn unescaped(name: &str) -> String {
    read_escaped(name).unwrap_or_else(|| name.to_owned())
}

fn read_escaped(name: &str) -> Option<String> {
    let mut rest = name.strip_prefix("U__")?;
    let mut out = String::new();
    while let Some(at) = rest.find('_') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let end = after.find('_')?;
        if end == 0 {
            out.push('_');
        } else {
            out.push(u32::from_str_radix(&after[..end], 16).ok().and_then(char::from_u32)?);
        }
        rest = &after[end + 1..];
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unescaped_and_what_is_no_escape_stays() {
        for (name, expected) in
            [("U__a_2e_b__c", "a.b_c"), ("job", "job"), ("U__a_2e", "U__a_2e"), ("U__a_zz_", "U__a_zz_"), ("U__", "")]
        {
            assert_eq!(unescaped(name), expected);
        }
    }
}
