//! Queries that are accepted or refused.

use icegate_logql::parse;
use serde_json::Value;

use super::{Difference, recorded, report};

#[test]
fn queries_are_accepted_and_refused_as_recorded() {
    for file in ["parse_hand.jsonl", "parse_generated.jsonl", "upstream/parse_table.jsonl"] {
        let cases = recorded(file);
        let mut differences = Vec::new();
        for case in &cases {
            // Scripts for other functions than parsing queries stand there as well.
            // Bytes that are no text can't be asked with here.
            let Some(query) = case["query"]
                .as_str()
                .filter(|query| !query.contains('\u{FFFD}'))
                .filter(|_| case["kind"] == "parse" || case.get("kind").is_none())
            else {
                continue;
            };
            let result = parse(query);
            let wanted = case["ok"] == true && case.get("build_error").is_none();
            if result.is_ok() != wanted && !is_wider(case) {
                let error = result.err().map(|error| error.to_string());
                let text = format!(
                    "found {error:?}
    want  {}",
                    case.get("error").unwrap_or(&Value::Null)
                );
                differences.push(Difference { case: query.to_owned(), text });
            }
        }
        report(file, cases.len(), &differences);
    }
}

/// A selector that any stream fits is accepted here.
fn is_wider(case: &Value) -> bool {
    let error = case.get("error").and_then(Value::as_str).unwrap_or_default();
    error.contains("at least one regexp or equality matcher that does not have an empty-compatible value")
}
