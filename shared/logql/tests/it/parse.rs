//! `tests/parse/valid.test` and `invalid.test`: one query a line, `=> line:col message` behind an invalid one.

use icegate_logql::parse;
use icegate_syntax::Position;

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with("# "))
}

#[test]
fn valid_queries_print_as_text_that_reads_back_equal() {
    for query in lines(include_str!("../parse/valid.test")) {
        let tree = parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        let printed = tree.to_string();
        assert_eq!(parse(&printed).unwrap_or_else(|error| panic!("{printed}: {error}")), tree, "{query}");
    }
}

#[test]
fn invalid_queries_say_where_and_why() {
    let mut failures = Vec::new();
    for line in lines(include_str!("../parse/invalid.test")) {
        let (query, expected) = line.split_once(" => ").unwrap();
        let error = parse(query).expect_err(query);
        let at = error.span().map_or_else(String::new, |span| Position::of(query, span.start).to_string());
        let message = error.to_string();
        let message = message.rsplit_once(": syntax error: ").map_or(message.as_str(), |(_, message)| message);
        let message = message.strip_prefix("parse error : ").unwrap_or(message);
        // What no rule of the grammar refuses has its place in front.
        let message =
            message.split_once(": ").filter(|(place, _)| place.starts_with("parse error at")).map_or(message, |(_, rest)| rest);
        let found = format!("{at} {message}");
        if found != expected {
            failures.push(format!("{query}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn deep_and_long_queries_are_refused_and_not_a_stack_overflow() {
    for query in [
        format!("{}1{}", "(".repeat(60_000), ")".repeat(60_000)),
        vec!["1"; 60_000].join("+"),
        vec!["1"; 60_000].join("^"),
        format!("{{a=\"b\"}} | {}", vec!["a=\"b\""; 10_000].join(",")),
        format!("{{a=\"b\"}} | {}", vec!["a=\"b\""; 10_000].join(" or ")),
        "sum(".repeat(30_000),
        format!("rate({}", "(".repeat(100_000)),
        "x".repeat(200_000),
    ] {
        assert!(parse(&query).is_err());
    }
}

#[test]
fn a_rendered_error_points_at_the_word() {
    let query = "sum by (a) (\n  rate({b=\"c\"}[5x])\n)";
    let rendered = parse(query).unwrap_err().render(query);
    assert_eq!(rendered, "2:15: not a valid duration string: \"5x\"\n    rate({b=\"c\"}[5x])\n                ^^^^");
}
