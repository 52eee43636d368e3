//! Recorded answers of a real system, read from the directory that `ICEGATE_CONFORMANCE` names.
#![allow(clippy::print_stdout, reason = "says what is skipped, and how much was compared")]

mod completions;
mod corpus;
mod errors;
mod parsing;
mod python_json;
mod ranges;
mod searches;

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Where the recordings are; `None`, with a line that says so, where there are none.
fn directory(what: &str) -> Option<PathBuf> {
    let Some(directory) = std::env::var_os("ICEGATE_CONFORMANCE") else {
        println!("skipped {what}: ICEGATE_CONFORMANCE isn't set");
        return None;
    };
    Some(PathBuf::from(directory).join("traceql"))
}

/// The recorded answers.
fn recorded(directory: &Path) -> Vec<Value> {
    let path = directory.join("expected.jsonl");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Cases that differ, each with the reason above it.
const DIFFERENCES: &str = include_str!("../conformance/differences.test");

/// A case that is answered otherwise than recorded.
struct Difference {
    /// What names the case in the list.
    case: String,
    /// What is found and wanted.
    text: String,
}

/// Fails with the differences that aren't listed, and with those that are listed and aren't there.
fn report(set: &str, count: usize, differences: &[Difference]) {
    println!("{set}: {count} compared, {} differ", differences.len());
    let of_set = |line: &'static str| line.split_once(' ').filter(|(name, _)| *name == set).map(|(_, case)| case);
    let listed: Vec<&str> = DIFFERENCES.lines().filter_map(of_set).collect();
    let unlisted = differences.iter().filter(|difference| !listed.contains(&difference.case.as_str()));
    let unlisted: Vec<_> = unlisted.map(|difference| format!("{}\n    {}", difference.case, difference.text)).collect();
    assert!(unlisted.is_empty(), "{set}: these differ and are not listed:\n{}", unlisted.join("\n"));
    let gone: Vec<_> = listed.iter().filter(|case| !differences.iter().any(|difference| difference.case == **case)).collect();
    assert!(gone.is_empty(), "{set}: these are listed and don't differ any more: {gone:#?}");
}
