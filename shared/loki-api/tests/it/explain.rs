use serde_json::json;

use crate::api::{Api, TENANT};

const PATH: &str = "/loki/api/v1/explain";

#[tokio::test]
async fn explain_tells_the_plan_and_what_is_read_as_json_with_the_text_inside() {
    let api = Api::new().await;
    let answer = api.get(PATH, &[("query", r#"count_over_time({service_name="api-service"}[5m])"#)]).await.json();
    let data = &answer["data"];
    assert_eq!(data["query"], r#"count_over_time({service_name="api-service"} [5m])"#);
    assert!(data["scans"][0]["pushed"].to_string().contains("service_name"), "{data}");
    let read = &data["reads"][0];
    assert_eq!((&read["files"]["planned"], &read["files"]["rows"]), (&json!(1), &json!(2)));
    assert_eq!((&read["segments"]["planned"], &read["segments"]["rows"]), (&json!(1), &json!(2)));
    assert!(data["text"].as_str().unwrap().contains("files: 1 planned (2 rows"), "{data}");
}

#[tokio::test]
async fn explain_says_what_the_time_range_left_out() {
    let api = Api::new().await;
    let params = [("query", r#"{service_name="api-service"} |= "error""#), ("start", "1704067300"), ("end", "1704067400")];
    let read = api.get(PATH, &params).await.json()["data"]["reads"][0].take();
    assert_eq!((&read["files"]["planned"], &read["files"]["outsideRange"]), (&json!(0), &json!(1)));
    assert_eq!((&read["segments"]["planned"], &read["segments"]["outsideRange"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn explain_is_plain_text_where_the_client_asks_for_it() {
    let api = Api::new().await;
    let headers = [("X-Scope-OrgID", TENANT), ("Accept", "text/plain")];
    let reply = api.get_with(PATH, &[("query", r#"{service_name="api-service"}"#)], &headers).await;
    assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
    assert!(reply.body.starts_with("query: {service_name=\"api-service\"}\n"), "{}", reply.body);
    assert!(reply.body.contains("scan of logs for my-tenant"), "{}", reply.body);
}
