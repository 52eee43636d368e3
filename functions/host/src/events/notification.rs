//! What S3 says of objects: in its own format, as SQS carries it, and in EventBridge's.

use serde_json::Value;

use super::EventError;
use super::fields::text;

/// Longest notification that is read. S3 sends at most 64 KiB; a queue carries more.
pub const MAX_BYTES: usize = 256 << 10;

/// An object that S3 told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its bucket.
    pub bucket: String,
    /// Its key, decoded.
    pub key: String,
    /// Whether it was made; else something else happened to it.
    pub created: bool,
}

/// Reads the text of a message. What S3 sends to try a new configuration (`s3:TestEvent`) tells of no object.
///
/// # Errors
/// [`EventError`].
pub fn read(text: &str) -> Result<Vec<Object>, EventError> {
    if text.len() > MAX_BYTES {
        return Err(EventError::Huge { bytes: text.len(), limit: MAX_BYTES });
    }
    let message = serde_json::from_str(text).map_err(|error| EventError::Json { reason: position(&error) })?;
    objects(&message)
}

/// The same of what is parsed already.
///
/// # Errors
/// [`EventError`].
pub fn objects(message: &Value) -> Result<Vec<Object>, EventError> {
    if message.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        return Ok(Vec::new());
    }
    if message.get("detail-type").is_some() {
        return Ok(vec![of_event_bridge(message)?]);
    }
    let records = message.get("Records").and_then(Value::as_array);
    records.ok_or(EventError::Shape { field: "/Records", expected: "a list" })?.iter().map(record).collect()
}

fn record(record: &Value) -> Result<Object, EventError> {
    // S3's rule: readers compare the major version, minor ones only add fields.
    if text(record, "/eventVersion")?.split('.').next() != Some("2") {
        return Err(EventError::Version);
    }
    let name = text(record, "/eventName")?;
    let created = name.trim_start_matches("s3:").starts_with("ObjectCreated:");
    let key = decoded(text(record, "/s3/object/key")?);
    let key = key.ok_or(EventError::Shape { field: "/s3/object/key", expected: "URL-encoded UTF-8" })?;
    Ok(Object { bucket: text(record, "/s3/bucket/name")?.to_owned(), key, created })
}

/// EventBridge doesn't encode keys.
fn of_event_bridge(event: &Value) -> Result<Object, EventError> {
    if text(event, "/source")? != "aws.s3" {
        return Err(EventError::Foreign { expected: "an event of aws.s3" });
    }
    let (bucket, key) = (text(event, "/detail/bucket/name")?.to_owned(), text(event, "/detail/object/key")?.to_owned());
    Ok(Object { bucket, key, created: text(event, "/detail-type")? == "Object Created" })
}

/// `+` is a space and `%XX` a byte, as in a form.
fn decoded(key: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(key.len());
    let mut rest = key.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => (hex(rest.next()?)? << 4) | hex(rest.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Where a text stops being JSON. The parser's own words could repeat a piece of it.
fn position(error: &serde_json::Error) -> String {
    let what = if error.is_eof() { "it ends too early" } else { "syntax" };
    format!("{what} at line {} column {}", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn notification(version: &str, name: &str, key: &str) -> Value {
        json!({"Records": [{"eventVersion": version, "eventSource": "aws:s3", "eventName": name,
            "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": "b", "arn": "arn:aws:s3:::b"}, "object": {"key": key, "size": 1}}}]})
    }

    fn keys(message: &Value) -> Vec<(String, bool)> {
        read(&message.to_string()).unwrap().into_iter().map(|object| (object.key, object.created)).collect()
    }

    #[test]
    fn keys_are_decoded_as_s3_encodes_them() {
        let put = |key| keys(&notification("2.1", "ObjectCreated:Put", key));
        assert_eq!(put("wal/logs/1.!.-5.parquet"), [("wal/logs/1.!.-5.parquet".to_owned(), true)]);
        assert_eq!(put("wal/logs/1.%21.-5.parquet"), [("wal/logs/1.!.-5.parquet".to_owned(), true)]);
        assert_eq!(put("a+b%2B1/%C3%BC"), [("a b+1/ü".to_owned(), true)]);
    }

    #[test]
    fn every_minor_version_is_read_and_no_other_major_one() {
        for version in ["2.0", "2.6", "2.99"] {
            assert_eq!(keys(&notification(version, "ObjectCreated:CompleteMultipartUpload", "k")).len(), 1);
        }
        for version in ["1.0", "3.0", "20.1", "", "two"] {
            let refused = read(&notification(version, "ObjectCreated:Put", "k").to_string());
            assert_eq!(refused, Err(EventError::Version), "{version}");
        }
    }

    #[test]
    fn what_happens_to_an_object_later_is_told_from_its_making() {
        for (name, created) in [("ObjectCreated:Put", true), ("s3:ObjectCreated:Copy", true), ("ObjectRemoved:Delete", false)] {
            assert_eq!(keys(&notification("2.1", name, "k")), [("k".to_owned(), created)], "{name}");
        }
    }

    #[test]
    fn the_event_that_tries_a_configuration_tells_of_nothing() {
        let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-01-01T00:00:00.000Z", "Bucket": "b",
            "RequestId": "r", "HostId": "h"});
        assert_eq!(read(&test.to_string()), Ok(vec![]));
    }

    #[test]
    fn event_bridge_keys_are_taken_as_they_are() {
        let event = json!({"version": "0", "id": "1", "detail-type": "Object Created", "source": "aws.s3", "account": "1",
            "detail": {"version": "0", "bucket": {"name": "b"}, "object": {"key": "a+b%21", "size": 1}, "reason": "PutObject"}});
        assert_eq!(keys(&event), [("a+b%21".to_owned(), true)]);
        let foreign = json!({"detail-type": "EC2 Instance State-change Notification", "source": "aws.ec2", "detail": {}});
        assert!(matches!(read(&foreign.to_string()), Err(EventError::Foreign { .. })));
    }

    #[test]
    fn an_error_says_what_is_wrong_and_repeats_nothing() {
        let whole = notification("2.1", "ObjectCreated:Put", "secret-key").to_string();
        let shape = |message: &str| read(message).unwrap_err().to_string();
        assert_eq!(
            shape(&whole[..whole.len() - 1]),
            format!("it is not JSON: it ends too early at line 1 column {}", whole.len() - 1)
        );
        assert_eq!(shape("secret"), "it is not JSON: syntax at line 1 column 1");
        assert_eq!(shape("\"secret\""), "/Records is missing or not a list");
        assert_eq!(shape(r#"{"Records":[{"eventVersion":"2.1"}]}"#), "/eventName is missing or not text");
        assert_eq!(shape(r#"{"Records":[{"eventVersion":7}]}"#), "/eventVersion is missing or not text");
        assert_eq!(
            shape(&notification("2.1", "ObjectCreated:Put", "%zz").to_string()),
            "/s3/object/key is missing or not URL-encoded UTF-8"
        );
        assert_eq!(
            shape(&notification("2.1", "ObjectCreated:Put", "%FF").to_string()),
            "/s3/object/key is missing or not URL-encoded UTF-8"
        );
        let huge = format!("{{\"Records\":[],\"x\":\"{}\"}}", "x".repeat(MAX_BYTES));
        assert!(shape(&huge).contains("262144"), "{}", shape(&huge));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = read(&text);
        }

        #[test]
        fn no_key_panics(key in "[%0-9a-fA-F+é]*") {
            let _ = decoded(&key);
        }
    }
}
