//! What lines have in common.

use serde_json::json;

use crate::served::{Served, Stored, reply};

const PATH: &str = "/loki/api/v1/patterns";
const ALL: (&str, &str) = ("query", r#"{service_name=~".+"}"#);

#[tokio::test]
async fn patterns_count_lines_by_level_and_step() {
    for stored in Stored::ALL {
        let api = Served::new(stored).await;
        let pattern = |pattern: &str, level: &str, at: i64| json!({"pattern": pattern, "level": level, "samples": [[at, 1]]});
        let expected = json!({"status": "success", "data": [
            pattern("Payment timeout", "error", 1_704_067_380),
            pattern("Request processed successfully", "info", 1_704_067_200),
            pattern("level=warn msg=\"login ok\"", "info", 1_704_067_320),
            pattern("login failed", "error", 1_704_067_260),
        ]});
        assert_eq!(api.json(PATH, &[ALL, ("step", "60")]).await, expected, "{stored:?}");
        let info = api
            .json(PATH, &[("query", r#"{service_name="api-service"} | detected_level="info" |= "login""#), ("step", "2m")])
            .await;
        let expected = json!({"status": "success", "data": [pattern("level=warn msg=\"login ok\"", "info", 1_704_067_320)]});
        assert_eq!(info, expected, "{stored:?}");
        let row = api.json(PATH, &[("query", r#"{user_id="u1"}"#), ("step", "60")]).await;
        assert_eq!(row, json!({"status": "success", "data": [pattern("login failed", "error", 1_704_067_260)]}), "{stored:?}");
        let none = api.json(PATH, &[("query", r#"{service_name="nope"}"#)]).await;
        assert_eq!(none, json!({"status": "success", "data": []}), "{stored:?}");
    }
}

#[tokio::test]
async fn a_pattern_finds_its_lines_again() {
    let api = Served::new(Stored::Both).await;
    let found = api.json(PATH, &[ALL]).await;
    for pattern in found["data"].as_array().unwrap() {
        let pattern = pattern["pattern"].as_str().unwrap();
        let query = format!("sum(count_over_time({{service_name=~\".+\"}} |> `{pattern}` [1h]))");
        let counted = api.json("/loki/api/v1/query", &[("query", &query), ("time", "1704070700")]).await;
        assert_eq!(counted["data"]["result"][0]["value"][1], "1", "{pattern}");
    }
}

#[tokio::test]
async fn patterns_are_of_lines_and_of_a_bounded_number_of_steps() {
    let api = Served::new(Stored::Wal).await;
    let metric = reply(api.get(PATH, &[("query", r#"rate({a="b"}[1m])"#)])).await;
    assert_eq!(metric, (400, "only log selector is supported".to_owned()));
    let (status, text) = reply(api.get(PATH, &[ALL, ("start", "1704067200"), ("end", "1704078201"), ("step", "1")])).await;
    assert!(status == 400 && text.contains("11000 points"), "{text}");
}
