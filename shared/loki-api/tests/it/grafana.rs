//! The requests that Grafana's data source, Explore and Logs Drilldown send, as they send them.

use icegate_loki_api::LokiConfig;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::api::TRACE;
use crate::served::{Served, Stored, answer};

const START: (&str, &str) = ("start", "1704067200000000000");
const END: (&str, &str) = ("end", "1704070800000000000");
const QUERY_RANGE: &str = "/loki/api/v1/query_range";

/// With the headers that Grafana's backend adds to a query.
fn tagged(request: RequestBuilder, source: &str) -> RequestBuilder {
    let flags = ("X-Loki-Response-Encoding-Flags", "categorize-labels");
    request.header("X-Query-Tags", format!("Source={source}")).header(flags.0, flags.1)
}

#[tokio::test]
async fn the_health_check_gets_a_sample_of_two() {
    let api = Served::new(Stored::Wal).await;
    let params = [("direction", "backward"), ("query", "vector(1)+vector(1)"), ("time", "4000000000")];
    let found = answer(api.get("/loki/api/v1/query", &params)).await;
    assert_eq!(found["data"]["result"], json!([{"metric": {}, "value": [4_000_000_000_i64, "2"]}]));
}

#[tokio::test]
async fn explore_gets_lines_with_their_labels_apart() {
    for stored in Stored::ALL {
        let api = Served::new(stored).await;
        let params = [
            ("direction", "backward"),
            END,
            ("limit", "1000"),
            ("query", r#"{service_name="api-service"} |= `login` | logfmt"#),
            START,
            ("step", "2000ms"),
        ];
        let found = answer(tagged(api.get(QUERY_RANGE, &params), "datasample")).await;
        let stream = |severity: &str| json!({"service_name": "api-service", "severity_text": severity});
        let failed = json!({"structuredMetadata": {"detected_level": "error", "severity_number": "17", "trace_id": TRACE, "user_id": "u1"}});
        let ok = json!({
            "structuredMetadata": {"detected_level": "info", "severity_number": "9"},
            "parsed": {"level": "warn", "msg": "login ok"},
        });
        let expected = json!({"status": "success", "data": {"resultType": "streams", "encodingFlags": ["categorize-labels"], "result": [
            {"stream": stream("ERROR"), "values": [["1704067260000000000", "login failed", failed]]},
            {"stream": stream("INFO"), "values": [["1704067320000000000", "level=warn msg=\"login ok\"", ok]]},
        ]}});
        assert_eq!(found, expected, "{stored:?}");
    }
}

#[tokio::test]
async fn flags_are_echoed_as_given_and_only_with_lines() {
    let api = Served::new(Stored::Wal).await;
    let flags = |query: &'static str| {
        let request = api.get(QUERY_RANGE, &[("query", query), START, END, ("step", "60")]);
        request.header("X-Loki-Response-Encoding-Flags", "x-new,categorize-labels")
    };
    let lines = answer(flags(r#"{service_name="api-gateway"}"#)).await;
    assert_eq!(lines["data"]["encodingFlags"], json!(["x-new", "categorize-labels"]));
    let numbers = answer(flags(r#"count_over_time({service_name="api-gateway"}[1m])"#)).await;
    assert_eq!(numbers["data"].get("encodingFlags"), None);
    let unknown = api.get(QUERY_RANGE, &[("query", r#"{service_name="api-gateway"}"#), START, END]);
    let unknown = answer(unknown.header("X-Loki-Response-Encoding-Flags", "x-new")).await;
    assert_eq!(unknown["data"]["encodingFlags"], json!(["x-new"]));
    assert_eq!(unknown["data"]["result"][0]["values"][0].as_array().unwrap().len(), 2, "nothing is apart without the flag");
}

#[tokio::test]
async fn an_entry_without_metadata_and_parsed_labels_has_an_empty_object() {
    let api = Served::new(Stored::Both).await;
    let query = r#"{service_name="api-gateway"} | drop detected_level, severity_number"#;
    let found = answer(tagged(api.get(QUERY_RANGE, &[("query", query), START, END]), "x")).await;
    assert_eq!(found["data"]["result"][0]["values"], json!([["1704067380000000000", "Payment timeout", {}]]));
}

#[tokio::test]
async fn the_logs_volume_is_a_count_by_level() {
    for stored in Stored::ALL {
        let api = Served::new(stored).await;
        let query = r#"sum by (level, detected_level) (count_over_time({service_name=~".+"} | drop __error__[2m]))"#;
        let params = [("direction", "backward"), ("end", "1704067440000000000"), ("query", query), START, ("step", "120000ms")];
        let found = answer(tagged(api.get(QUERY_RANGE, &params), "logvolhist")).await;
        // Windows (t - 2m, t] at 0, 120 and 240 s: info at 0 and 120, error at 60 and 180.
        let expected = json!([
            {"metric": {"detected_level": "error"}, "values": [[1_704_067_320, "1"], [1_704_067_440, "1"]]},
            {"metric": {"detected_level": "info"}, "values": [[1_704_067_200, "1"], [1_704_067_320, "1"]]},
        ]);
        assert_eq!(found["data"]["result"], expected, "{stored:?}");
    }
}

#[tokio::test]
async fn the_context_of_a_line_is_what_is_before_and_after_it() {
    let api = Served::new(Stored::Both).await;
    let lines = |found: Value| -> Vec<String> {
        let streams = found["data"]["result"].as_array().unwrap().clone();
        let mut lines: Vec<_> = streams.iter().flat_map(|stream| stream["values"].as_array().unwrap().clone()).collect();
        lines.sort_by_key(|line| line[0].as_str().unwrap().to_owned());
        lines.iter().map(|line| line[1].as_str().unwrap().to_owned()).collect()
    };
    let query = ("query", r#"{service_name="api-service"}"#);
    let at = "1704067260000000000";
    let before = [query, ("direction", "backward"), ("limit", "10"), ("start", "1704060060000000000"), ("end", at)];
    let found = answer(tagged(api.get(QUERY_RANGE, &before), "x")).await;
    assert_eq!(lines(found), ["Request processed successfully"]);
    let after = [query, ("direction", "forward"), ("limit", "10"), ("start", at), ("end", "1704074460000000000")];
    let found = answer(tagged(api.get(QUERY_RANGE, &after), "x")).await;
    assert_eq!(lines(found), ["login failed", "level=warn msg=\"login ok\""], "with the line itself");
}

#[tokio::test]
async fn the_query_editor_gets_labels_values_series_and_stats() {
    let api = Served::new(Stored::Both).await;
    let labels = answer(api.get("/loki/api/v1/labels", &[START, END])).await;
    assert_eq!(labels, json!({"status": "success", "data": ["service_name", "severity_text"]}));
    let values = [START, END, ("query", r#"{severity_text="ERROR"}"#)];
    let found = answer(api.get("/loki/api/v1/label/service_name/values", &values)).await;
    assert_eq!(found, json!({"status": "success", "data": ["api-gateway", "api-service"]}));
    let series = [("match[]", r#"{service_name="api-gateway"}"#), START, END];
    let found = answer(api.get("/loki/api/v1/series", &series)).await;
    assert_eq!(found, json!({"status": "success", "data": [{"service_name": "api-gateway", "severity_text": "ERROR"}]}));
    let stats = answer(api.get("/loki/api/v1/index/stats", &[("query", r#"{service_name="api-gateway"}"#), START, END])).await;
    assert_eq!(stats, json!({"streams": 1, "chunks": 2, "bytes": 15, "entries": 1}));
}

#[tokio::test]
async fn drilldown_asks_with_iso_times() {
    for stored in Stored::ALL {
        let api = Served::new(stored).await;
        let (start, end) = (("start", "2024-01-01T00:00:00.000Z"), ("end", "2024-01-01T01:00:00.000Z"));
        let drilldown = |path: &str, params: &[(&str, &str)]| {
            answer(api.get(path, params).header("X-Query-Tags", "Source=grafana-lokiexplore-app"))
        };
        let all = ("query", "{service_name=~`.+`}");
        let volume = drilldown("/loki/api/v1/index/volume", &[start, end, all, ("limit", "5000")]).await;
        assert_eq!(
            volume["data"]["result"],
            json!([
                {"metric": {"service_name": "api-service"}, "value": [1_704_070_800, "67"]},
                {"metric": {"service_name": "api-gateway"}, "value": [1_704_070_800, "15"]},
            ])
        );
        let patterns = drilldown("/loki/api/v1/patterns", &[("query", r#"{service_name="api-gateway"}"#), start, end]).await;
        // 3600 s / 250 = 14 s: 1704067380 lies in the step from 1704067378, a multiple of 14.
        assert_eq!(
            patterns["data"],
            json!([{"pattern": "Payment timeout", "level": "error", "samples": [[1_704_067_380 / 14 * 14, 1]]}])
        );
        let labels = drilldown("/loki/api/v1/detected_labels", &[all, start, end]).await;
        assert_eq!(labels["detectedLabels"][0], json!({"label": "service_name", "cardinality": 2}));
        let fields = drilldown(
            "/loki/api/v1/detected_fields",
            &[("query", r#"{service_name="api-gateway"}"#), start, end, ("limit", "1000")],
        )
        .await;
        assert_eq!(fields["fields"][0]["label"], "detected_level");
        let query = r#"sum by (level) (count_over_time({service_name=~".+"} | json | logfmt | drop __error__, __error_details__ | level!="" [1h]))"#;
        let found = drilldown(QUERY_RANGE, &[("query", query), start, end, ("step", "3600000ms")]).await;
        assert_eq!(found["data"]["result"][0]["metric"], json!({"level": "warn"}), "{found}");
    }
}

#[tokio::test]
async fn drilldown_gets_some_of_too_many_series_with_a_warning_and_others_an_error() {
    let api = Served::with(Stored::Both, LokiConfig { max_query_series: 1, ..LokiConfig::default() }).await;
    let query = r#"sum by (service_name) (count_over_time({service_name=~".+"}[1h]))"#;
    for (path, params) in [
        (QUERY_RANGE, vec![("query", query), START, END, ("step", "3600")]),
        ("/loki/api/v1/query", vec![("query", query), ("time", "1704070700")]),
    ] {
        let drilldown = api.get(path, &params).header("X-Query-Tags", "foo=bar,Source=grafana-lokiexplore-app");
        let found = answer(drilldown).await;
        let result = found["data"]["result"].as_array().unwrap();
        assert_eq!((result.len(), &result[0]["metric"]), (1, &json!({"service_name": "api-gateway"})), "{path}");
        let warning = "maximum number of series (1) reached for a single query; 1 more are left out";
        assert_eq!(found["warnings"], json!([warning]), "{path}");
        let (status, text) = crate::served::reply(api.get(path, &params).header("X-Query-Tags", "Source=logvolhist")).await;
        assert!(status == 400 && text.starts_with("maximum number of series (1) reached"), "{path}: {text}");
    }
}

#[tokio::test]
async fn an_interval_is_kept_between_lines_of_all_streams_together() {
    let api = Served::new(Stored::Both).await;
    let found = answer(
        api.get(QUERY_RANGE, &[("query", r#"{service_name=~".+"}"#), START, END, ("interval", "100"), ("direction", "forward")]),
    )
    .await;
    let streams = found["data"]["result"].as_array().unwrap();
    let mut times: Vec<_> =
        streams.iter().flat_map(|stream| stream["values"].as_array().unwrap()).map(|value| value[0].as_str().unwrap()).collect();
    times.sort_unstable();
    // 0 and 120 s; 60 is too soon after 0, 180 too soon after 120.
    assert_eq!(times, ["1704067200000000000", "1704067320000000000"]);
}
