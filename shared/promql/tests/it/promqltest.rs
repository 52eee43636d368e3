//! The real system's own scripts.

use std::fs;
use std::path::PathBuf;

use crate::script::run;

/// Evaluations whose answer differs: file, line, reason.
const DIFFERENT: [(&str, usize, &str); 0] = [];

#[test]
fn official_scripts_give_what_they_expect() {
    let Some(folder) = std::env::var_os("ICEGATE_CONFORMANCE") else {
        println!("skipped: ICEGATE_CONFORMANCE is not set");
        return;
    };
    let folder = PathBuf::from(folder).join("promql/promqltest");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "test"));
    paths.sort();
    let (mut cases, mut failed) = (0, Vec::new());
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let outcome = run(&fs::read_to_string(&path).unwrap(), Clone::clone);
        println!("{name}: {} of {}", outcome.cases - outcome.failed.len(), outcome.cases);
        for (line, case, problem) in outcome.failed {
            println!("{name}:{line}: {case}\n    {problem}");
            failed.push((name.clone(), line));
        }
        cases += outcome.cases;
    }
    println!("{} of {cases} evaluations", cases - failed.len());
    let listed: Vec<(String, usize)> = DIFFERENT.iter().map(|(name, line, _)| ((*name).to_owned(), *line)).collect();
    assert_eq!(failed, listed);
    assert_eq!(cases, 2_214);
}
