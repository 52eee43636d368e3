//! Scripts and queries of our own.

use std::fs;
use std::path::{Path, PathBuf};

use icegate_promql::{ParseOptions, format_query, parse};

use crate::script::run;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// Query and expectation of each line.
fn cases(file: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(folder("parse").join(file)).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
    lines.map(|line| line.split_once(" => ").unwrap()).map(|(query, expected)| (query.to_owned(), expected.to_owned())).collect()
}

#[test]
fn scripts_give_what_they_expect() {
    let mut failed = Vec::new();
    let mut cases = 0;
    for entry in fs::read_dir(folder("eval")).unwrap() {
        let path = entry.unwrap().path();
        let outcome = run(&fs::read_to_string(&path).unwrap(), Clone::clone);
        cases += outcome.cases;
        failed.extend(
            outcome.failed.into_iter().map(|(line, case, problem)| format!("{}:{line}: {case}\n  {problem}", path.display())),
        );
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(cases > 70);
}

#[test]
fn valid_queries_have_their_canonical_form_and_read_back_equal() {
    for (query, expected) in cases("valid.test") {
        let expr = parse(&query, ParseOptions::all()).unwrap_or_else(|error| panic!("{query}: {error}"));
        assert_eq!(format_query(&expr), expected, "{query}");
        assert_eq!(parse(&expected, ParseOptions::all()).unwrap(), expr, "{query}");
    }
}

#[test]
fn invalid_queries_have_their_error() {
    for (query, expected) in cases("invalid.test") {
        match parse(&query, ParseOptions::all()) {
            Ok(expr) => panic!("{query} reads as {expr}"),
            Err(error) => assert_eq!(error.to_string(), expected, "{query}"),
        }
    }
}

#[test]
fn what_is_experimental_is_refused_until_it_is_switched_on() {
    for (query, expected) in [
        ("sort_by_label(up, \"a\")", "1:1: parse error: function \"sort_by_label\" is not enabled"),
        ("up + fill(0) up", "1:6: parse error: binop fill modifiers are experimental and not enabled"),
        ("rate(up[1m] anchored)", "1:6: parse error: anchored modifier is experimental and not enabled"),
        (
            "limitk(1, up)",
            "1:1: parse error: limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions",
        ),
    ] {
        assert_eq!(parse(query, ParseOptions::default()).unwrap_err().to_string(), expected);
        assert!(parse(query, ParseOptions::all()).is_ok());
    }
    assert!(parse("up[2m * 2]", ParseOptions::default()).is_ok());
}

#[test]
fn carets_stand_below_what_is_wrong() {
    let query = "sum(\n  rate(up)\n)";
    let error = parse(query, ParseOptions::default()).unwrap_err();
    let expected = "2:8: expected type range vector in call to function \"rate\", got instant vector\n    rate(up)\n         ^^";
    assert_eq!(error.render(query), expected);
}
