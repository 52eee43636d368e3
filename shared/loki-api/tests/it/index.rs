//! What there is, without the lines themselves. The corpus has four lines: 30, 12 and 25 bytes of api-service (INFO, ERROR, INFO) at
//! 0, 60 and 120 s, and 15 bytes of api-gateway (ERROR) at 180 s.

use serde_json::{Value, json};

use crate::served::{Served, Stored, answer, reply};

const STATS: &str = "/loki/api/v1/index/stats";
const VOLUME: &str = "/loki/api/v1/index/volume";
const VOLUME_RANGE: &str = "/loki/api/v1/index/volume_range";
const ALL: (&str, &str) = ("query", r#"{service_name=~".+"}"#);
const START: (&str, &str) = ("start", "1704067200");
const END: (&str, &str) = ("end", "1704070800");

#[tokio::test]
async fn stats_count_streams_lines_and_bytes_wherever_they_are() {
    for stored in Stored::ALL {
        let api = Served::new(stored).await;
        let all = json!({"streams": 3, "chunks": stored.objects(), "bytes": 82, "entries": 4});
        assert_eq!(api.json(STATS, &[ALL, START, END]).await, all, "{stored:?}");
        let some = api.json(STATS, &[("query", r#"{service_name="api-service", severity_text="INFO"}"#), START, END]).await;
        assert_eq!((&some["streams"], &some["bytes"], &some["entries"]), (&json!(1), &json!(55), &json!(2)), "{stored:?}");
        // A label that only the row has.
        let row = api.json(STATS, &[("query", r#"{user_id="u1"}"#), START, END]).await;
        assert_eq!((&row["streams"], &row["bytes"], &row["entries"]), (&json!(1), &json!(12), &json!(1)), "{stored:?}");
        let late = api.json(STATS, &[ALL, ("start", "1704067320"), ("end", "1704067380")]).await;
        assert_eq!((&late["streams"], &late["bytes"], &late["entries"]), (&json!(1), &json!(25), &json!(1)), "{stored:?}");
        let none = api.json(STATS, &[("query", r#"{service_name="nope"}"#), START, END]).await;
        assert_eq!((&none["streams"], &none["bytes"], &none["entries"]), (&json!(0), &json!(0), &json!(0)), "{stored:?}");
    }
}

fn vector(samples: &[(Value, &str)]) -> Value {
    let result: Vec<_> =
        samples.iter().map(|(metric, value)| json!({"metric": metric, "value": [1_704_070_800, value]})).collect();
    json!({"status": "success", "data": {"resultType": "vector", "result": result}})
}

#[tokio::test]
async fn volumes_are_bytes_by_the_labels_that_are_named_the_most_first() {
    for stored in Stored::ALL {
        let api = Served::new(stored).await;
        let (service, gateway) = (json!({"service_name": "api-service"}), json!({"service_name": "api-gateway"}));
        let (info, error) = (json!({"severity_text": "INFO"}), json!({"severity_text": "ERROR"}));
        let series = |service: &str, severity: &str| json!({"service_name": service, "severity_text": severity});
        for (more, expected) in [
            (vec![ALL], vec![(service.clone(), "67"), (gateway, "15")]),
            (vec![ALL, ("limit", "1")], vec![(service, "67")]),
            (vec![ALL, ("targetLabels", "severity_text")], vec![(info, "55"), (error, "27")]),
            (vec![ALL, ("targetLabels", "cloud_region")], vec![]),
            (
                vec![ALL, ("targetLabels", "service_name, severity_text"), ("aggregateBy", "series")],
                vec![
                    (series("api-service", "INFO"), "55"),
                    (series("api-gateway", "ERROR"), "15"),
                    (series("api-service", "ERROR"), "12"),
                ],
            ),
            (
                vec![("query", "{}")],
                vec![
                    (series("api-service", "INFO"), "55"),
                    (series("api-gateway", "ERROR"), "15"),
                    (series("api-service", "ERROR"), "12"),
                ],
            ),
            (
                vec![ALL, ("aggregateBy", "labels")],
                vec![(json!({"service_name": ""}), "82"), (json!({"severity_text": ""}), "82")],
            ),
            (
                vec![("query", r#"{severity_text="INFO"}"#), ("aggregateBy", "labels"), ("targetLabels", "service_name")],
                vec![(json!({"service_name": ""}), "55")],
            ),
        ] {
            let params: Vec<_> = more.iter().copied().chain([START, END]).collect();
            assert_eq!(api.json(VOLUME, &params).await, vector(&expected), "{stored:?} {more:?}");
        }
    }
}

#[tokio::test]
async fn volumes_of_a_range_stand_at_the_last_millisecond_of_each_step_and_at_the_end() {
    for stored in Stored::ALL {
        let api = Served::new(stored).await;
        let matrix = |result: Value| json!({"status": "success", "data": {"resultType": "matrix", "result": result}});
        let (service, gateway) = (json!({"service_name": "api-service"}), json!({"service_name": "api-gateway"}));
        // 1704067200 is a multiple of 120.
        let whole = api.json(VOLUME_RANGE, &[ALL, START, ("end", "1704067440"), ("step", "2m")]).await;
        let expected = matrix(json!([
            {"metric": service, "values": [[1_704_067_319.999, "42"], [1_704_067_440, "25"]]},
            {"metric": gateway, "values": [[1_704_067_440, "15"]]},
        ]));
        assert_eq!(whole, expected, "{stored:?}");
        // From 10 s on, so that the first step is a short one, and to 190 s.
        let cut = api.json(VOLUME_RANGE, &[ALL, ("start", "1704067210"), ("end", "1704067390"), ("step", "60")]).await;
        let expected = matrix(json!([
            {"metric": service, "values": [[1_704_067_319.999, "12"], [1_704_067_379.999, "25"]]},
            {"metric": gateway, "values": [[1_704_067_390, "15"]]},
        ]));
        assert_eq!(cut, expected, "{stored:?}");
        let row = api.json(VOLUME_RANGE, &[("query", r#"{user_id=~"u.+"}"#), START, ("end", "1704067440"), ("step", "60")]).await;
        assert_eq!(row, matrix(json!([{"metric": {}, "values": [[1_704_067_319.999, "12"]]}])), "{stored:?}");
    }
}

#[tokio::test]
async fn volumes_say_what_they_read() {
    let api = Served::new(Stored::Both).await;
    let (_, text) = reply(api.get(VOLUME, &[ALL, START, END])).await;
    let stats = serde_json::from_str::<Value>(&text).unwrap()["data"]["stats"].take();
    assert_eq!(stats["summary"]["totalLinesProcessed"], 4);
    assert!(stats["summary"]["totalBytesProcessed"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn what_is_not_allowed_is_named() {
    let api = Served::new(Stored::Wal).await;
    for (path, params, text) in [
        (STATS, vec![], "missing parameter query"),
        (VOLUME, vec![], "missing parameter query"),
        (
            VOLUME,
            vec![ALL, ("aggregateBy", "stream")],
            r#"invalid parameter aggregateBy="stream": allowed are series and labels"#,
        ),
        (VOLUME, vec![ALL, ("limit", "0")], r#"invalid parameter limit="0": allowed is an integer from 1 to 5000"#),
        (VOLUME, vec![ALL, ("limit", "5001")], r#"invalid parameter limit="5001": allowed is an integer from 1 to 5000"#),
        (
            VOLUME_RANGE,
            vec![ALL, ("step", "0")],
            r#"invalid parameter step="0": allowed are seconds or a duration above 0, such as 15, 0.5 or 5m"#,
        ),
        (
            VOLUME_RANGE,
            vec![ALL, ("start", "1704067200"), ("end", "1704078201"), ("step", "1")],
            "exceeded maximum resolution of 11000 points per time series: the range has 11002, decrease it or increase the step",
        ),
        (STATS, vec![("query", r#"{a="b"} |= "c""#)], "only label matchers are supported, not a pipeline"),
    ] {
        assert_eq!(reply(api.get(path, &params)).await, (400, text.to_owned()), "{path} {params:?}");
    }
}

#[tokio::test]
async fn a_query_is_laid_out_and_one_that_is_none_is_told_of_as_json() {
    let api = Served::new(Stored::Wal).await;
    let path = "/loki/api/v1/format_query";
    let query = r#"sum by(service_name)(rate({service_name="checkout",k8s_namespace_name="shop"}|="x"|json|status>=500|line_format "{{.a}}"[5m]))>10"#;
    let formatted = "  sum by (service_name)(\n    rate(\n      {service_name=\"checkout\", k8s_namespace_name=\"shop\"}\n        |= \"x\"\n        | json\n        | status>=500\n        | line_format \"{{.a}}\" [5m]\n    )\n  )\n>\n  10";
    assert_eq!(api.json(path, &[("query", query)]).await, json!({"status": "success", "data": formatted}));
    let (status, text) = reply(api.get(path, &[("query", "{a=}")])).await;
    let body: Value = serde_json::from_str(&text).unwrap();
    let error = "parse error at line 1, col 4: syntax error: unexpected }, expecting string";
    assert_eq!((status, body), (400, json!({"status": "invalid-query", "error": error})));
    assert_eq!(reply(api.get(path, &[])).await.0, 400);
}

#[tokio::test]
async fn parts_of_lokis_api_that_are_not_there_say_so() {
    let api = Served::new(Stored::Wal).await;
    for (path, named) in [
        ("/loki/api/v1/index/shards", "/loki/api/v1/index/shards isn't served"),
        ("/loki/api/v1/rules", "/loki/api/v1/rules isn't served, it is Loki's ruler"),
        ("/loki/api/v1/rules/a/b", "isn't served, it is Loki's ruler"),
        ("/prometheus/api/v1/rules", "isn't served, it is Loki's ruler"),
        ("/loki/api/v1/delete", "isn't served, it is deletion on demand"),
        ("/api/prom/query", "use /loki/api/v1/query_range"),
        ("/api/prom/label/a/values", "use /loki/api/v1/label/{name}/values"),
    ] {
        for request in [api.get(path, &[]), api.post(path, &[])] {
            let (status, text) = reply(request).await;
            assert!(status == 501 && text.contains(named), "{path}: {status} {text}");
        }
    }
}

#[tokio::test]
async fn drilldown_is_told_the_limits_that_hold() {
    let api = Served::new(Stored::Wal).await;
    let document = answer(api.get("/loki/api/v1/drilldown-limits", &[])).await;
    let limits = &document["limits"];
    assert_eq!((&document["version"], &document["pattern_ingester_enabled"]), (&json!("1.2.3"), &json!(true)));
    assert_eq!((&limits["max_entries_limit_per_query"], &limits["max_query_series"]), (&json!(5_000), &json!(10_000)));
    assert_eq!((&limits["query_timeout"], &limits["volume_enabled"]), (&json!("1m"), &json!(true)));
    assert_eq!(
        (&limits["discover_service_name"][0], &limits["log_level_fields"][13]),
        (&json!("service"), &json!("SEVERITY_TEXT"))
    );
    let attributes = &limits["otlp_config"]["resource_attributes"]["attributes_config"][0];
    assert_eq!((&attributes["action"], attributes["attributes"].as_array().unwrap().len()), (&json!("index_label"), 18));
    for key in [
        "discover_log_levels",
        "max_line_size_truncate",
        "max_query_bytes_read",
        "max_query_length",
        "max_query_lookback",
        "max_query_range",
        "metric_aggregation_enabled",
        "pattern_persistence_enabled",
        "retention_period",
        "volume_max_series",
    ] {
        assert!(limits.get(key).is_some(), "{key}");
    }
}
