use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use icegate_loki_api::{ErrorFormat, LokiConfig};
use icegate_model::{RandomIds, SystemClock};
use icegate_storage::Root;
use icegate_tables::Tables;
use icegate_wal::Wal;
use serde_json::{Value, json};

use crate::api::{Api, TENANT};

const RANGE: &str = "/loki/api/v1/query_range";
const LOGS: (&str, &str) = ("query", r#"{service_name="api-service"}"#);
const COUNT: (&str, &str) = ("query", r#"count_over_time({service_name="api-service"}[5m])"#);

#[tokio::test]
async fn a_parameter_that_is_not_allowed_is_named_with_its_value_and_what_is_allowed() {
    let api = Api::new().await;
    for (params, text) in [
        (vec![], "missing parameter query"),
        (
            vec![LOGS, ("start", "yesterday")],
            r#"invalid parameter start="yesterday": allowed are Unix seconds, Unix nanoseconds or RFC 3339"#,
        ),
        (vec![LOGS, ("since", "1")], r#"invalid parameter since="1": allowed is a duration above 0, such as 90s or 1h30m"#),
        (vec![LOGS, ("direction", "sideways")], r#"invalid parameter direction="sideways": allowed are forward and backward"#),
        (vec![LOGS, ("limit", "many")], r#"invalid parameter limit="many": allowed is an integer above 0"#),
        (vec![LOGS, ("limit", "0")], "limit must be a positive value"),
        (vec![LOGS, ("limit", "-1")], "limit must be a positive value"),
        (
            vec![LOGS, ("limit", "5001")],
            "max entries limit per query exceeded, limit > max_entries_limit_per_query (5001 > 5000)",
        ),
        (
            vec![COUNT, ("step", "0")],
            r#"invalid parameter step="0": allowed are seconds or a duration above 0, such as 15, 0.5 or 5m"#,
        ),
        (
            vec![LOGS, ("interval", "-1")],
            r#"invalid parameter interval="-1": allowed are seconds or a duration of 0 or more, such as 15, 0.5 or 5m"#,
        ),
        (
            vec![LOGS, ("start", "20"), ("end", "10")],
            "end timestamp 10000000000 ns must not be before start timestamp 20000000000 ns",
        ),
    ] {
        let reply = api.get(RANGE, &params).await;
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (400, text), "{params:?}");
        assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn more_than_eleven_thousand_steps_are_refused_for_lines_too() {
    let api = Api::new().await;
    for query in [LOGS, COUNT] {
        let params = |end| [query, ("start", "1704067200"), ("end", end), ("step", "1")];
        assert_eq!(api.get(RANGE, &params("1704078200")).await.status, 200);
        let reply = api.get(RANGE, &params("1704078201")).await;
        assert_eq!(reply.status, 400);
        assert!(reply.body.contains("11000 points"), "{}", reply.body);
    }
}

#[tokio::test]
async fn unknown_parameters_and_a_large_limit_of_a_metric_query_are_fine() {
    let api = Api::new().await;
    assert_eq!(api.get(RANGE, &[COUNT, ("limit", "100000"), ("_", "1"), ("step", "60")]).await.status, 200);
}

#[tokio::test]
async fn a_log_query_at_one_point_in_time_is_refused() {
    let api = Api::new().await;
    let reply = api.get("/loki/api/v1/query", &[LOGS]).await;
    let text = "log queries are not supported as an instant query type, please change your query to a range query type";
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (400, text));
}

#[tokio::test]
async fn a_query_that_is_no_logql_is_refused_with_its_place() {
    let api = Api::new().await;
    let reply = api.range(r#"{service_name="x",}"#, &[]).await;
    assert_eq!(reply.status, 400);
    assert!(reply.body.starts_with("parse error at line 1, col 19: syntax error: unexpected }"), "{}", reply.body);
    let pipeline = api.get("/loki/api/v1/series", &[("match[]", r#"{a="b"} |= "x""#)]).await;
    assert_eq!(pipeline.status, 400);
    assert!(pipeline.body.starts_with("only label matchers are supported"), "{}", pipeline.body);
}

#[tokio::test]
async fn errors_are_json_where_the_client_or_the_configuration_asks_for_it() {
    let text = Api::new().await;
    let json = Api::with(LokiConfig { error_format: ErrorFormat::Json, ..LokiConfig::default() }).await;
    let expected = json!({
        "status": "error", "errorType": "bad_data", "error": "missing parameter query", "message": "missing parameter query",
    });
    for (api, accept, is_json) in [
        (&text, "*/*", false),
        (&text, "text/html, application/*", false),
        (&text, "application/json, text/plain, */*", true),
        (&text, "Application/JSON; q=0.5", true),
        (&text, "application/json;q=0", false),
        (&json, "*/*", true),
    ] {
        let reply = api.get_with(RANGE, &[], &[("X-Scope-OrgID", TENANT), ("Accept", accept)]).await;
        assert_eq!(reply.status, 400);
        if is_json {
            assert_eq!(serde_json::from_str::<Value>(&reply.body).unwrap(), expected, "{accept}");
            assert_eq!(reply.header("content-type"), "application/json");
        } else {
            assert_eq!(reply.body, "missing parameter query", "{accept}");
        }
    }
}

/// Status, JSON error type and text of a query under a configuration.
async fn failure(config: LokiConfig, path: &str, params: &[(&str, &str)]) -> (u16, String, String, String) {
    let reply = Api::with(LokiConfig { error_format: ErrorFormat::Json, ..config }).await.get(path, params).await;
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(body["status"], "error", "{body}");
    let text = |key: &str| body[key].as_str().unwrap().to_owned();
    (reply.status.as_u16(), text("errorType"), text("error"), reply.header("retry-after").to_owned())
}

#[tokio::test]
async fn each_bound_has_an_error_that_names_it() {
    for (config, params, status, error_type, name, retry_after) in [
        (
            LokiConfig { max_concurrent_queries: 0, ..LokiConfig::default() },
            LOGS,
            429,
            "too_many_requests",
            "max_concurrent_queries is 0",
            "1",
        ),
        (LokiConfig { max_query_series: 1, ..LokiConfig::default() }, COUNT, 400, "bad_data", "maximum number of series (1)", ""),
    ] {
        let found = failure(config, RANGE, &[params]).await;
        assert_eq!((found.0, found.1.as_str(), found.3.as_str()), (status, error_type, retry_after), "{name}");
        assert!(found.2.contains(name), "{name}: {}", found.2);
    }
}

#[tokio::test]
async fn a_form_that_is_too_large_is_413() {
    let api = Api::new().await;
    let reply = api.post(RANGE, &[LOGS, ("x", &"x".repeat(1 << 20))]).await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (413, "the form is larger than 1048576 bytes, which are allowed"));
}

#[tokio::test]
async fn too_many_selectors_are_refused() {
    let api = Api::new().await;
    let reply = api.get("/loki/api/v1/series", &[("match[]", "{a=\"b\"}"); 101]).await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (400, "101 selectors in match[], allowed are 100"));
}

#[tokio::test]
async fn before_the_tables_exist_the_wal_answers_and_a_warning_says_so() {
    let tables = Arc::new(Tables::memory(Root::memory(), Arc::new(SystemClock), Arc::new(RandomIds)));
    let api = Api::over(tables, Arc::new(Wal::new(Root::memory())), LokiConfig::default());
    let reply = api.get(RANGE, &[LOGS]).await;
    let warning = r#"{"status":"success","warnings":["table logs does not exist in the catalog yet, "#;
    assert_eq!(reply.status.as_u16(), 200);
    assert!(reply.body.starts_with(warning), "{}", reply.body);
}

#[tokio::test]
async fn what_is_not_served_is_404_and_a_wrong_method_405() {
    let api = Api::new().await;
    for path in ["/", "/loki/api/v1/nope", "/loki/api/v1/label/a/b"] {
        let reply = api.get(path, &[]).await;
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (404, "404 page not found"), "{path}");
    }
    let delete = Request::delete(RANGE).body(Body::empty()).unwrap();
    assert_eq!(api.send(delete).await.status, 405);
}
