use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::HostError;

/// Names with a value each.
type Single = BTreeMap<String, String>;
/// Names with their values, in order.
type Multiple = BTreeMap<String, Vec<String>>;

/// A request as AWS writes it: of an HTTP API or a function URL (payload 2.0), or of a REST API (payload 1.0). What isn't needed is
/// left out; each member is there in one of the two, or empty in both.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Event {
    raw_path: Option<String>,
    raw_query_string: Option<String>,
    path: Option<String>,
    http_method: Option<String>,
    pub(super) headers: Option<Single>,
    pub(super) multi_value_headers: Option<Multiple>,
    pub(super) query_string_parameters: Option<Single>,
    pub(super) multi_value_query_string_parameters: Option<Multiple>,
    pub(super) body: Option<String>,
    pub(super) is_base64_encoded: Option<bool>,
    request_context: Context,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Context {
    stage: Option<String>,
    request_id: Option<String>,
    domain_name: Option<String>,
    http: Option<Http>,
    authorizer: Option<Map<String, Value>>,
    identity: Option<Identity>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Identity {
    user_arn: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Http {
    method: String,
}

/// How an event is written, and so its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    /// 1.0: REST APIs.
    One,
    /// 2.0: HTTP APIs and function URLs.
    Two,
}

impl Event {
    pub(crate) const fn payload(&self) -> Payload {
        if self.request_context.http.is_some() { Payload::Two } else { Payload::One }
    }

    pub(crate) fn method(&self) -> Result<&str, HostError> {
        let method = match &self.request_context.http {
            Some(http) => Some(&http.method),
            None => self.http_method.as_ref(),
        };
        method.map(String::as_str).ok_or(HostError::NoRequest { missing: "the method" })
    }

    /// The path without the stage, which only payload 2.0 puts before it.
    pub(crate) fn path(&self) -> Result<&str, HostError> {
        let missing = HostError::NoRequest { missing: "the path" };
        if self.payload() == Payload::One {
            return self.path.as_deref().ok_or(missing);
        }
        let path = self.raw_path.as_deref().ok_or(missing)?;
        Ok(match self.request_context.stage.as_deref() {
            Some(stage) if stage != "$default" => without_prefix(path, stage),
            _ => path,
        })
    }

    /// The query string: as it was sent, or put together again from its decoded parameters.
    pub(crate) fn query(&self) -> String {
        if let Some(query) = &self.raw_query_string {
            return query.clone();
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        match (&self.multi_value_query_string_parameters, &self.query_string_parameters) {
            (Some(parameters), _) => {
                for (name, values) in parameters {
                    values.iter().for_each(|value| {
                        query.append_pair(name, value);
                    });
                }
            }
            (None, Some(parameters)) => {
                query.extend_pairs(parameters);
            }
            (None, None) => {}
        }
        query.finish()
    }

    /// The gateway's id of the request.
    pub(crate) fn gateway_request(&self) -> Option<&str> {
        self.request_context.request_id.as_deref()
    }

    /// Whether no gateway stands before the function that stops waiting by itself.
    pub(crate) fn is_of_function_url(&self) -> bool {
        self.request_context.domain_name.as_deref().is_some_and(|domain| domain.contains(".lambda-url."))
    }

    /// The ARN of whom AWS's own authorization has found to be asking.
    pub(crate) fn caller(&self) -> Option<&str> {
        match self.payload() {
            Payload::One => self.request_context.identity.as_ref()?.user_arn.as_deref(),
            Payload::Two => self.request_context.authorizer.as_ref()?.get("iam")?.get("userArn")?.as_str(),
        }
    }

    /// A text in the context that the gateway's authorizer gave. A client has no way into it.
    pub(crate) fn authorized(&self, name: &str) -> Option<&str> {
        let authorizer = self.request_context.authorizer.as_ref()?;
        match self.payload() {
            Payload::One => authorizer.get(name)?.as_str(),
            Payload::Two => authorizer.get("lambda")?.get(name)?.as_str(),
        }
    }
}

/// The path without a stage's name before it, where it has it.
fn without_prefix<'a>(path: &'a str, stage: &str) -> &'a str {
    match path.strip_prefix('/').and_then(|path| path.strip_prefix(stage)) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}
