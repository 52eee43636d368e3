use serde_json::json;

use crate::api::{Api, T0, TENANT};

#[tokio::test]
async fn the_documented_metric_query_answers_a_matrix() {
    let api = Api::new().await;
    let query = r#"sum by (service_name) (count_over_time({service_name=~"api-.*"}[5m]))"#;
    let answer = api.range(query, &[("step", "300")]).await.json();
    assert_eq!(answer["data"]["resultType"], "matrix");
    // The first window is (T0 - 5m, T0], so it holds the line at T0; the second (T0, T0 + 5m].
    assert_eq!(
        answer["data"]["result"],
        json!([
            {"metric": {"service_name": "api-gateway"}, "values": [[1_704_067_500, "1"]]},
            {"metric": {"service_name": "api-service"}, "values": [[1_704_067_200, "1"], [1_704_067_500, "2"]]},
        ])
    );
}

#[tokio::test]
async fn steps_are_read_as_numbers_and_durations_and_have_a_default() {
    let api = Api::new().await;
    let query = r#"sum(count_over_time({service_name="api-gateway"}[1m]))"#;
    for step in ["60", "60.0", "1m", "60000ms"] {
        let result = api.range(query, &[("step", step)]).await.result();
        assert_eq!(result, json!([{"metric": {}, "values": [[1_704_067_380, "1"]]}]), "{step}");
    }
    // 3600 s / 250 = 14 s; the line at 180 s is in the windows (t - 60, t] of the points from 182 s to 238 s.
    let points: Vec<_> = [182, 196, 210, 224, 238].iter().map(|seconds| json!([T0 + seconds, "1"])).collect();
    assert_eq!(api.range(query, &[]).await.result()[0]["values"], json!(points));
}

#[tokio::test]
async fn an_instant_query_answers_a_vector_at_its_time() {
    let api = Api::new().await;
    let query = r#"sum by (severity_text) (count_over_time({service_name=~".+"}[1h]))"#;
    let get = api.get("/loki/api/v1/query", &[("query", query), ("time", "1704067320")]).await;
    let expected = json!([
        {"metric": {"severity_text": "ERROR"}, "value": [1_704_067_320, "1"]},
        {"metric": {"severity_text": "INFO"}, "value": [1_704_067_320, "2"]},
    ]);
    assert_eq!(get.json()["data"]["resultType"], "vector");
    assert_eq!(get.result(), expected);
    let post = api.post("/loki/api/v1/query", &[("query", query), ("time", "1704067320000000000")]).await;
    assert_eq!(post.result(), expected);
}

#[tokio::test]
async fn grafanas_health_check_gets_one_sample_of_two() {
    let api = Api::new().await;
    let params = [("query", "vector(1)+vector(1)"), ("time", "4000000000"), ("direction", "backward")];
    let reply = api.get_with("/loki/api/v1/query", &params, &[]).await;
    assert_eq!(reply.json()["data"]["resultType"], "vector");
    assert_eq!(reply.result(), json!([{"metric": {}, "value": [4_000_000_000_i64, "2"]}]));
}

#[tokio::test]
async fn a_number_is_a_scalar_and_now_is_the_default_time() {
    let api = Api::new().await;
    let answer = api.instant("1 + 1").await.json();
    assert_eq!(answer["data"]["resultType"], "scalar");
    assert_eq!(answer["data"]["result"], json!([1_704_070_800, "2"]));
}

#[tokio::test]
async fn encoding_flags_change_nothing_of_numbers() {
    let api = Api::new().await;
    let headers = [("X-Scope-OrgID", TENANT), ("X-Loki-Response-Encoding-Flags", "categorize-labels")];
    let answer = api.get_with("/loki/api/v1/query", &[("query", "vector(1)")], &headers).await.json();
    assert_eq!(answer["data"].get("encodingFlags"), None);
}

#[tokio::test]
async fn requests_are_counted_by_endpoint_and_status() {
    let api = Api::new().await;
    api.instant("vector(1)").await;
    api.instant("{").await;
    api.get("/nope", &[]).await;
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &api.registry).unwrap();
    for line in [
        r#"loki_requests_total{endpoint="/loki/api/v1/query",status="200"} 1"#,
        r#"loki_requests_total{endpoint="/loki/api/v1/query",status="400"} 1"#,
        r#"loki_requests_total{endpoint="other",status="404"} 1"#,
        r#"loki_request_seconds_count{endpoint="/loki/api/v1/query"} 2"#,
        "loki_running_queries 0",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
}
