//! Recorded answers of a real system, read from the directory that `ICEGATE_CONFORMANCE` names.
#![allow(clippy::print_stdout, reason = "says what is skipped, and what differs")]

mod evaluations;
mod formatting;
mod parsing;
mod pipelines;
mod row;

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

/// Fails with the first differences where there are more than known ones.
fn report(what: &str, count: usize, differences: &[String], known: usize) {
    println!("{what}: {count} compared, {} differ", differences.len());
    differences.iter().for_each(|difference| println!("  {difference}"));
    assert!(differences.len() <= known, "{what}: {} of {count} differ", differences.len());
}
