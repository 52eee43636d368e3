//! A recorded line as a row of the table.

use serde_json::{Map, Value, json};

/// The row of a line with its stream labels and metadata, as ingestion makes it.
pub(super) fn row(stream: &Value, metadata: Option<&Value>, line: &str, nanos: i64) -> Map<String, Value> {
    let mut row = json!({"t": format!("{nanos}ns"), "stream": stream, "body": line});
    let fields = row.as_object_mut().unwrap();
    if let Some(service) = stream.get("service_name") {
        fields.insert("service".to_owned(), service.clone());
    }
    let mut attributes = Map::new();
    for (name, value) in metadata.and_then(Value::as_object).into_iter().flatten() {
        let column = match name.as_str() {
            "severity_text" => "severity",
            "detected_level" => "level",
            "trace_id" => "trace",
            "span_id" => "span",
            "severity_number" => {
                fields.insert("number".to_owned(), value.as_str().and_then(|text| text.parse::<i64>().ok()).into());
                continue;
            }
            _ => {
                attributes.insert(name.clone(), value.clone());
                continue;
            }
        };
        fields.insert(column.to_owned(), value.clone());
    }
    fields.insert("attributes".to_owned(), Value::Object(attributes));
    row.as_object().unwrap().clone()
}
