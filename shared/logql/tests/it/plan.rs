//! What is pushed down, and which columns are read.

use std::time::Duration;

use icegate_logql::{Direction, Explained, Limits, QueryParams, explain, parse};
use icegate_model::Timestamp;

use super::rows::{LAYOUTS, load};

async fn explained(query: &str) -> Explained {
    let params = QueryParams {
        start: Timestamp::from_secs(0),
        end: Timestamp::from_secs(600),
        step: Duration::from_secs(60),
        interval: Duration::ZERO,
        limit: 10,
        direction: Direction::Backward,
        now: Timestamp::from_secs(1_700_000_000),
        limits: Limits::default(),
    };
    explain(&parse(query).unwrap(), &params, &load(&[], LAYOUTS[0])).await.unwrap()
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
        assert!(scan.plan.contains("TopK(fetch=10)"), "{query}: {}", scan.plan);
    }
}

#[tokio::test]
async fn what_columns_cant_decide_stays_and_is_named() {
    let scan = &explained(r#"{job="a"} | took > 5s | drop x"#).await.scans[0];
    assert_eq!(scan.residual, [r#"job="a""#, "| took > 5s", "| drop x"]);
    assert!(!scan.plan.contains("TopK"));
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
