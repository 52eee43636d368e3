//! `parse_expected.jsonl`: trees, printed forms and error texts of the real parser.

use std::fs;
use std::path::PathBuf;

use icegate_promql::{ParseOptions, format_query, parse, parse_tree};
use serde_json::Value;

/// Queries whose answer differs, with the reason.
const DIFFERENT: [(&str, &str); 0] = [];

#[test]
fn trees_printed_forms_and_error_texts_are_the_recorded_ones() {
    let Some(folder) = std::env::var_os("ICEGATE_CONFORMANCE") else {
        println!("skipped: ICEGATE_CONFORMANCE is not set");
        return;
    };
    let text = fs::read_to_string(PathBuf::from(folder).join("promql/parse_expected.jsonl")).unwrap();
    let (mut count, mut failed) = (0, Vec::new());
    for line in text.lines() {
        count += 1;
        let recorded: Value = serde_json::from_str(line).unwrap();
        let query = recorded["query"].as_str().unwrap();
        if let Err(difference) = compare(query, &recorded) {
            println!("{query:?}: {difference}");
            failed.push(query.to_owned());
        }
    }
    let listed: Vec<&str> = DIFFERENT.iter().map(|(query, _)| *query).collect();
    println!("{} of {count} equal", count - failed.len());
    assert_eq!(failed, listed);
}

fn compare(query: &str, recorded: &Value) -> Result<(), String> {
    let answer = parse(query, ParseOptions::all())
        .map_err(|error| format!("invalid parameter \"query\": {error}"))
        .and_then(|expr| Ok((parse_tree(&expr)?, expr)));
    match answer {
        Ok((tree, expr)) => {
            same(&tree, &recorded["ast"])?;
            same(&Value::from(format_query(&expr)), &recorded["pretty"])?;
            let again =
                parse(&expr.to_string(), ParseOptions::all()).map_err(|error| format!("{expr} doesn't read back: {error}"))?;
            if again == expr { Ok(()) } else { Err(format!("{expr} reads back as {again}")) }
        }
        Err(error) => same(&Value::from(error), &Value::from(recorded["error"].as_str().unwrap_or_default().trim())),
    }
}

fn same(ours: &Value, recorded: &Value) -> Result<(), String> {
    if ours == recorded { Ok(()) } else { Err(format!("\n  ours     {ours}\n  recorded {recorded}")) }
}
