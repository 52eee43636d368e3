//! Labels and fields that are found in lines.

use serde_json::{Value, json};

use crate::api::TRACE;
use crate::served::{Served, Stored, reply};

const LABELS: &str = "/loki/api/v1/detected_labels";
const FIELDS: &str = "/loki/api/v1/detected_fields";
const ALL: (&str, &str) = ("query", r#"{service_name=~".+"}"#);

#[tokio::test]
async fn labels_of_streams_are_told_with_the_number_of_their_values() {
    for stored in Stored::ALL {
        let api = Served::new(stored).await;
        let both = json!({"detectedLabels": [{"label": "service_name", "cardinality": 2}, {"label": "severity_text", "cardinality": 2}]});
        assert_eq!(api.json(LABELS, &[]).await, both, "{stored:?}");
        assert_eq!(api.json(LABELS, &[ALL]).await, both, "{stored:?}");
        let one = json!({"detectedLabels": [{"label": "service_name", "cardinality": 1}, {"label": "severity_text", "cardinality": 2}]});
        assert_eq!(api.json(LABELS, &[("query", r#"{service_name="api-service"}"#)]).await, one, "{stored:?}");
        let late = [("start", "1704153600"), ("end", "1704157200")];
        assert_eq!(api.json(LABELS, &late).await, json!({"detectedLabels": []}), "{stored:?}");
    }
}

fn metadata(label: &str, field_type: &str, cardinality: u64) -> Value {
    json!({"label": label, "type": field_type, "cardinality": cardinality, "parsers": null})
}

fn logfmt(label: &str) -> Value {
    json!({"label": label, "type": "string", "cardinality": 1, "parsers": ["logfmt"]})
}

#[tokio::test]
async fn fields_are_metadata_and_what_is_in_lines() {
    for stored in Stored::ALL {
        let api = Served::new(stored).await;
        let expected = json!({"limit": 1000, "fields": [
            metadata("detected_level", "string", 2),
            logfmt("level"),
            logfmt("msg"),
            metadata("severity_number", "int", 2),
            metadata("trace_id", "string", 1),
            metadata("user_id", "string", 1),
        ]});
        assert_eq!(api.json(FIELDS, &[ALL]).await, expected, "{stored:?}");
        // The newest line alone has neither.
        let newest =
            json!({"limit": 1000, "fields": [metadata("detected_level", "string", 1), metadata("severity_number", "int", 1)]});
        assert_eq!(api.json(FIELDS, &[ALL, ("line_limit", "1")]).await, newest, "{stored:?}");
        for limit in ["limit", "field_limit"] {
            let one = json!({"limit": 1, "fields": [metadata("detected_level", "string", 2)]});
            assert_eq!(api.json(FIELDS, &[ALL, (limit, "1")]).await, one, "{stored:?}");
        }
        let none = api.json(FIELDS, &[("query", r#"{service_name="nope"}"#)]).await;
        assert_eq!(none, json!({"limit": 1000, "fields": []}), "{stored:?}");
    }
}

#[tokio::test]
async fn the_parsers_of_a_query_are_those_of_its_fields() {
    let api = Served::new(Stored::Both).await;
    let query = r#"{severity_text="INFO"} | regexp `level=(?P<word>\w+)` | logfmt | label_format kind="{{.level}}!""#;
    let document = api.json(FIELDS, &[("query", query)]).await;
    let fields = document["fields"].as_array().unwrap();
    let parsers = |label: &str| fields.iter().find(|field| field["label"] == label).map(|field| field["parsers"].clone());
    assert_eq!(parsers("level"), Some(json!(["logfmt"])));
    assert_eq!(parsers("kind"), Some(json!([])));
    assert_eq!(parsers("word"), Some(json!(["regexp"])));
    assert_eq!(parsers("__error__"), None);
}

#[tokio::test]
async fn the_values_of_a_field_are_sorted_and_bounded() {
    for stored in Stored::ALL {
        let api = Served::new(stored).await;
        for (name, more, expected) in [
            ("msg", None, json!({"values": ["login ok"], "limit": 1000})),
            ("trace_id", None, json!({"values": [TRACE], "limit": 1000})),
            ("detected_level", None, json!({"values": ["error", "info"], "limit": 1000})),
            ("detected_level", Some(("limit", "1")), json!({"values": ["error"], "limit": 1})),
            ("nope", None, json!({"values": [], "limit": 1000})),
        ] {
            let params: Vec<_> = [ALL].into_iter().chain(more).collect();
            let path = format!("/loki/api/v1/detected_field/{name}/values");
            assert_eq!(api.json(&path, &params).await, expected, "{stored:?} {name}");
        }
    }
}

#[tokio::test]
async fn what_is_not_allowed_is_named() {
    let api = Served::new(Stored::Wal).await;
    for (params, text) in [
        (vec![], "missing parameter query"),
        (vec![("query", r#"rate({a="b"}[1m])"#)], "only log selector is supported"),
        (vec![ALL, ("line_limit", "0")], "limit must be a positive value"),
        (
            vec![ALL, ("line_limit", "5001")],
            "max entries limit per query exceeded, limit > max_entries_limit_per_query (5001 > 5000)",
        ),
        (vec![ALL, ("limit", "x")], r#"invalid parameter limit="x": allowed is an integer from 1 to 1000"#),
    ] {
        assert_eq!(reply(api.get(FIELDS, &params)).await, (400, text.to_owned()), "{params:?}");
    }
}
