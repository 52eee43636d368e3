//! What queries answer over metrics in the table and in the WAL.

use http::Method;
use icegate_prometheus_api::{Limits, PrometheusConfig};
use serde_json::{Value, json};

use crate::api::{Api, Store, T0, TENANT};

/// A request with the metrics of a service of `shop`, as they are given.
fn request(service: &str, metrics: &Value) -> Value {
    let attribute = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let attributes = [attribute("service.namespace", "shop"), attribute("service.name", service), attribute("host.name", "h1")];
    json!({"resourceMetrics": [{"resource": {"attributes": attributes}, "scopeMetrics": [{"metrics": metrics}]}]})
}

/// A point `after` seconds.
fn point(after: i64, rest: &Value) -> Value {
    let mut point = json!({"timeUnixNano": format!("{}000000000", T0 + after)});
    point.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    point
}

fn counter(points: &[(i64, i64)]) -> Value {
    let points: Vec<Value> = points.iter().map(|(at, value)| point(*at, &json!({"asInt": value.to_string()}))).collect();
    json!({"name": "http.requests", "unit": "{request}", "description": "Requests",
        "sum": {"isMonotonic": true, "aggregationTemporality": 2, "dataPoints": points}})
}

fn metric(name: &str, kind: &str, temporality: Option<i32>, points: &[Value]) -> Value {
    let mut data = json!({ "dataPoints": points });
    if let Some(temporality) = temporality {
        data["aggregationTemporality"] = temporality.into();
    }
    json!({"name": name, "unit": "s", kind: data})
}

async fn api() -> Api {
    with(PrometheusConfig::default()).await
}

/// A counter of two services, of which one point was taken in twice and differently; half of it shifted.
async fn with(config: PrometheusConfig) -> Api {
    let store = Store::new().await;
    store
        .shifted(&[request("cart", &json!([counter(&[(0, 10), (15, 20)])])), request("api", &json!([counter(&[(0, 1)])]))])
        .await;
    store.fresh(TENANT, &[request("cart", &json!([counter(&[(30, 40), (45, 50)])]))]).await;
    let exemplar =
        json!({"timeUnixNano": format!("{}500000000", T0), "asDouble": 0.2, "traceId": "5b8efff798038103d269b633813fc60c"});
    let classic =
        json!({"count": "3", "sum": 4.5, "bucketCounts": ["1", "0", "2"], "explicitBounds": [0.5, 1.0], "exemplars": [exemplar]});
    let native =
        json!({"count": "4", "sum": 8, "scale": 0, "zeroCount": "1", "positive": {"offset": 0, "bucketCounts": ["1", "2"]}});
    let coarse = json!({"count": "0", "scale": -5, "zeroCount": "0"});
    let summary = json!({"count": "2", "sum": 3, "quantileValues": [{"quantile": 0.5, "value": 1.5}]});
    let metrics = json!([
        metric("lat", "histogram", Some(2), &[point(0, &classic)]),
        metric("size", "exponentialHistogram", Some(2), &[point(0, &native)]),
        metric("coarse", "exponentialHistogram", Some(2), &[point(0, &coarse)]),
        metric("pause", "summary", None, &[point(0, &summary)]),
        metric("gone", "gauge", None, &[point(0, &json!({"asDouble": 1.5})), point(30, &json!({"flags": 1}))]),
    ]);
    store.fresh(TENANT, &[request("api", &metrics)]).await;
    store.fresh("other", &[request("secret", &json!([counter(&[(0, 999)])]))]).await;
    store.api(config)
}

/// `metric` and `value` of an instant query's answer, at `after` seconds.
async fn instant(api: &Api, query: &str, after: i64) -> Vec<(Value, Value)> {
    let query: String = percent(query);
    let data = api.get(&format!("/api/v1/query?query={query}&time={}", T0 + after)).await.data();
    let result = data["result"].as_array().unwrap().clone();
    result.into_iter().map(|sample| (sample["metric"].clone(), sample["value"][1].clone())).collect()
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn series_of_the_table_and_of_the_wal_are_one_and_those_of_other_tenants_are_none() {
    let api = api().await;
    let name = json!({"__name__": "http_requests_total", "job": "shop/cart"});
    assert_eq!(instant(&api, r#"http_requests_total{job="shop/cart"}"#, 45).await, [(name, json!("50"))]);
    // Points of both stores are in one window.
    let rise = instant(&api, r#"sum(max_over_time(http_requests_total[1m]) - min_over_time(http_requests_total[1m]))"#, 45).await;
    assert_eq!(rise, [(json!({}), json!("40"))]);
    // Two counters, five of a histogram with two bounds, a native one, three of a summary, a gauge and two resources.
    assert_eq!(instant(&api, "count({__name__=~\".+\"})", 0).await, [(json!({}), json!("14"))]);
    let values = api.get("/api/v1/label/job/values").await.data();
    assert_eq!(values, json!(["shop/api", "shop/cart"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_metric_has_its_series() {
    let api = api().await;
    for (query, expected) in [
        (r#"lat_seconds_bucket{le="0.5"}"#, "1"),
        (r#"lat_seconds_bucket{le="1"}"#, "1"),
        (r#"lat_seconds_bucket{le="+Inf"}"#, "3"),
        ("lat_seconds_sum", "4.5"),
        ("lat_seconds_count", "3"),
        (r#"pause_seconds{quantile="0.5"}"#, "1.5"),
        ("histogram_count(size_seconds)", "4"),
        ("histogram_sum(size_seconds)", "8"),
        (r#"target_info{host_name="h1",job="shop/api"}"#, "1"),
        ("gone_seconds", "1.5"),
    ] {
        let found = instant(&api, query, 1).await;
        assert_eq!(found.iter().map(|(_, value)| value).collect::<Vec<_>>(), [&json!(expected)], "{query}");
    }
    assert_eq!(instant(&api, "gone_seconds", 31).await, []);
    let native = api.get(&format!("/api/v1/query?query=size_seconds&time={T0}")).await.data();
    let buckets = json!([[3, "-1e-128", "1e-128", "1"], [0, "1", "2", "1"], [0, "2", "4", "2"]]);
    assert_eq!(native["result"][0]["histogram"][1]["buckets"], buckets);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_series_is_told() {
    let reply = api().await.get(&format!("/api/v1/query?query=coarse_seconds&time={T0}")).await.json();
    assert_eq!(reply["data"]["result"], json!([]));
    let warning = "exponential histograms of coarse have scale -5, native histograms have none below -4: they are left out";
    assert_eq!(reply["warnings"], json!([warning]));
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_series_metadata_and_exemplars_say_what_there_is() {
    let api = api().await;
    let labels = api.get("/api/v1/labels?match[]=http_requests_total").await.data();
    assert_eq!(labels, json!(["__name__", "job"]));
    let series = api.get("/api/v1/series?match[]=http_requests_total&limit=1").await.json();
    assert_eq!(series["data"], json!([{"__name__": "http_requests_total", "job": "shop/api"}]));
    assert_eq!(series["warnings"], json!(["results truncated due to limit"]));
    let metadata = api.get("/api/v1/metadata?metric=http_requests_total").await.data();
    assert_eq!(metadata, json!({"http_requests_total": [{"type": "counter", "help": "Requests", "unit": ""}]}));
    let range = format!("start={T0}&end={}", T0 + 1);
    let exemplars = api.get(&format!("/api/v1/query_exemplars?query=rate(lat_seconds_bucket%5B5m%5D)&{range}")).await.data();
    let labels = json!({"__name__": "lat_seconds_bucket", "job": "shop/api", "le": "0.5"});
    let exemplar =
        json!({"labels": {"trace_id": "5b8efff798038103d269b633813fc60c"}, "value": "0.2", "timestamp": 1_704_067_200.5});
    assert_eq!(exemplars, json!([{"seriesLabels": labels, "exemplars": [exemplar]}]));
    assert_eq!(api.get(&format!("/api/v1/query_exemplars?query=1&{range}")).await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_that_is_reached_is_an_error_that_names_it() {
    let limits = Limits { samples: 3, ..Limits::default() };
    let reply = with(PrometheusConfig { limits, ..PrometheusConfig::default() }).await;
    let reply = reply.get(&format!("/api/v1/query?query=http_requests_total%5B1m%5D&time={}", T0 + 45)).await;
    let error = "query processing would load too many samples into memory in query execution";
    assert_eq!(
        (reply.status.as_u16(), reply.json()),
        (422, json!({"status": "error", "errorType": "execution", "error": error}))
    );
    let limits = Limits { bytes: 100, ..Limits::default() };
    let reply = with(PrometheusConfig { limits, ..PrometheusConfig::default() }).await.get("/api/v1/labels").await;
    let error = "query holds more than 100 bytes of series, windows and results at once";
    assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (422, &json!(error)));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_grafana_are_answered() {
    let api = api().await;
    let form = "application/x-www-form-urlencoded";
    let post = async |path: &str, body: &str| api.send(Method::POST, path, TENANT, Some((form, body))).await;
    assert_eq!(post("/api/v1/query", "query=1%2B1&time=4").await.data(), json!({"resultType": "scalar", "result": [4, "2"]}));
    let range = format!("query=http_requests_total&start={T0}&end={}&step=15&limit=40000", T0 + 30);
    let data = post("/api/v1/query_range", &range).await.data();
    assert_eq!(data["result"][1]["values"], json!([[T0, "10"], [T0 + 15, "20"], [T0 + 30, "40"]]));
    let labels = format!("start={T0}&end={}&match%5B%5D=%7B__name__%3D%22size_seconds%22%7D&limit=40000", T0 + 60);
    assert_eq!(post("/api/v1/labels", &labels).await.data(), json!(["__name__", "job"]));
    let values = api.get(&format!("/api/v1/label/__name__/values?{labels}")).await.data();
    assert_eq!(values, json!(["size_seconds"]));
    assert_eq!(api.get("/api/v1/rules").await.data(), json!({"groups": []}));
    let build = api.get("/api/v1/status/buildinfo").await.data();
    // Features would make Grafana take this for Mimir.
    assert!(build["version"] == "1.2.3" && build.get("features").is_none());
}
