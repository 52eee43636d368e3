use serde_json::json;

use crate::api::Api;

#[tokio::test]
async fn labels_are_the_names_of_stream_labels() {
    let api = Api::new().await;
    let expected = json!({"status": "success", "data": ["service_name", "severity_text"]});
    for path in ["/loki/api/v1/labels", "/loki/api/v1/label"] {
        assert_eq!(api.get(path, &[]).await.json(), expected, "{path}");
        assert_eq!(api.post(path, &[]).await.json(), expected, "{path}");
    }
}

#[tokio::test]
async fn without_labels_there_is_no_data() {
    let api = Api::new().await;
    let range = [("start", "1704153600"), ("end", "1704157200")];
    assert_eq!(api.get("/loki/api/v1/labels", &range).await.body, r#"{"status":"success"}"#);
    assert_eq!(api.get("/loki/api/v1/label/service_name/values", &range).await.body, r#"{"status":"success"}"#);
    assert_eq!(api.get("/loki/api/v1/series", &range).await.body, r#"{"status":"success","data":[]}"#);
}

#[tokio::test]
async fn values_of_a_label_are_sorted_and_of_the_streams_that_the_query_selects() {
    let api = Api::new().await;
    let path = "/loki/api/v1/label/service_name/values";
    assert_eq!(api.get(path, &[]).await.json()["data"], json!(["api-gateway", "api-service"]));
    let selected = api.get(path, &[("query", r#"{severity_text="INFO"}"#)]).await;
    assert_eq!(selected.json()["data"], json!(["api-service"]));
    let severities = api.get("/loki/api/v1/label/severity_text/values", &[]).await;
    assert_eq!(severities.json()["data"], json!(["ERROR", "INFO"]));
    let metadata = api.get("/loki/api/v1/label/trace_id/values", &[]).await;
    assert_eq!(metadata.json(), json!({"status": "success"}));
}

#[tokio::test]
async fn series_are_the_streams_that_any_selector_selects() {
    let api = Api::new().await;
    let gateway = json!({"service_name": "api-gateway", "severity_text": "ERROR"});
    let service = |severity: &str| json!({"service_name": "api-service", "severity_text": severity});
    let all = json!([gateway, service("ERROR"), service("INFO")]);
    let path = "/loki/api/v1/series";
    for params in [&[][..], &[("match[]", "{}")], &[("match[]", r#"{service_name=~"api-.*"}"#)], &[("match[]", "")]] {
        assert_eq!(api.get(path, params).await.json(), json!({"status": "success", "data": all}), "{params:?}");
    }
    let two = [("match[]", r#"{service_name="api-gateway"}"#), ("match", r#"{severity_text="INFO"}"#)];
    let expected = json!({"status": "success", "data": [gateway, service("INFO")]});
    assert_eq!(api.get(path, &two).await.json(), expected);
    assert_eq!(api.post(path, &two).await.json(), expected);
}

#[tokio::test]
async fn the_server_says_what_it_is_and_that_it_is_ready() {
    let api = Api::new().await;
    let build = api.get_with("/loki/api/v1/status/buildinfo", &[], &[]).await.json();
    assert_eq!((&build["version"], &build["revision"], &build["goVersion"]), (&json!("1.2.3"), &json!("abcdef"), &json!("")));
    let ready = api.get_with("/ready", &[], &[]).await;
    assert_eq!(ready.body, r#"{"status":"ready"}"#);
    assert_eq!(ready.header("content-type"), "application/json");
}
