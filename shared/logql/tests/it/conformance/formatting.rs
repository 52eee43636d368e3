//! Queries as a real system lays them out.

use icegate_logql::{parse, pretty};

use super::recorded;

#[test]
fn queries_are_laid_out_as_recorded_and_read_back_equal() {
    // Known: numbers are left as written and not computed; so are empty groupings and exact sizes (1KiB isn't 1.0kB); `on ()` stays
    // where lines are broken; `!= "a" or "b"` isn't made two filters.
    let files = [("upstream/parse_table.jsonl", 17), ("parse_hand.jsonl", 2), ("parse_generated.jsonl", 38)];
    for (file, known) in files {
        let mut differences = Vec::new();
        let mut compared = 0;
        for case in recorded(file) {
            let Some(query) = case["query"].as_str().filter(|_| case["ok"] == true) else { continue };
            let Ok(expr) = parse(query) else { continue };
            let found = pretty(&expr);
            if parse(&found).ok().as_ref() != Some(&expr) {
                differences.push(format!("{query}\n    reads back otherwise as {found}"));
            }
            let one_line = case["canonical"].as_str().filter(|text| text.len() <= 100);
            if let Some(expected) = case["pretty"].as_str().or(one_line) {
                compared += 1;
                if found != expected {
                    differences.push(format!("{query}\n    found {found}\n    want  {expected}"));
                }
            }
        }
        if compared > 0 {
            println!("{file}: {compared} layouts compared, {} differ", differences.len());
            assert_eq!(differences.len(), known, "{file}:\n{}", differences.join("\n"));
        }
    }
}
