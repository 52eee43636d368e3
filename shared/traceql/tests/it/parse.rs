//! Syntax: `tests/parse/valid.test` and `invalid.test`, one query a line, behind an invalid one `=> message`.

use icegate_syntax::Position;
use icegate_traceql::{TraceqlError, parse, parse_field, parse_filter, parse_filter_leniently};

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with("# "))
}

#[test]
fn valid_queries_print_as_text_that_reads_back_equal() {
    for line in lines(include_str!("../parse/valid.test")) {
        let (query, printed) = line.split_once(" => ").unwrap_or((line, line));
        let tree = parse(query).unwrap_or_else(|error| panic!("{}", error.render(query)));
        assert_eq!(tree.to_string(), printed);
        assert_eq!(parse(printed).unwrap_or_else(|error| panic!("{}", error.render(printed))), tree, "{query}");
    }
}

#[test]
fn invalid_queries_say_where_and_why() {
    let mut failures = Vec::new();
    for line in lines(include_str!("../parse/invalid.test")) {
        let (query, expected) = line.rsplit_once(" => ").unwrap();
        let error = parse(query).expect_err(query);
        let at = error.span().map_or_else(String::new, |span| Position::of(query, span.start).to_string());
        let message = match &error {
            TraceqlError::Syntax { diagnostic, .. } | TraceqlError::Meaning { diagnostic, .. } => diagnostic.message.clone(),
            other => other.to_string(),
        };
        let found = format!("{at} {message}");
        if found != expected {
            failures.push(format!("{query}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn errors_name_line_and_column() {
    let error = parse("{ foo }").unwrap_err();
    assert_eq!(error.to_string(), "parse error at line 1, col 3: unknown identifier: foo");
    assert_eq!(parse("{ parent.foo = 1 }").unwrap_err().to_string(), "parent not yet supported");
    let query = "{\n  status > error\n}";
    let rendered = parse(query).unwrap_err().render(query);
    assert_eq!(rendered, "2:3: > can't take a status: status, error\n    status > error\n    ^^^^^^^^^^^^^^");
}

#[test]
fn a_filter_and_a_field_are_read_alone() {
    assert_eq!(parse_filter("{ span.a = 1 }").unwrap().to_string(), "span.a = 1");
    for (query, found) in [
        ("{ } | count() > 1", "a pipeline"),
        ("{ } && { }", "an operation on spansets"),
        ("count() > 1", "an operation on spansets"),
        ("{ } | rate()", "a metrics query"),
    ] {
        let message = format!("only one spanset filter {{ … }} is supported here, not {found}");
        assert_eq!(parse_filter(query).unwrap_err().to_string(), message);
    }
    for field in ["resource.service.name", ".foo", "span:kind", "name", r#"span."my attr""#, "span:name"] {
        assert_eq!(parse_field(field).unwrap().to_string(), field);
    }
    for bad in ["", "foo", "span.a span.b", "1", "{ span.a }", "span."] {
        assert!(parse_field(bad).is_err(), "{bad}");
    }
}

#[test]
fn of_a_filter_that_is_being_typed_the_finished_comparisons_are_kept() {
    for (text, kept) in [
        ("{ span.a = 1 || !span.b }", "span.a = 1 || !span.b"),
        ("{ span.a = 1 && resource.service.name = }", "span.a = 1"),
        ("{ resource.service.name = ", "true"),
        ("{ resource.service.name = \"web\" && span.b = \"unfini", "resource.service.name = \"web\""),
        ("{ span.a = 1 && foo = 2 && status = error && 3", "span.a = 1 && status = error"),
        ("{ span.a = 1 && name = 5 && span.b =~ \"[\" && kind = server", "span.a = 1 && kind = server"),
        ("{ span.a = 1 + ", "true"),
        ("{ span.a = 1 || span.b = ", "true"),
        ("{ span.a = 1 } | rate(", "true"),
        ("", "true"),
        ("{ } | count() > 1", "true"),
    ] {
        assert_eq!(parse_filter_leniently(text).to_string(), kept, "{text}");
    }
}
