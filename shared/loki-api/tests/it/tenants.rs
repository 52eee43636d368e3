use serde_json::json;

use crate::api::Api;

const ALL: [(&str, &str); 1] = [("query", r#"{service_name=~".+"}"#)];

#[tokio::test]
async fn a_tenant_sees_its_own_lines_only_on_every_endpoint() {
    let api = Api::new().await;
    let headers = [("X-Scope-OrgID", "other")];
    let lines = api.get_with("/loki/api/v1/query_range", &ALL, &headers).await.result();
    assert_eq!(lines.as_array().unwrap().len(), 1);
    assert_eq!(lines[0]["values"], json!([["1704067201000000000", "of another tenant"]]));
    let count = [("query", r#"sum(count_over_time({service_name=~".+"}[2h]))"#)];
    assert_eq!(api.get_with("/loki/api/v1/query", &count, &headers).await.result()[0]["value"][1], "1");
    let values = api.get_with("/loki/api/v1/label/service_name/values", &[], &headers).await;
    assert_eq!(values.json()["data"], json!(["secret-service"]));
    let series = api.get_with("/loki/api/v1/series", &[], &headers).await;
    assert_eq!(series.json()["data"], json!([{"service_name": "secret-service", "severity_text": "INFO"}]));
    let explained = api.get_with("/loki/api/v1/explain", &ALL, &headers).await.json();
    assert_eq!(explained["data"]["reads"][0]["files"]["planned"], 0);
}

#[tokio::test]
async fn a_request_without_a_tenant_is_of_the_default_tenant() {
    let api = Api::new().await;
    assert_eq!(api.get_with("/loki/api/v1/query_range", &ALL, &[]).await.result(), json!([]));
}

#[tokio::test]
async fn no_query_reaches_another_tenant() {
    let api = Api::new().await;
    for query in [r#"{tenant_id="other"}"#, r#"{tenant_id=~".*", service_name=~".*"} |= "another""#] {
        assert!(!api.range(query, &[]).await.body.contains("of another tenant"), "{query}");
    }
}

#[tokio::test]
async fn a_tenant_that_is_not_allowed_is_refused() {
    let api = Api::new().await;
    for tenant in ["a|b", "../other", "my tenant"] {
        let reply = api.get_with("/loki/api/v1/labels", &[], &[("X-Scope-OrgID", tenant)]).await;
        assert_eq!(reply.status, 400, "{tenant}");
        assert!(reply.body.starts_with(&format!("invalid tenant id {tenant:?}")), "{}", reply.body);
    }
}
