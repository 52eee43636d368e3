//! Queries that ask for too much get an error that names the limit.

use std::time::Duration;

use icegate_logql::{Direction, Limits, QueryParams, evaluate, parse};
use icegate_model::Timestamp;

use super::layouts::{LAYOUTS, load};

#[test]
fn deep_and_long_queries_are_refused_by_the_limit_that_they_exceed() {
    for (query, limit) in [
        (format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000)), "allowed are 64 levels"),
        (format!("sum({}", "sum(".repeat(10_000)), "allowed are 64 levels"),
        (format!("rate({}", "(".repeat(10_000)), "allowed are 64 levels"),
        (format!("{{a=\"b\"}} | {}a=\"b\"", "(".repeat(10_000)), "allowed are 64 levels"),
        (vec!["1"; 10_000].join("+"), "allowed are 256"),
        (vec!["1"; 10_000].join("^"), "allowed are 64 levels"),
        (format!("{{a=\"b\"}} | {}", vec!["a=\"b\""; 10_000].join(" or ")), "allowed are 256"),
        (format!("{{a=\"b\"}} | {}", vec!["a=\"b\""; 10_000].join(",")), "allowed are 64 levels"),
        ("x".repeat(200_000), "allowed are 131071"),
        (format!("{{a=\"b\"}} | line_format `{}`", "{{ if .a }}".repeat(1_000)), "allowed are 64 levels"),
        (format!("{{a=\"b\"}} | json x=\"{}\"", vec!["a"; 1_000].join(".")), "more than 128 steps"),
        ("{a=~\"((x{100}){100}){100}\"}".to_owned(), "4194304 bytes"),
        ("{a=\"b\"} |~ \"(x{1000}){1000}\"".to_owned(), "4194304 bytes"),
        (format!("{{a=\"b\"}} | regexp \"(?P<x>{}){{9}}\"", "\\\\w{99}".repeat(90)), "4194304 bytes"),
        ("{a=\"b\"} | regexp \"(?P<x>.{1000}){1000}\"".to_owned(), "4194304 bytes"),
    ] {
        let error = parse(&query).expect_err(&query[..40.min(query.len())]).to_string();
        assert!(error.contains(limit), "{}: {error}", &query[..40.min(query.len())]);
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
        "[5m]",
        "a=~\"",
        "| json ",
        "or ",
        "unwrap ",
        "{a=\"b\"}",
        "#",
        "\\",
        "é",
        "1e",
        "--strict ",
    ] {
        let query = piece.repeat(10_000 / piece.len());
        for query in [query.clone(), format!("{{a=\"b\"}} {query}"), format!("rate({query}")] {
            if let Ok(tree) = parse(&query) {
                assert!(tree.to_string().len() < 4 * query.len() + 1_000);
            }
        }
    }
}

fn params(seconds: i64, step: Duration) -> QueryParams {
    QueryParams {
        start: Timestamp::from_secs(0),
        end: Timestamp::from_secs(seconds),
        step,
        interval: Duration::ZERO,
        limit: 100,
        direction: Direction::Forward,
        now: Timestamp::from_secs(seconds),
        limits: Limits { held_series: 5, cells: 100, ..Limits::default() },
    }
}

const CENTURY: i64 = 100 * 365 * 86_400;

async fn error_of(query: &str, params: &QueryParams) -> String {
    let row = |n: i64| serde_json::json!({"t": format!("{n}s"), "service": format!("s{n}"), "body": format!("v={n}")});
    let rows: Vec<_> = (1..=60).map(|n| row(n).as_object().unwrap().clone()).collect();
    match evaluate(&parse(query).unwrap(), params, &load(&rows, LAYOUTS[0])).await {
        Ok(answer) => format!("{answer:?}"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn long_ranges_are_refused_by_their_points_and_long_windows_are_not() {
    let all = "sum(count_over_time({service_name=~\".+\"}[1m]))";
    let error = error_of(all, &params(CENTURY, Duration::from_secs(60))).await;
    assert!(error.starts_with("exceeded maximum resolution of 11000 points per time series"), "{error}");
    let day = params(86_400, Duration::ZERO);
    assert!(error_of("sum(count_over_time({service_name=~\".+\"}[100y]))", &day).await.contains("value: 60.0"));
    let offset = error_of("sum(count_over_time({service_name=~\".+\"}[100y] offset 200y))", &day).await;
    assert_eq!(offset, "Vector([])");
}

#[tokio::test]
async fn what_a_query_holds_is_refused_by_the_limit_that_it_exceeds() {
    let instant = params(60, Duration::ZERO);
    let series = "maximum number of series (5) reached for a single query";
    for query in [
        "max by (service_name) (count_over_time({service_name=~\".+\"}[5m]))",
        "sum by (v) (count_over_time({service_name=~\".+\"} | logfmt [5m]))",
    ] {
        assert!(error_of(query, &instant).await.starts_with(series), "{query}");
    }
    // Of few series, values are held for quantiles and not for sums.
    let many = params(60, Duration::from_secs(1));
    let cells = "query holds more than 100 points of all its series at once";
    for query in [
        "quantile_over_time(0.5, {service_name=~\".+\"} | logfmt | unwrap v [5m]) by ()",
        "sum by (service_name) (count_over_time({service_name=~\"s1|s2\"}[5m]))",
    ] {
        assert!(error_of(query, &many).await.starts_with(cells), "{query}");
    }
}

#[test]
fn long_alternations_and_nested_repetitions_match_or_are_refused() {
    let words = (0..1_400).map(|word| format!("word{word}")).collect::<Vec<_>>().join("|");
    for expression in [words, "(a|a)*$".repeat(1_400), "(a*)*b".repeat(1_600), ".*".repeat(5_000), "a?".repeat(5_000)] {
        for query in [format!("{{a=~\"{expression}\"}}"), format!("{{a=\"b\"}} |~ \"{expression}\" | a=~\"{expression}\"")] {
            if let Err(error) = parse(&query) {
                assert!(error.to_string().contains("4194304 bytes"), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn more_series_than_may_be_held_are_refused_also_where_few_come_out() {
    let row = |n: u32| serde_json::json!({"t": "1s", "body": format!("v={n}")}).as_object().unwrap().clone();
    let rows: Vec<_> = (0..2_001).map(row).collect();
    let rows = load(&rows, LAYOUTS[0]);
    let mut params = params(60, Duration::ZERO);
    let all = "{service_name=~\".+\"} | logfmt";
    for query in [
        format!("sum by (v) (count_over_time({all} [1m]))"),
        format!("topk(3, sum by (v) (count_over_time({all} [1m])))"),
        format!("sort(sum by (v) (count_over_time({all} [1m])))"),
        format!("count(sum by (v) (rate({all} | unwrap v [1m])))"),
    ] {
        let query = parse(&query).unwrap();
        params.limits = Limits { held_series: 2_000, ..Limits::default() };
        let error = evaluate(&query, &params, &rows).await.unwrap_err().to_string();
        assert!(error.starts_with("maximum number of series (2000) reached for a single query"), "{error}");
        params.limits = Limits { held_series: 2_001, series: 2_001, ..Limits::default() };
        evaluate(&query, &params, &rows).await.unwrap();
    }
}
