//! Queries that are accepted or refused.

use icegate_traceql::parse;

use super::{Difference, directory, report};

#[test]
fn queries_are_accepted_and_refused_as_recorded() {
    let Some(directory) = directory("the verdicts on queries") else { return };
    for (file, accepted) in [
        ("upstream_valid.json", true),
        ("upstream_parse_fails.json", false),
        ("upstream_validate_fails.json", false),
        ("upstream_unsupported.json", false),
    ] {
        let path = directory.join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let queries: Vec<String> = serde_json::from_str(&text).unwrap();
        let mut differences = Vec::new();
        for query in &queries {
            let found = parse(query);
            if found.is_ok() != accepted {
                let text = format!("found {:?}, recorded as accepted: {accepted}", found.map(|query| query.to_string()));
                differences.push(Difference { case: query.replace('\n', "\\n"), text });
            }
            if let Ok(tree) = parse(query) {
                assert_eq!(parse(&tree.to_string()).as_ref(), Ok(&tree), "{query} prints as {tree}");
            }
        }
        report(file, queries.len(), &differences);
    }
}

#[test]
fn the_queries_that_were_asked_are_accepted() {
    let Some(directory) = directory("the queries") else { return };
    let text = std::fs::read_to_string(directory.join("queries.txt")).unwrap();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let parts: Vec<_> = line.split('\t').collect();
        if let [_, "search" | "range" | "instant", _, query] = parts[..] {
            let tree = parse(query).unwrap_or_else(|error| panic!("{}", error.render(query)));
            assert_eq!(parse(&tree.to_string()).as_ref(), Ok(&tree), "{query} prints as {tree}");
        }
    }
}
