use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::api::{Api, T0, TENANT, TRACE};

/// All lines of an answer with their times in seconds after the corpus' start, in the answer's order within each stream.
fn lines(result: &Value) -> Vec<(i64, String)> {
    let values = result.as_array().unwrap().iter().flat_map(|stream| stream["values"].as_array().unwrap());
    let line = |value: &Value| {
        let nanos: i64 = value[0].as_str().unwrap().parse().unwrap();
        (nanos / 1_000_000_000 - T0, value[1].as_str().unwrap().to_owned())
    };
    values.map(line).collect()
}

fn sorted(mut lines: Vec<(i64, String)>) -> Vec<i64> {
    lines.sort();
    lines.into_iter().map(|(seconds, _)| seconds).collect()
}

#[tokio::test]
async fn the_documented_log_query_answers_streams_with_all_labels() {
    let api = Api::new().await;
    let params = [
        ("query", r#"{service_name="api-service", severity_text="INFO"} |= "processed""#),
        ("start", "1704067200"),
        ("end", "1704153600"),
        ("limit", "1000"),
    ];
    let reply = api.get("/loki/api/v1/query_range", &params).await;
    let mut answer = reply.json();
    assert_eq!(reply.header("content-type"), "application/json; charset=UTF-8");
    let stats = answer["data"].as_object_mut().unwrap().remove("stats").unwrap();
    assert_eq!(
        answer,
        json!({"status": "success", "data": {"resultType": "streams", "result": [{
            "stream": {"detected_level": "info", "service_name": "api-service", "severity_number": "9", "severity_text": "INFO"},
            "values": [["1704067200000000000", "Request processed successfully"]],
        }]}})
    );
    assert_eq!(stats["summary"]["totalEntriesReturned"], 1);
    assert_eq!(stats["summary"]["totalLinesProcessed"], 4, "two lines of a file and two of a segment");
    assert_eq!((&stats["icegate"]["files"], &stats["icegate"]["segments"]), (&json!(1), &json!(1)));
    assert!(stats["summary"]["execTime"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn categorized_labels_stay_apart_and_the_flags_are_echoed() {
    let api = Api::new().await;
    let headers = [("X-Scope-OrgID", TENANT), ("X-Loki-Response-Encoding-Flags", "categorize-labels")];
    let params = [("query", r#"{service_name=~"api-.*"} |~ "login""#)];
    let answer = api.get_with("/loki/api/v1/query_range", &params, &headers).await.json();
    assert_eq!(answer["data"]["encodingFlags"], json!(["categorize-labels"]));
    let result = answer["data"]["result"].as_array().unwrap();
    let stream = |severity: &str| result.iter().find(|stream| stream["stream"]["severity_text"] == severity).unwrap();
    assert_eq!(stream("INFO")["stream"], json!({"service_name": "api-service", "severity_text": "INFO"}));
    let ok = &stream("INFO")["values"][0];
    assert_eq!(ok[2]["structuredMetadata"]["severity_number"], "9");
    assert_eq!(ok[2].get("parsed"), None);
    let failed = &stream("ERROR")["values"][0];
    assert_eq!(failed[1], "login failed");
    assert_eq!(failed[2]["structuredMetadata"]["trace_id"], TRACE);
    assert_eq!(failed[2]["structuredMetadata"]["user_id"], "u1");
}

#[tokio::test]
async fn limit_and_direction_choose_the_lines() {
    let api = Api::new().await;
    for (more, expected) in [
        (&[][..], vec![0, 60, 120, 180]),
        (&[("limit", "2")], vec![120, 180]),
        (&[("limit", "2"), ("direction", "BACKWARD")], vec![120, 180]),
        (&[("limit", "2"), ("direction", "forward")], vec![0, 60]),
    ] {
        let result = api.range(r#"{service_name=~".+"}"#, more).await.result();
        assert_eq!(sorted(lines(&result)), expected, "{more:?}");
    }
    let headers = [("X-Scope-OrgID", TENANT), ("X-Loki-Response-Encoding-Flags", "categorize-labels")];
    for (direction, expected) in [("forward", [0, 120]), ("backward", [120, 0])] {
        let params = [("query", r#"{severity_text="INFO"}"#), ("direction", direction)];
        let result = api.get_with("/loki/api/v1/query_range", &params, &headers).await.result();
        let seconds: Vec<_> = lines(&result).into_iter().map(|(seconds, _)| seconds).collect();
        assert_eq!(seconds, expected, "{direction}");
    }
}

#[tokio::test]
async fn times_are_read_in_all_forms_and_default_to_the_last_hour() {
    let api = Api::new().await;
    let query = ("query", r#"{service_name="api-service"}"#);
    for (range, expected) in [
        (vec![], vec![0, 60, 120]),
        (vec![("start", "1704067260"), ("end", "1704067320")], vec![60]),
        (vec![("start", "1704067260.5"), ("end", "1704067320.5")], vec![120]),
        (vec![("start", "1704067200000000001"), ("end", "1704067320000000001")], vec![60, 120]),
        (vec![("start", "2024-01-01T00:00:00Z"), ("end", "2024-01-01T01:01:00+01:00")], vec![0]),
        (vec![("since", "59m30s")], vec![60, 120]),
        (vec![("end", "1704067320"), ("since", "2m")], vec![0, 60]),
    ] {
        let params: Vec<_> = std::iter::once(query).chain(range).collect();
        let result = api.get("/loki/api/v1/query_range", &params).await.result();
        assert_eq!(sorted(lines(&result)), expected, "{params:?}");
    }
}

#[tokio::test]
async fn a_form_is_read_like_a_query_string() {
    let api = Api::new().await;
    let params = [("query", r#"{service_name="api-gateway"}"#), ("start", "1704067200"), ("end", "1704070800")];
    let posted = api.post("/loki/api/v1/query_range", &params).await;
    assert_eq!(posted.result(), api.get("/loki/api/v1/query_range", &params).await.result());
    assert_eq!(posted.result()[0]["values"], json!([["1704067380000000000", "Payment timeout"]]));
}

#[tokio::test]
async fn lines_are_found_by_a_metadata_selector_and_by_a_trace_id_in_a_line_filter() {
    let api = Api::new().await;
    for query in [format!(r#"{{trace_id="{TRACE}"}}"#), format!(r#"{{service_name=~".+"}} |= "{}""#, TRACE.to_uppercase())] {
        assert_eq!(lines(&api.range(&query, &[]).await.result()), [(60, "login failed".to_owned())], "{query}");
    }
}

#[tokio::test]
async fn a_query_that_finds_nothing_answers_an_empty_list() {
    let api = Api::new().await;
    let reply = api.range(r#"{service_name="nope"}"#, &[]).await;
    assert_eq!((reply.status, reply.result()), (StatusCode::OK, json!([])));
}
