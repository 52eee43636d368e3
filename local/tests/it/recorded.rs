//! What the comparisons with recorded answers share: where the recordings are, their scripts, and the lists of what differs.
#![allow(clippy::print_stdout, reason = "says what is skipped")]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::python;

/// The recordings of a query language and the Python that their scripts run with; `None`, with a line that says so, where one is missing.
pub(crate) fn recordings(test: &str, language: &str) -> Option<(PathBuf, String)> {
    let Some(folder) = std::env::var_os("ICEGATE_CONFORMANCE") else {
        println!("skipped {test}: ICEGATE_CONFORMANCE does not name the conformance data");
        return None;
    };
    Some((Path::new(&folder).join(language), python(test)?))
}

/// Runs a script; whether it succeeded, and all that it said.
pub(crate) fn run(python: &str, script: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(python).arg(script).args(arguments).output().unwrap();
    let texts = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.success(), texts.concat())
}

/// The cases that a list names: one a line, each with the reason above it in lines that start with `#`.
pub(crate) fn listed(list: &'static str) -> Vec<&'static str> {
    list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// Nothing differs but what is listed, and all that is listed does.
pub(crate) fn differ_as_listed(differing: &[&str], listed: &[&str], report: &str) {
    assert!(listed.len() < 10, "the list has to stay shorter than ten");
    let unlisted: Vec<_> = differing.iter().filter(|case| !listed.contains(case)).collect();
    assert!(unlisted.is_empty(), "these differ and are not listed: {unlisted:#?}\n{report}");
    let equal: Vec<_> = listed.iter().filter(|case| !differing.contains(case)).collect();
    assert!(equal.is_empty(), "these are listed and don't differ any more: {equal:#?}\n{report}");
}
