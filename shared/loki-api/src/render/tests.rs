use super::*;
use icegate_logql::{Entry, Sample, Series, Stream};
use serde_json::{Value, json};

const MAX: usize = 1 << 20;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    Labels::from_pairs(pairs.iter().copied())
}

fn entry(nanos: i64, line: &str, metadata: &[(&str, &str)], parsed: &[(&str, &str)]) -> Entry {
    Entry { timestamp: Timestamp::from_nanos(nanos), line: line.to_owned(), metadata: labels(metadata), parsed: labels(parsed) }
}

fn rendered(answer: Answer, flags: &[&str]) -> Value {
    let encoding = Encoding { flags: flags.iter().map(|flag| (*flag).to_owned()).collect() };
    let stats = Stats::new(&[], std::time::Duration::from_secs(1), &answer);
    let body = query(answer, Timestamp::from_secs(1_704_067_200), &encoding, &stats, MAX).unwrap();
    let mut document: Value = serde_json::from_slice(&body).unwrap();
    document["data"].as_object_mut().unwrap().remove("stats").unwrap();
    document
}

fn lines() -> Answer {
    Answer::Streams(vec![Stream {
        labels: labels(&[("service_name", "api")]),
        entries: vec![
            entry(1_704_067_200_000_000_002, "b", &[("trace_id", "01")], &[("level", "info")]),
            entry(1_704_067_200_000_000_001, "a \"quoted\"\u{1b}", &[], &[]),
        ],
    }])
}

#[test]
fn without_flags_all_labels_are_the_streams_labels() {
    assert_eq!(
        rendered(lines(), &[]),
        json!({"status": "success", "data": {"resultType": "streams", "result": [
            {"stream": {"level": "info", "service_name": "api", "trace_id": "01"}, "values": [["1704067200000000002", "b"]]},
            {"stream": {"service_name": "api"}, "values": [["1704067200000000001", "a \"quoted\"\u{1b}"]]},
        ]}})
    );
}

#[test]
fn categorized_labels_are_in_a_third_element_and_the_flags_are_echoed() {
    assert_eq!(
        rendered(lines(), &["x", "categorize-labels"]),
        json!({"status": "success", "data": {"resultType": "streams", "encodingFlags": ["x", "categorize-labels"], "result": [
            {"stream": {"service_name": "api"}, "values": [
                ["1704067200000000002", "b", {"structuredMetadata": {"trace_id": "01"}, "parsed": {"level": "info"}}],
                ["1704067200000000001", "a \"quoted\"\u{1b}", {}],
            ]},
        ]}})
    );
}

#[test]
fn a_matrix_has_seconds_to_the_millisecond_and_values_as_text() {
    let points = vec![
        (1_704_067_200_000_000_000, 42.0),
        (1_704_067_200_500_000_000, 0.1),
        (-1_000_000, f64::INFINITY),
        (0, f64::NEG_INFINITY),
        (1_000_000_000, f64::NAN),
        (2_000_000_000, 1e21),
        (3_000_000_000, -0.000_001),
    ];
    let series = Series { labels: labels(&[("service_name", "api")]), points };
    assert_eq!(
        rendered(Answer::Matrix(vec![series]), &["categorize-labels"]),
        json!({"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {"service_name": "api"}, "values": [
            [1_704_067_200, "42"], [1_704_067_200.5, "0.1"], [-0.001, "+Inf"], [0, "-Inf"], [1, "NaN"],
            [2, "1000000000000000000000"], [3, "-0.000001"],
        ]}]}})
    );
}

#[test]
fn a_vector_keeps_its_order_and_a_scalar_has_the_querys_time() {
    let sample = |name: &str, value| Sample { labels: labels(&[("a", name)]), time: 1_704_067_200_000_000_000, value };
    assert_eq!(
        rendered(Answer::Vector(vec![sample("y", 2.0), sample("x", 1.5)]), &[]),
        json!({"status": "success", "data": {"resultType": "vector", "result": [
            {"metric": {"a": "y"}, "value": [1_704_067_200, "2"]}, {"metric": {"a": "x"}, "value": [1_704_067_200, "1.5"]},
        ]}})
    );
    assert_eq!(
        rendered(Answer::Scalar(2.0), &[]),
        json!({"status": "success", "data": {"resultType": "scalar", "result": [1_704_067_200, "2"]}})
    );
}

#[test]
fn no_names_are_no_data_and_no_streams_are_an_empty_list() {
    assert_eq!(names(&[], &[], MAX).unwrap(), br#"{"status":"success"}"#);
    assert_eq!(names(&["a".to_owned()], &[], MAX).unwrap(), br#"{"status":"success","data":["a"]}"#);
    assert_eq!(label_sets(&[], &[], MAX).unwrap(), br#"{"status":"success","data":[]}"#);
    assert_eq!(label_sets(&[labels(&[("a", "b")])], &[], MAX).unwrap(), br#"{"status":"success","data":[{"a":"b"}]}"#);
}

#[test]
fn an_answer_over_the_bound_is_an_error_that_names_it() {
    let error = names(&["x".repeat(100)], &[], 100).unwrap_err();
    assert_eq!(error.to_string(), "the answer is larger than 100 bytes, which are allowed: lower the limit or aggregate more");
    assert_eq!(error.status(), http::StatusCode::BAD_REQUEST);
}

#[test]
fn warnings_stand_before_the_data() {
    let warnings = ["w".to_owned()];
    assert_eq!(names(&["a".to_owned()], &warnings, MAX).unwrap(), br#"{"status":"success","warnings":["w"],"data":["a"]}"#);
    assert_eq!(names(&[], &warnings, MAX).unwrap(), br#"{"status":"success","warnings":["w"]}"#);
}
