//! What wakes a function that works on the WAL: messages of a queue, S3 itself, a schedule.

use serde_json::{Value, json};

use super::EventError;
use super::fields::{only, text};
use super::notification::{self, Object};

const EXPECTED: &str = "a batch of SQS, a notification of S3, a scheduled event or {}";

/// Why a function was woken.
#[derive(Debug)]
pub enum Wake {
    /// Messages of a queue. Those that fail are named in the reply ([`failures`]), so that the queue keeps them alone.
    Messages(Vec<Message>),
    /// S3 told the function without a queue between.
    Objects(Vec<Object>),
    /// It is time, or somebody asks for it.
    Schedule,
}

/// One message of a queue.
#[derive(Debug)]
pub struct Message {
    /// Names it.
    pub id: String,
    /// How often it was received, this time included, as far as the queue says.
    pub receives: Option<u32>,
    /// How long its body is.
    pub bytes: usize,
    /// The objects that it tells of.
    pub objects: Result<Vec<Object>, EventError>,
}

impl Wake {
    /// Reads an event.
    ///
    /// # Errors
    /// [`EventError`] where it is no event of these, or one whose messages can't be told apart. A message that can't be read is no
    /// error of the batch.
    pub fn read(event: &Value) -> Result<Self, EventError> {
        let foreign = || EventError::Foreign { expected: EXPECTED };
        let object = event.as_object().ok_or_else(foreign)?;
        if let Some(records) = object.get("Records") {
            let records = records.as_array().ok_or(EventError::Shape { field: "/Records", expected: "a list" })?;
            return match records.first().and_then(|record| record.get("eventSource")).and_then(Value::as_str) {
                Some("aws:sqs") => Ok(Self::Messages(records.iter().map(message).collect::<Result<_, _>>()?)),
                Some("aws:s3") => Ok(Self::Objects(notification::objects(event)?)),
                _ => Err(foreign()),
            };
        }
        match (object.get("source").and_then(Value::as_str), object.get("detail-type").and_then(Value::as_str)) {
            (Some("aws.scheduler" | "aws.events"), Some("Scheduled Event")) => Ok(Self::Schedule),
            (Some("aws.s3"), Some(_)) => Ok(Self::Objects(notification::objects(event)?)),
            (None, None) => only(object, &[], "none").map(|()| Self::Schedule),
            _ => Err(foreign()),
        }
    }
}

fn message(record: &Value) -> Result<Message, EventError> {
    let id = text(record, "/messageId").ok().filter(|id| !id.is_empty());
    let id = id.ok_or(EventError::Shape { field: "/messageId", expected: "text" })?.to_owned();
    let receives = text(record, "/attributes/ApproximateReceiveCount").ok().and_then(|count| count.parse().ok());
    let body = text(record, "/body");
    let bytes = body.as_ref().map_or(0, |body| body.len());
    Ok(Message { id, receives, bytes, objects: body.and_then(notification::read) })
}

/// The reply to a batch: the messages that the queue shall keep.
#[must_use]
pub fn failures<'a>(ids: impl IntoIterator<Item = &'a str>) -> Value {
    let items: Vec<_> = ids.into_iter().map(|id| json!({ "itemIdentifier": id })).collect();
    json!({ "batchItemFailures": items })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqs(body: &Value) -> Value {
        json!({"messageId": "m1", "receiptHandle": "h", "body": body, "attributes": {"ApproximateReceiveCount": "3"},
            "messageAttributes": {}, "md5OfBody": "", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:1:q",
            "awsRegion": "eu-west-1"})
    }

    /// As S3 writes it, with all that is there beside what we read.
    fn s3(name: &str, key: &str) -> Value {
        json!({"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1", "eventTime": "2026-01-01T00:00:00.000Z", "eventName": name,
            "userIdentity": {"principalId": "AWS:1"}, "requestParameters": {"sourceIPAddress": "192.0.2.1"},
            "responseElements": {"x-amz-request-id": "r", "x-amz-id-2": "i"},
            "s3": {"s3SchemaVersion": "1.0", "configurationId": "c",
                "bucket": {"name": "wal", "ownerIdentity": {"principalId": "1"}, "arn": "arn:aws:s3:::wal"},
                "object": {"key": key, "size": 1, "eTag": "e", "sequencer": "1"}}})
    }

    /// AWS's own types are the other reader of what both can read.
    #[test]
    fn well_formed_events_are_read_as_by_aws_lambda_events() {
        use aws_lambda_events::event::{s3::S3Event, sqs::SqsEvent};

        let two = json!({"Records": [s3("ObjectCreated:Put", "wal/logs/1.parquet"), s3("ObjectRemoved:Delete", "wal/spans/2.parquet")]});
        let one = json!({"Records": [s3("ObjectCreated:Copy", "wal/metrics/3.parquet")]});
        let event = json!({"Records": [sqs(&json!(two.to_string())), sqs(&json!(one.to_string()))]});
        let theirs: SqsEvent = serde_json::from_value(event.clone()).unwrap();
        let Wake::Messages(ours) = Wake::read(&event).unwrap() else { panic!("a batch") };
        assert_eq!((ours.len(), theirs.records.len()), (2, 2));
        for (ours, theirs) in ours.into_iter().zip(theirs.records) {
            let body = theirs.body.unwrap();
            assert_eq!((Some(ours.id), ours.bytes), (theirs.message_id, body.len()));
            let objects: S3Event = serde_json::from_str(&body).unwrap();
            let objects = objects.records.into_iter().map(|record| Object {
                bucket: record.s3.bucket.name.unwrap(),
                key: record.s3.object.key.unwrap(),
                created: record.event_name.unwrap().starts_with("ObjectCreated"),
            });
            assert_eq!(ours.objects.unwrap(), objects.collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_message_that_cannot_be_read_leaves_the_others_readable() {
        let good = sqs(&json!("{\"Event\":\"s3:TestEvent\"}"));
        let event = json!({"Records": [good, sqs(&json!("{")), sqs(&json!(7)), good]});
        let Wake::Messages(messages) = Wake::read(&event).unwrap() else { panic!("a batch") };
        let readable: Vec<_> = messages.iter().map(|message| message.objects.is_ok()).collect();
        assert_eq!(readable, [true, false, false, true]);
        assert_eq!((messages[1].id.as_str(), messages[1].receives, messages[1].bytes), ("m1", Some(3), 1));
    }

    #[test]
    fn a_message_without_a_name_fails_the_batch_because_its_failure_could_not_be_named() {
        let nameless = json!({"eventSource": "aws:sqs", "body": "{}"});
        let error = Wake::read(&json!({"Records": [nameless]})).unwrap_err();
        assert_eq!(error.to_string(), "/messageId is missing or not text");
    }

    #[test]
    fn schedules_come_as_scheduler_and_event_bridge_send_them_and_by_hand_as_an_empty_object() {
        let scheduler = json!({"version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.scheduler", "account": "1",
            "time": "2026-01-01T00:00:00Z", "region": "eu-west-1", "resources": ["arn:aws:scheduler:…"], "detail": "{}"});
        let rule = json!({"version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}});
        for event in [scheduler, rule, json!({})] {
            assert!(matches!(Wake::read(&event), Ok(Wake::Schedule)), "{event}");
        }
    }

    #[test]
    fn other_events_are_refused_by_name_of_what_is_expected() {
        for event in [json!(null), json!([1]), json!({"source": "aws.ec2", "detail-type": "x"}), json!({"Records": []})] {
            assert!(matches!(Wake::read(&event), Err(EventError::Foreign { .. })), "{event}");
        }
        assert_eq!(Wake::read(&json!({"tables": []})).unwrap_err().to_string(), "unknown field \"tables\", allowed are none");
    }

    #[test]
    fn the_reply_names_what_the_queue_shall_keep() {
        assert_eq!(failures(["a", "b"]).to_string(), r#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"b"}]}"#);
        assert_eq!(failures([]).to_string(), r#"{"batchItemFailures":[]}"#);
    }
}
