//! Queries that ask for too much get an error that names the limit.

use icegate_traceql::{Search, SearchOptions, parse};

#[test]
fn deep_and_long_queries_are_refused_by_the_limit_that_they_exceed() {
    let n = 10_000;
    for (query, limit) in [
        (format!("{{ {}true{} }}", "(".repeat(n), ")".repeat(n)), "allowed are 64 levels"),
        (format!("{{ {}.a }}", "!".repeat(n)), "allowed are 64 levels"),
        (format!("{{ 1 = {}1 }}", "- ".repeat(n)), "allowed are 64 levels"),
        (format!("{{ {} = 1 }}", vec!["2"; n].join(" ^ ")), "allowed are 64 levels"),
        (format!("{}{{ }}{}", "(".repeat(n), ")".repeat(n)), "allowed are 64 levels"),
        (format!("{}{{ }} | rate(){}", "(".repeat(n), ")".repeat(n)), "allowed are 64 levels"),
        (format!("{}1{} + ({{ }} | rate())", "(".repeat(n), ")".repeat(n)), "allowed are 64 levels"),
        (format!("count() > {}1{}", "(".repeat(n), ")".repeat(n)), "allowed are 64 levels"),
        (format!("{{ {} }}", vec!["true"; n].join(" && ")), "allowed are 256"),
        (format!("{{ {} = 1 }}", vec!["1"; n].join(" + ")), "allowed are 256"),
        (vec!["{ }"; n].join(" >> "), "allowed are 256"),
        (vec!["{ }"; n].join(" | "), "allowed are 256"),
        (format!("{{ }} | select({})", vec![".a"; n].join(", ")), "allowed are 256"),
        (vec!["({ } | rate())"; 7_000].join(" + "), "allowed are 256"),
        (format!("{{ }} | rate(){}", " > 1".repeat(n)), "allowed are 256"),
        (format!("{{ }} | rate() by ({})", vec![".a"; n].join(", ")), "allowed are 256"),
        ("x".repeat(200_000), "allowed are 131072"),
        ("{ .a =~ \"((x{100}){100}){100}\" }".to_owned(), "4194304 bytes"),
    ] {
        let start: String = query.chars().take(40).collect();
        let error = parse(&query).expect_err(&start).to_string();
        assert!(error.contains(limit), "{start}: {error}");
    }
}

#[test]
fn the_longest_and_deepest_that_is_allowed_is_read_printed_and_run() {
    let deep = format!("{{ {}.a{} }}", "!(".repeat(30), ")".repeat(30));
    for query in [
        deep,
        format!("{{ {} }}", vec!["true"; 256].join(" && ")),
        vec!["{ }"; 256].join(" &>> "),
        vec!["{ }"; 256].join(" | "),
        format!("{}{{ }}{}", "(".repeat(60), ")".repeat(60)),
        vec!["({ } | rate())"; 256].join(" + "),
    ] {
        let tree = parse(&query).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(parse(&tree.to_string()).unwrap(), tree);
        Search::new(&tree, SearchOptions { limit: 1, spans: 1, window: None }).unwrap();
    }
}

#[test]
fn ten_kilobytes_of_anything_are_read_or_refused() {
    for piece in [
        "{",
        "}",
        "|",
        "\"",
        "`",
        "(",
        ")",
        "{}",
        "!",
        "-",
        "&&",
        "span.",
        ".",
        "..",
        "span:",
        "/*",
        "//",
        "|count()",
        "by(",
        "é",
        "1e",
        "with(",
        "topk(",
        "({} | rate())",
        "\\",
        "1h",
        "minInt",
        "nil ",
        "=",
        "=~",
        "{}>>",
    ] {
        let query = piece.repeat(10_000 / piece.len());
        for query in [query.clone(), format!("{{ {query}"), format!("{{ }} | {query}"), format!("({{ }} | rate()) + {query}")] {
            if let Ok(tree) = parse(&query) {
                assert!(tree.to_string().len() < 4 * query.len() + 1_000);
            }
        }
    }
}
