//! What S3 and SQS do between a segment and the function, for tests that drive the handler.

use std::collections::VecDeque;

use serde_json::{Value, json};

/// Times that a queue hands a message out before it parks it.
pub(crate) const MAX_RECEIVES: u32 = 5;

/// A notification of S3 of these keys, encoded as S3 encodes them.
pub(crate) fn notification(keys: &[String]) -> String {
    let record = |key: &String| {
        json!({
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1", "eventTime": "2026-01-01T00:00:00.000Z",
            "eventName": "ObjectCreated:Put", "userIdentity": {"principalId": "AWS:x"},
            "requestParameters": {"sourceIPAddress": "10.0.0.1"},
            "responseElements": {"x-amz-request-id": "x", "x-amz-id-2": "y"},
            "s3": {
                "s3SchemaVersion": "1.0", "configurationId": "wal",
                "bucket": {"name": "lake", "ownerIdentity": {"principalId": "x"}, "arn": "arn:aws:s3:::lake"},
                "object": {"key": key.replace('!', "%21"), "size": 1024, "eTag": "e", "sequencer": "0055AED6DCD90281E5"},
            },
        })
    };
    json!({ "Records": keys.iter().map(record).collect::<Vec<_>>() }).to_string()
}

/// A message that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) id: String,
    pub(crate) body: Value,
    pub(crate) receives: u32,
}

/// A queue with its dead letters.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) waiting: VecDeque<Waiting>,
    pub(crate) dead: Vec<Waiting>,
    /// Messages that a function has.
    pub(crate) taken: usize,
    sent: u64,
}

impl Queue {
    pub(crate) fn send(&mut self, body: impl Into<Value>) -> String {
        self.sent += 1;
        let id = format!("message-{}", self.sent);
        self.waiting.push_back(Waiting { id: id.clone(), body: body.into(), receives: 0 });
        id
    }

    /// Hands some messages out.
    pub(crate) fn receive(&mut self, most: usize) -> Vec<Waiting> {
        let mut batch: Vec<_> = self.waiting.drain(..most.min(self.waiting.len())).collect();
        batch.iter_mut().for_each(|message| message.receives += 1);
        self.taken += batch.len();
        batch
    }

    /// Takes back what the function names, and parks what was handed out too often.
    pub(crate) fn settle(&mut self, batch: Vec<Waiting>, reply: &Value) {
        self.taken -= batch.len();
        let failed: Vec<_> = failed(reply);
        for message in batch.into_iter().filter(|message| failed.contains(&message.id)) {
            if message.receives >= MAX_RECEIVES { self.dead.push(message) } else { self.waiting.push_back(message) }
        }
    }
}

/// The event of a batch.
pub(crate) fn event(batch: &[Waiting]) -> Value {
    let record = |message: &Waiting| {
        json!({
            "messageId": message.id, "receiptHandle": "handle", "body": message.body,
            "attributes": {"ApproximateReceiveCount": message.receives.to_string(), "SentTimestamp": "1767225600000",
                "SenderId": "x", "ApproximateFirstReceiveTimestamp": "1767225600001"},
            "messageAttributes": {}, "md5OfBody": "x", "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:wal", "awsRegion": "eu-west-1",
        })
    };
    json!({ "Records": batch.iter().map(record).collect::<Vec<_>>() })
}

/// The messages that a reply names.
pub(crate) fn failed(reply: &Value) -> Vec<String> {
    let items = reply["batchItemFailures"].as_array().expect("the reply to a batch");
    items.iter().map(|item| item["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}
