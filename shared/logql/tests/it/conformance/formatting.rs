//! Queries as a real system lays them out.

use icegate_logql::{parse, pretty};

use super::{Difference, recorded, report};

#[test]
fn queries_are_laid_out_as_recorded_and_read_back_equal() {
    for file in ["upstream/parse_table.jsonl", "parse_hand.jsonl", "parse_generated.jsonl"] {
        let mut differences = Vec::new();
        let mut compared = 0;
        for (case, number) in recorded(file).iter().zip(1..) {
            let Some(query) = case["query"].as_str().filter(|_| case["ok"] == true) else { continue };
            let Ok(expr) = parse(query) else { continue };
            let found = pretty(&expr);
            assert_eq!(parse(&found).ok().as_ref(), Some(&expr), "{query} reads back otherwise as {found}");
            let one_line = case["canonical"].as_str().filter(|text| text.len() <= 100);
            if let Some(expected) = case["pretty"].as_str().or(one_line) {
                compared += 1;
                if found != expected {
                    let text = format!("{query}\n    found {found}\n    want  {expected}");
                    differences.push(Difference { case: format!("line {number}"), text });
                }
            }
        }
        report(&format!("layout:{file}"), compared, &differences);
    }
}
