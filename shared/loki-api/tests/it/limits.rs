//! What goes over a bound is an error that names the bound and what the tenant may.

use std::time::Duration;

use icegate_loki_api::LokiConfig;

use crate::api::{Api, TENANT};

const RANGE: &str = "/loki/api/v1/query_range";
const DAY: [(&str, &str); 2] = [("start", "1704067200"), ("end", "1704153600")];
const ALL: (&str, &str) = ("query", r#"{service_name=~".+"}"#);
const COUNT: (&str, &str) = ("query", r#"sum(count_over_time({service_name=~".+"}[2h]))"#);

/// An API with bounds for the test's tenant; all others have the defaults.
async fn bounded(own: LokiConfig) -> Api {
    Api::with(LokiConfig { overrides: [(TENANT.parse().unwrap(), own)].into(), ..LokiConfig::default() }).await
}

async fn refused(api: &Api, path: &str, params: &[(&str, &str)], text: &str) {
    let reply = api.get(path, params).await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (400, text), "{path} {params:?}");
    // Another tenant may, and sees nothing of this one's.
    let other = api.get_with(path, params, &[("X-Scope-OrgID", "third")]).await;
    assert_eq!(other.status, 200, "{}", other.body);
    assert!(!other.body.contains("api-"), "{}", other.body);
}

#[tokio::test]
async fn a_range_that_is_too_long_is_refused_everywhere() {
    let api = bounded(LokiConfig { max_query_length: Some(Duration::from_secs(86_399)), ..LokiConfig::default() }).await;
    let text = "the query time range exceeds the limit (query length: 1d, max_query_length: 23h59m59s)";
    refused(&api, RANGE, &[ALL, DAY[0], DAY[1]], text).await;
    for path in ["labels", "label/service_name/values", "series"] {
        refused(&api, &format!("/loki/api/v1/{path}"), &DAY, text).await;
    }
    assert_eq!(api.get(RANGE, &[ALL, DAY[0], ("end", "1704153599")]).await.status, 200);
}

#[tokio::test]
async fn a_window_that_is_too_long_is_refused() {
    let api = bounded(LokiConfig { max_query_range: Some(Duration::from_secs(3_600)), ..LokiConfig::default() }).await;
    let text = "the query range exceeds the limit (range: [2h], max_query_range: 1h)";
    refused(&api, RANGE, &[COUNT, DAY[0], DAY[1]], text).await;
    refused(&api, "/loki/api/v1/query", &[COUNT], text).await;
    let nested = r#"max(rate({a="b"}[5m])) + label_replace(sum(rate({a="b"}[90m])), "x", "$1", "y", "(.*)")"#;
    refused(&api, RANGE, &[("query", nested)], "the query range exceeds the limit (range: [1h30m], max_query_range: 1h)").await;
    let hour = r#"sum(count_over_time({service_name=~".+"}[1h]))"#;
    // Of the four lines the first stands at the start of the window, which is not in it.
    assert_eq!(api.instant(hour).await.result()[0]["value"][1], "3");
}

#[tokio::test]
async fn bytes_that_are_too_many_are_told_before_they_are_read() {
    let params = [ALL, ("start", "1704067200"), ("end", "1704070800")];
    let tight = bounded(LokiConfig { max_query_bytes_read: Some(1), ..LokiConfig::default() }).await.get(RANGE, &params).await;
    let told = tight.body.strip_prefix("the query would read too many bytes (query: ").unwrap().split(',').next().unwrap();
    let read: u64 = told.parse().unwrap();
    // A Parquet file and a segment are some KiB.
    assert!(read > 2_000, "{read}");
    for (max, allowed) in [(read, true), (read - 1, false)] {
        let api = bounded(LokiConfig { max_query_bytes_read: Some(max), ..LokiConfig::default() }).await;
        if allowed {
            assert_eq!(api.get(RANGE, &params).await.status, 200);
            continue;
        }
        let text = format!(
            "the query would read too many bytes (query: {read}, max_query_bytes_read: {max}); consider a more specific time range"
        );
        refused(&api, RANGE, &params, &text).await;
        refused(&api, "/loki/api/v1/labels", &params[1..], &text).await;
    }
}

#[tokio::test]
async fn series_and_lines_have_the_tenants_bounds() {
    let api = bounded(LokiConfig { max_query_series: 1, max_entries_limit: 2, ..LokiConfig::default() }).await;
    let by = r#"sum by (service_name) (count_over_time({service_name=~".+"}[1h]))"#;
    let series = api.instant(by).await;
    assert_eq!(series.status, 400);
    assert!(series.body.starts_with("maximum number of series (1) reached for a single query"), "{}", series.body);
    let lines = "max entries limit per query exceeded, limit > max_entries_limit_per_query (3 > 2)";
    refused(&api, RANGE, &[ALL, ("limit", "3")], lines).await;
}

#[tokio::test]
async fn queries_at_once_are_counted_by_tenant() {
    let none = LokiConfig { max_concurrent_queries_per_tenant: Some(0), ..LokiConfig::default() };
    let api = bounded(none).await;
    let reply = api.range(ALL.1, &[]).await;
    let text = "too many queries at once: loki.max_concurrent_queries_per_tenant is 0";
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (429, text));
    let other = api.get_with(RANGE, &[ALL], &[("X-Scope-OrgID", "third")]).await;
    assert_eq!(other.status, 200);
    // A tenant that isn't one is refused, whoever has bounds.
    assert_eq!(api.get_with(RANGE, &[ALL], &[("X-Scope-OrgID", "a|b")]).await.status, 400);
}

#[tokio::test]
async fn a_hundred_years_and_a_milliseconds_step_are_refused_by_the_points() {
    let api = Api::new().await;
    let century = [("start", "0"), ("end", "3155760000"), ("step", "1ms")];
    for query in [ALL, COUNT] {
        let reply = api.get(RANGE, &[query, century[0], century[1], century[2]]).await;
        assert_eq!(reply.status, 400);
        let text = "exceeded maximum resolution of 11000 points per time series: the range has 3155760000001";
        assert!(reply.body.starts_with(text), "{}", reply.body);
    }
    let reply = api.get(RANGE, &[ALL, ("limit", "1000000000")]).await;
    let text = "max entries limit per query exceeded, limit > max_entries_limit_per_query (1000000000 > 5000)";
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (400, text));
    let deep = format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000));
    let reply = api.post(RANGE, &[("query", &deep)]).await;
    assert_eq!(reply.status, 400);
    assert!(reply.body.contains("allowed are 64 levels"), "{}", reply.body);
}
