//! Recorded answers of a real system, read from the directory that `ICEGATE_CONFORMANCE` names.
#![allow(clippy::print_stdout, reason = "says what is skipped, and how much was compared")]

mod evaluations;
mod formatting;
mod parsing;
mod pipelines;
mod row;
mod stages;

use serde_json::Value;

/// The lines of a file of recorded answers; none, with a line that says so, where there are no recordings.
fn recorded(file: &str) -> Vec<Value> {
    let Some(directory) = std::env::var_os("ICEGATE_CONFORMANCE") else {
        println!("skipped {file}: ICEGATE_CONFORMANCE isn't set");
        return Vec::new();
    };
    let path = std::path::Path::new(&directory).join("logql").join(file);
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
fn report(file: &str, count: usize, differences: &[Difference]) {
    if count == 0 {
        assert!(std::env::var_os("ICEGATE_CONFORMANCE").is_none(), "{file}: nothing was compared");
        return;
    }
    println!("{file}: {count} compared, {} differ", differences.len());
    let of_file = |line: &'static str| line.split_once(' ').filter(|(name, _)| *name == file).map(|(_, case)| case);
    let listed: Vec<&str> = DIFFERENCES.lines().filter_map(of_file).collect();
    let unlisted = differences.iter().filter(|difference| !listed.contains(&difference.case.as_str()));
    let unlisted: Vec<_> = unlisted.map(|difference| format!("{}\n    {}", difference.case, difference.text)).collect();
    assert!(unlisted.is_empty(), "{file}: these differ and are not listed:\n{}", unlisted.join("\n"));
    let gone: Vec<_> = listed.iter().filter(|case| !differences.iter().any(|difference| difference.case == **case)).collect();
    assert!(gone.is_empty(), "{file}: these are listed and don't differ any more: {gone:#?}");
}
