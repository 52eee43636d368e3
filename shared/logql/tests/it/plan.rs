//! What is pushed down, and which columns are read.

use std::time::Duration;

use icegate_logql::{Direction, Explained, Limits, QueryParams, explain, parse};
use icegate_model::Timestamp;

use super::layouts::{LAYOUTS, load};

fn asked() -> QueryParams {
    QueryParams {
        start: Timestamp::from_secs(0),
        end: Timestamp::from_secs(600),
        step: Duration::from_secs(60),
        interval: Duration::ZERO,
        limit: 10,
        direction: Direction::Backward,
        now: Timestamp::from_secs(1_700_000_000),
        limits: Limits::default(),
    }
}

async fn explained(query: &str) -> Explained {
    explain(&parse(query).unwrap(), &asked(), &load(&[], LAYOUTS[0])).await.unwrap()
}

#[tokio::test]
async fn what_columns_decide_is_pushed_down_and_nothing_is_left() {
    for (query, filter) in [
        (r#"{service_name="a"}"#, r#"service_name = Utf8("a")"#),
        (r#"{service_name=~"a|b"}"#, r#"service_name IN ([Utf8("a"), Utf8("b")])"#),
        (r#"{severity_text!="a"}"#, r#"severity_text IS NULL OR severity_text != Utf8("a")"#),
        (r#"{trace_id="0a"}"#, r#"trace_id = Binary("10")"#),
        (r#"{service_name=~".+"} |= "x""#, r#"body |= "x"(body)"#),
        (r#"{service_name=~".+"} | severity_number > 8"#, "CAST(severity_number AS Float64) > Float64(8)"),
        (r#"{service_name=~".+"} | detected_level="error""#, r#"detected_level = Utf8("error")"#),
    ] {
        let scan = &explained(query).await.scans[0];
        assert!(scan.pushed.iter().any(|pushed| pushed.contains(filter)), "{query}: {:#?}", scan.pushed);
        assert!(scan.residual.is_empty(), "{query}: {:?}", scan.residual);
    }
}

#[tokio::test]
async fn what_columns_cant_decide_stays_and_is_named() {
    let scan = &explained(r#"{job="a"} | took > 5s | drop x"#).await.scans[0];
    assert_eq!(scan.residual, [r#"job="a""#, "| took > 5s", "| drop x"]);
}

#[tokio::test]
async fn a_sum_by_columns_reads_only_these_columns_and_times() {
    let count = explained(r#"sum by (service_name) (count_over_time({service_name=~".+"} | drop __error__ [5m]))"#).await;
    assert_eq!(count.scans[0].columns, ["timestamp", "timestamp_nanos", "service_name"]);
    let bytes = explained(r#"sum by (detected_level) (bytes_rate({service_name=~".+"}[5m]))"#).await;
    assert_eq!(bytes.scans[0].columns, ["timestamp", "timestamp_nanos", "detected_level", "octets"]);
}

#[tokio::test]
async fn the_ends_of_the_range_are_plain_comparisons_so_that_they_prune() {
    let pushed = &explained(r#"{service_name="a"}"#).await.scans[0].pushed;
    assert!(pushed[0].starts_with("timestamp >= TimestampMicrosecond(0"), "{pushed:?}");
    assert!(pushed[1].starts_with("timestamp < TimestampMicrosecond(600000000"), "{pushed:?}");
}

/// The steps of a query and what is left of its scans, but for times, and for columns unless they are few.
fn described(explained: &Explained) -> Vec<String> {
    let mut lines = explained.steps.clone();
    for scan in &explained.scans {
        lines.extend(
            scan.pushed.iter().filter(|filter| !filter.starts_with("timestamp")).map(|filter| format!("pushed {filter}")),
        );
        lines.extend(scan.residual.iter().map(|stage| format!("residual {stage}")));
        lines.push(format!("columns {}", scan.columns.join(", ")));
    }
    lines
}

#[tokio::test]
async fn scripts_state_what_is_pushed_down_what_is_left_and_what_is_read() {
    let text = include_str!("../plan/pushdown.test");
    let mut failures = Vec::new();
    let mut lines = text.lines().filter(|line| !line.starts_with('#')).peekable();
    while let Some(line) = lines.next() {
        let Some(query) = line.strip_prefix("plan ") else {
            assert!(line.is_empty(), "unknown verb in {line:?}");
            continue;
        };
        let block: Vec<_> =
            std::iter::from_fn(|| lines.next_if(|next| next.starts_with("  "))).map(|line| line[2..].to_owned()).collect();
        let mut found = described(&explained(query).await);
        // Scripts that don't say which columns are read don't care.
        if !block.iter().any(|line| line.starts_with("columns ")) {
            found.retain(|line| !line.starts_with("columns "));
        }
        if found != block {
            failures.push(format!("{query}\n  expected {block:#?}\n  found {found:#?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn trace_ids_are_looked_for_unless_the_setting_is_off() {
    let query = r#"{service_name="a"} |= "0102030405060708090a0b0c0d0e0f10""#;
    for (find_trace_ids, expected) in [(true, true), (false, false)] {
        let params = QueryParams { limits: Limits { find_trace_ids, ..Limits::default() }, ..asked() };
        let explained = explain(&parse(query).unwrap(), &params, &load(&[], LAYOUTS[0])).await.unwrap();
        assert_eq!(explained.scans[0].pushed.iter().any(|filter| filter.contains("trace_id")), expected);
    }
}
