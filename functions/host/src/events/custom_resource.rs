//! CloudFormation's custom resources: a deployment invokes the function and waits for the answer at a URL.
//!
//! The resource's properties are not read: they are there to change, which is what makes CloudFormation ask again.

use std::fmt;
use std::time::Duration;

use icegate_model::ErrorKind;
use reqwest::Url;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout_at};

use super::EventError;
use super::fields::text;

/// CloudFormation reads no longer answers; a reason is cut so that everything else fits.
const MAX_REASON: usize = 1024;
/// Attempts at the answer: without one the deployment waits for an hour.
const ATTEMPTS: u32 = 4;
/// The first pause between them; it doubles.
const PAUSE: Duration = Duration::from_millis(250);
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(5);

/// What happens to the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new in the stack.
    Create,
    /// Its properties changed.
    Update,
    /// It left the stack, or its creation is rolled back.
    Delete,
}

/// A request that waits for its answer.
pub struct Request {
    /// What happens; an error has to be answered, too.
    pub change: Result<Change, EventError>,
    /// The name that the resource had before.
    pub physical_id: Option<String>,
    /// The template's name.
    pub logical_id: String,
    stack_id: String,
    request_id: String,
    /// Whoever has it can answer: never logged.
    response_url: Url,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("change", &self.change).field("logical_id", &self.logical_id).finish_non_exhaustive()
    }
}

/// Why a deployment doesn't get its answer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// There is no client for it.
    #[error("no HTTP client: {reason}")]
    Client {
        /// Why.
        reason: String,
    },
    /// The server doesn't take it.
    #[error("CloudFormation does not take the answer: {reason}")]
    Refused {
        /// Its status, or what kept it from answering.
        reason: String,
    },
}

impl AnswerError {
    /// What the caller has to do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Client { .. } => ErrorKind::Internal,
            Self::Refused { .. } => ErrorKind::Unavailable,
        }
    }
}

impl Request {
    /// Reads an event; `None` where it is no request of CloudFormation.
    ///
    /// # Errors
    /// [`EventError`] where it is one that can't be answered.
    pub fn read(event: &Value) -> Result<Option<Self>, EventError> {
        if event.get("ResponseURL").is_none() {
            return Ok(None);
        }
        let response_url = Url::parse(text(event, "/ResponseURL")?).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
        let change = match text(event, "/RequestType") {
            Ok("Create") => Ok(Change::Create),
            Ok("Update") => Ok(Change::Update),
            Ok("Delete") => Ok(Change::Delete),
            _ => Err(EventError::Shape { field: "/RequestType", expected: "Create, Update or Delete" }),
        };
        Ok(Some(Self {
            change,
            physical_id: text(event, "/PhysicalResourceId").ok().map(str::to_owned),
            logical_id: text(event, "/LogicalResourceId")?.to_owned(),
            stack_id: text(event, "/StackId")?.to_owned(),
            request_id: text(event, "/RequestId")?.to_owned(),
            response_url: response_url.ok_or(EventError::Shape { field: "/ResponseURL", expected: "an HTTP URL" })?,
        }))
    }

    /// Answers, by `until`: the resource's name and attributes, or why it failed.
    ///
    /// # Errors
    /// [`AnswerError`] where no attempt was taken.
    pub async fn answer(&self, physical_id: &str, outcome: Result<Value, String>, until: Instant) -> Result<(), AnswerError> {
        let body = self.body(physical_id, outcome).to_string();
        let client = reqwest::Client::builder().build().map_err(|error| AnswerError::Client { reason: error.to_string() })?;
        let mut refused = AnswerError::Refused { reason: "no time was left".to_owned() };
        for attempt in 0..ATTEMPTS {
            // The URL is signed for a request without a content type.
            let put = client.put(self.response_url.clone()).body(body.clone()).send();
            let by = until.min(Instant::now() + ATTEMPT);
            let reason = match timeout_at(by, put).await {
                Ok(Ok(answer)) if answer.status().is_success() => return Ok(()),
                Ok(Ok(answer)) => format!("status {}", answer.status().as_u16()),
                Ok(Err(error)) => error.without_url().to_string(),
                Err(_) => "it is silent".to_owned(),
            };
            tracing::warn!(attempt, reason, "the answer to CloudFormation is not taken yet");
            refused = AnswerError::Refused { reason };
            let pause = PAUSE * 2_u32.pow(attempt);
            if Instant::now() + pause >= until {
                break;
            }
            sleep(pause).await;
        }
        Err(refused)
    }

    fn body(&self, physical_id: &str, outcome: Result<Value, String>) -> Value {
        let (status, reason, data) = match outcome {
            Ok(data) => ("SUCCESS", String::new(), data),
            Err(reason) => ("FAILED", cut(&reason), json!({})),
        };
        json!({
            "Status": status, "Reason": reason, "PhysicalResourceId": physical_id, "StackId": self.stack_id,
            "RequestId": self.request_id, "LogicalResourceId": self.logical_id, "NoEcho": false, "Data": data,
        })
    }
}

fn cut(reason: &str) -> String {
    let mut end = MAX_REASON.min(reason.len());
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str) -> Value {
        json!({"RequestType": kind, "ServiceToken": "arn:aws:lambda:…", "ResponseURL": "https://example.invalid/?sig=secret",
            "StackId": "stack", "RequestId": "request", "LogicalResourceId": "Tables", "ResourceType": "Custom::Tables",
            "ResourceProperties": {"ServiceToken": "arn:aws:lambda:…"}})
    }

    #[test]
    fn an_answer_has_the_names_of_its_request() {
        let request = Request::read(&event("Create")).unwrap().unwrap();
        assert_eq!(request.change, Ok(Change::Create));
        let body = request.body("id", Err("é".repeat(MAX_REASON)));
        assert_eq!(body["Status"], "FAILED");
        assert_eq!(body["Reason"].as_str().unwrap().len(), MAX_REASON);
        for (field, value) in
            [("StackId", "stack"), ("RequestId", "request"), ("LogicalResourceId", "Tables"), ("PhysicalResourceId", "id")]
        {
            assert_eq!(body[field], value, "{field}");
        }
        assert!(body.to_string().len() <= 4096);
    }

    #[test]
    fn what_is_no_request_of_cloudformation_is_told_apart_and_what_is_can_be_answered() {
        assert!(Request::read(&json!({"action": "create"})).unwrap().is_none());
        assert!(Request::read(&event("Replace")).unwrap().unwrap().change.is_err());
        let mut nameless = event("Create");
        nameless["StackId"] = Value::Null;
        assert_eq!(Request::read(&nameless).unwrap_err().to_string(), "/StackId is missing or not text");
    }

    #[test]
    fn the_url_does_not_print() {
        let request = Request::read(&event("Delete")).unwrap().unwrap();
        assert!(!format!("{request:?}").contains("secret"));
    }
}
