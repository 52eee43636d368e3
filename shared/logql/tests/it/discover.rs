//! What is found in lines without asking for them: volumes, fields, patterns; the same in every layout of the rows.

use std::collections::BTreeMap;
use std::time::Duration;

use icegate_logql::ast::{Expr, LogExpr};
use icegate_logql::{
    Direction, Field, FieldType, Limits, LogqlError, QueryParams, Volume, detected_fields, parse, parse_selector, patterns,
    volumes,
};
use icegate_model::{TimeRange, Timestamp};
use serde_json::{Map, Value, json};

use super::layouts::{LAYOUTS, load};

fn rows(rows: Value) -> Vec<Map<String, Value>> {
    rows.as_array().unwrap().iter().map(|row| row.as_object().unwrap().clone()).collect()
}

fn params(start: i64, end: i64, step: Duration) -> QueryParams {
    QueryParams {
        start: Timestamp::from_secs(start),
        end: Timestamp::from_secs(end),
        step,
        interval: Duration::ZERO,
        limit: 100,
        direction: Direction::Backward,
        now: Timestamp::from_secs(end),
        limits: Limits::default(),
    }
}

fn logs(query: &str) -> LogExpr {
    match parse(query).unwrap() {
        Expr::Logs(logs) => logs,
        Expr::Metric(_) => panic!("{query}"),
    }
}

fn slots(slots: &[(i64, u64, u64)]) -> BTreeMap<Timestamp, Volume> {
    slots.iter().map(|(at, lines, bytes)| (Timestamp::from_millis(*at), Volume { lines: *lines, bytes: *bytes })).collect()
}

#[tokio::test]
async fn volumes_are_lines_and_bytes_of_each_stream_in_slots_that_are_multiples_of_their_length() {
    let rows = rows(json!([
        {"t": "-1ns", "service": "a", "body": "é"},
        {"t": "0s", "service": "a", "body": "x"},
        {"t": "9999999999ns", "service": "a", "body": "yz"},
        {"t": "10s", "service": "a", "attributes": {"k": "v"}, "body": "x"},
        {"t": "12s", "service": "b", "severity": "INFO"},
        {"t": "20s", "service": "b", "body": "after the end"},
        {"t": "-6s", "service": "b", "body": "before the start"},
    ]));
    let range = TimeRange::new(Timestamp::from_secs(-5), Timestamp::from_secs(20)).unwrap();
    let limits = Limits::default();
    for layout in LAYOUTS {
        let loaded = load(&rows, layout);
        let found = |slot, selector: &'static str| {
            let (loaded, limits) = (&loaded, &limits);
            async move { volumes(range, slot, &parse_selector(selector).unwrap(), limits, loaded).await.unwrap() }
        };
        let all = found(Some(Duration::from_secs(10)), "{}").await;
        let named: Vec<_> = all.iter().map(|stream| (stream.labels.to_string(), stream.slots.clone())).collect();
        let expected = [
            (r#"{service_name="a"}"#.to_owned(), slots(&[(-5_000, 1, 2), (0, 2, 3), (10_000, 1, 1)])),
            (r#"{service_name="b", severity_text="INFO"}"#.to_owned(), slots(&[(10_000, 1, 0)])),
        ];
        assert_eq!(named, expected, "{layout:?}");
        let whole = found(None, r#"{service_name="a"}"#).await;
        assert_eq!((whole.len(), &whole[0].slots), (1, &slots(&[(-5_000, 4, 6)])), "{layout:?}");
        let row = found(Some(Duration::from_secs(10)), r#"{k="v"}"#).await;
        assert_eq!((row.len(), &row[0].slots), (1, &slots(&[(10_000, 1, 1)])), "{layout:?}");
    }
}

#[tokio::test]
async fn more_streams_or_slots_than_may_be_held_are_refused() {
    let rows = rows(json!([{"t": "1s", "service": "a", "body": "x"}, {"t": "2s", "service": "b", "body": "x"}]));
    let loaded = load(&rows, LAYOUTS[0]);
    let range = TimeRange::new(Timestamp::from_secs(0), Timestamp::from_secs(20)).unwrap();
    let selector = parse_selector("{}").unwrap();
    let limits = Limits { values: 1, ..Limits::default() };
    let error = volumes(range, None, &selector, &limits, &loaded).await.unwrap_err();
    assert!(error.to_string().starts_with("maximum number of series (1)"), "{error}");
    let limits = Limits { cells: 1, ..Limits::default() };
    let error = volumes(range, None, &selector, &limits, &loaded).await.unwrap_err();
    assert!(matches!(error, LogqlError::TooManyCells { limit: 1 }), "{error}");
}

#[tokio::test]
async fn fields_have_types_parsers_and_paths() {
    let rows = rows(json!([
        {"t": "1s", "service": "a", "level": "info", "attributes": {"size": "1"},
         "body": r#"{"client.ip":"10.0.0.1","n":1,"service_name":"x","took":"1.5ms","user":{"geo":{"city":"Z"}},"ok":true,"size":2,"list":[1]}"#},
        {"t": "2s", "service": "a", "level": "info", "body": r#"{"n":2.5,"took":"2s","bytes":"3 MiB"}"#},
        {"t": "3s", "service": "a", "level": "error", "body": r#"n=7 msg="went wrong""#},
    ]));
    let field = |label: &str, field_type, values: &[&str], parsers: Option<&[&'static str]>, path: &[&str]| {
        let field = Field {
            label: label.to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
            parsers: parsers.map(<[&str]>::to_vec),
            json_path: path.iter().map(|key| (*key).to_owned()).collect(),
        };
        (field_type, field)
    };
    const JSON: Option<&[&str]> = Some(&["json"]);
    let expected = [
        field("bytes", FieldType::Bytes, &["3 MiB"], JSON, &["bytes"]),
        field("client_ip", FieldType::String, &["10.0.0.1"], JSON, &["client.ip"]),
        field("detected_level", FieldType::String, &["error", "info"], None, &[]),
        field("msg", FieldType::String, &["went wrong"], Some(&["logfmt"]), &[]),
        field("n", FieldType::Float, &["1", "2.5", "7"], Some(&["json", "logfmt"]), &["n"]),
        field("ok", FieldType::Boolean, &["true"], JSON, &["ok"]),
        field("service_name_extracted", FieldType::String, &["x"], JSON, &["service_name"]),
        // Metadata and lines have it.
        field("size", FieldType::Int, &["1", "2"], JSON, &["size"]),
        field("took", FieldType::Duration, &["1.5ms", "2s"], JSON, &["took"]),
        field("user_geo_city", FieldType::String, &["Z"], JSON, &["user", "geo", "city"]),
    ];
    for layout in LAYOUTS {
        let loaded = load(&rows, layout);
        let params = params(0, 10, Duration::from_secs(1));
        let found = detected_fields(&logs(r#"{service_name="a"}"#), &params, &loaded).await.unwrap();
        let found: Vec<_> = found.into_iter().map(|field| (field.field_type(), field)).collect();
        assert_eq!(found, expected, "{layout:?}");
        // The query's own parser says how metadata of the same name reads.
        let found = detected_fields(&logs(r#"{service_name="a"} | json"#), &params, &loaded).await.unwrap();
        let extracted = found.iter().find(|field| field.label == "size_extracted").unwrap();
        assert_eq!((extracted.parsers.as_deref(), &extracted.json_path), (JSON, &vec!["size".to_owned()]), "{layout:?}");
    }
}

#[tokio::test]
async fn patterns_are_the_same_however_rows_are_split_and_count_every_line() {
    let line = |index: u64| match index % 3 {
        0 => format!("login of {} failed after {index}ms", ["alice", "bob", "carol"][(index / 3 % 3) as usize]),
        1 => format!("GET /cart/{index} 200"),
        _ => format!(r#"{{"n":{index},"msg":"card declined"}}"#),
    };
    let level = |index: u64| if index.is_multiple_of(3) { "error" } else { "info" };
    let rows: Vec<_> = (0..300)
        .map(|index| json!({"t": format!("{}ms", index * 100), "service": "a", "level": level(index), "body": line(index)}))
        .map(|row| row.as_object().unwrap().clone())
        .collect();
    for layout in LAYOUTS {
        let params = params(0, 100, Duration::from_secs(10));
        let found = patterns(&logs(r#"{service_name="a"}"#), &params, &load(&rows, layout)).await.unwrap();
        let shown: Vec<_> = found.iter().map(|one| (one.pattern.as_str(), one.level.as_str())).collect();
        let expected =
            [("GET <_> <_>", "info"), ("login of <_> failed after <_>", "error"), (r#"{"n":<_>,"msg":"card declined"}"#, "info")];
        assert_eq!(shown, expected, "{layout:?}");
        for pattern in &found {
            // A hundred lines in 30 s, ten times in a second and of each kind a third.
            let counts: Vec<_> = pattern.samples.iter().map(|(at, count)| (at.nanos() / 1_000_000_000, *count)).collect();
            assert_eq!(counts.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 10, 20], "{layout:?}");
            assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), 100, "{layout:?}");
        }
    }
}

#[tokio::test]
async fn lines_that_have_nothing_in_common_beyond_a_bound_count_for_the_pattern_of_anything() {
    let words = |index: usize| -> String {
        let letter = |shift: usize| char::from(b'a' + u8::try_from(index / shift % 26).unwrap());
        format!("{0}{1}{2} {2}{1}{0} {1}{0}{2}", letter(1), letter(26), letter(676))
    };
    // Each with separators of its own, so that no two of them are one.
    let line = |index: usize| {
        format!("{}{}", words(index), ",;:=|".chars().map(|c| c.to_string().repeat(index % 7)).collect::<String>())
    };
    let rows: Vec<_> = (0..6_000)
        .map(|index| json!({"t": "1s", "service": "a", "level": "info", "body": line(index)}).as_object().unwrap().clone())
        .collect();
    let params = params(0, 10, Duration::from_secs(10));
    let found = patterns(&logs(r#"{service_name="a"}"#), &params, &load(&rows, LAYOUTS[0])).await.unwrap();
    assert!(found.len() <= 300, "{}", found.len());
    assert_eq!(found.iter().flat_map(|one| one.samples.values()).sum::<u64>(), 6_000);
}
