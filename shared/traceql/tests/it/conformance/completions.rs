//! Names of attributes and values of fields, as recorded.

use std::collections::{BTreeMap, BTreeSet};

use icegate_traceql::ast::Intrinsic;
use icegate_traceql::{SpanFilter, Trace, Value, attribute_names, field_values, parse_field, parse_filter_leniently};
use serde_json::Value as Json;

use super::{Difference, corpus, directory, recorded, report};

#[test]
fn names_of_attributes_are_those_recorded() {
    let Some(directory) = directory("names") else { return };
    let Some(traces) = corpus::traces(&directory) else { return };
    let mut differences = Vec::new();
    let cases: Vec<_> = recorded(&directory).into_iter().filter(|case| case["kind"] == "tags2").collect();
    for case in &cases {
        let mut found = names(case, traces);
        if let Some(scope) = parameter(case, "scope") {
            found.retain(|name, _| name == scope);
        }
        let scopes = case["answer"]["scopes"].as_object().unwrap().iter();
        let wanted: BTreeMap<String, BTreeSet<String>> = scopes.map(|(scope, names)| (scope.clone(), set(names))).collect();
        if found != wanted {
            let text = format!("found {found:?}\n    want  {wanted:?}");
            differences.push(Difference { case: case["id"].as_str().unwrap().to_owned(), text });
        }
    }
    report("names", cases.len(), &differences);
}

fn names(case: &Json, traces: &[Trace]) -> BTreeMap<String, BTreeSet<String>> {
    let filter = SpanFilter::new(&parse_filter_leniently(case["query"].as_str().unwrap())).unwrap();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    found.insert("intrinsic".to_owned(), Intrinsic::listed().map(str::to_owned).collect());
    for (trace, span) in traces.iter().flat_map(|trace| trace.spans().iter().map(move |span| (trace, span))) {
        if filter.holds(trace.id(), span, None).unwrap() {
            for (scope, key) in attribute_names(span) {
                found.entry(scope.name().to_owned()).or_default().insert(key.to_string());
            }
        }
    }
    found
}

#[test]
fn values_of_fields_are_those_recorded() {
    let Some(directory) = directory("values") else { return };
    let Some(traces) = corpus::traces(&directory) else { return };
    let mut differences = Vec::new();
    let cases: Vec<_> = recorded(&directory).into_iter().filter(|case| case["kind"] == "values2").collect();
    for case in &cases {
        let field = parse_field(parameter(case, "tag").unwrap()).unwrap();
        let filter = SpanFilter::new(&parse_filter_leniently(case["query"].as_str().unwrap())).unwrap();
        let mut found = BTreeSet::new();
        for trace in traces {
            for (at, span) in trace.spans().iter().enumerate() {
                let facts = trace.facts(at);
                if filter.holds(trace.id(), span, Some(&facts)).unwrap() {
                    found.extend(field_values(&field, trace.id(), span, Some(&facts)).iter().map(typed));
                }
            }
        }
        let pair = |pair: &Json| (pair[0].as_str().unwrap().to_owned(), pair[1].as_str().unwrap().to_owned());
        let wanted: BTreeSet<_> = case["answer"]["values"].as_array().unwrap().iter().map(pair).collect();
        if found != wanted {
            let text =
                format!("{} values, recorded {}: {:?}", found.len(), wanted.len(), found.iter().take(9).collect::<Vec<_>>());
            differences.push(Difference { case: case["id"].as_str().unwrap().to_owned(), text });
        }
    }
    report("values", cases.len(), &differences);
}

fn typed(value: &Value) -> (String, String) {
    let (kind, text) = match value {
        Value::Int(value) => ("int", value.to_string()),
        Value::Float(value) => ("float", value.to_string()),
        Value::Bool(value) => ("bool", value.to_string()),
        Value::Text(text) => ("string", text.to_string()),
        Value::Status(status) => ("keyword", status.name().to_owned()),
        Value::Kind(kind) => ("keyword", kind.name().to_owned()),
        // Durations are recorded as whole nanoseconds.
        Value::Duration(nanos) => ("int", nanos.to_string()),
        other => ("other", other.to_string()),
    };
    (kind.to_owned(), text)
}

fn parameter<'a>(case: &'a Json, name: &str) -> Option<&'a str> {
    case["params"].as_str().unwrap().split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn set(names: &Json) -> BTreeSet<String> {
    names.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}
