//! Asked by API Gateway before a request of a new key: which tenants and scopes has it?
//!
//! Row 7, an adapter over `icegate_auth`. Answers the three forms in which a gateway asks:
//!
//! | asked by | event | answer | who isn't let in |
//! |---|---|---|---|
//! | HTTP API | payload 2.0 | simple: `{"isAuthorized":…,"context":…}` | `isAuthorized: false`, 403; without `Authorization` the gateway says 401 by itself |
//! | HTTP API, REST API | payload 1.0, `REQUEST` | a policy | the error `Unauthorized`, 401 |
//! | REST API | `TOKEN` | a policy | the error `Unauthorized`, 401 |
//!
//! - **TENANT-1** the context holds all that the key may do ([`Grant::to_context`]) and no decision about this request: the gateway keeps
//!   it for all requests with the same `Authorization`. A policy therefore allows every method of the API, too.
//! - The key is neither logged nor repeated.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use icegate_auth::{Authenticator, Grant, Metrics, Refusal};
use icegate_function_host::events::{EventError, Handler, HandlerError, Invocation};
use icegate_function_host::outside;
use icegate_model::{Clock, SystemClock};
use icegate_runtime::Config;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};

const EXPECTED: &str = "an event of API Gateway's authorizers";

/// Why a gateway of payload 1.0 is to answer 401: it reads the text.
#[derive(Debug, thiserror::Error)]
#[error("Unauthorized")]
pub struct Unauthorized;

/// Looks at credentials.
#[derive(Debug)]
pub struct Authorizer {
    authenticator: Authenticator,
}

/// In which form a gateway asks.
#[derive(Clone, Copy, Debug)]
enum Asked<'a> {
    /// Payload 2.0.
    Simple,
    /// Payload 1.0: for a method of this ARN.
    Policy(&'a str),
}

impl Authorizer {
    /// Reads the keys that the configuration names.
    ///
    /// # Errors
    /// Where they can't be read, or `auth.mode` is neither `api_keys` nor `jwt`.
    pub async fn open(config: Config, registry: &mut Registry) -> Result<Self, HandlerError> {
        Self::open_at(&config, Arc::new(SystemClock), registry).await
    }

    /// The same with the host's own clock.
    ///
    /// # Errors
    /// As [`Authorizer::open`].
    pub async fn open_at(config: &Config, clock: Arc<dyn Clock>, registry: &mut Registry) -> Result<Self, HandlerError> {
        let authenticator = Authenticator::open(&config.auth, &outside, clock, Metrics::register(registry)).await?;
        Ok(Self { authenticator })
    }

    async fn grant(&self, event: &Value) -> Result<Grant, Refusal> {
        self.authenticator.authenticate(&credentials(event)).await
    }
}

impl Handler for Authorizer {
    async fn handle(&self, event: Value, invocation: &Invocation) -> Result<Value, HandlerError> {
        let asked = asked(&event)?;
        let granted = self.grant(&event).await;
        let request_id = &invocation.request_id;
        match &granted {
            Ok(grant) => tracing::info!(request_id, key_id = grant.key_id(), "authorized"),
            Err(refusal) => tracing::warn!(request_id, error = %refusal, "refused"),
        }
        match (asked, granted) {
            (Asked::Simple, Ok(grant)) => Ok(json!({ "isAuthorized": true, "context": grant.to_context() })),
            (Asked::Simple, Err(_)) => Ok(json!({ "isAuthorized": false })),
            (Asked::Policy(method), Ok(grant)) => Ok(policy(method, &grant)),
            (Asked::Policy(_), Err(_)) => Err(Unauthorized.into()),
        }
    }
}

fn asked(event: &Value) -> Result<Asked<'_>, EventError> {
    if event["version"] == "2.0" && event["routeArn"].is_string() {
        return Ok(Asked::Simple);
    }
    let method = event["methodArn"].as_str().or_else(|| event["routeArn"].as_str());
    method.map(Asked::Policy).ok_or(EventError::Foreign { expected: EXPECTED })
}

/// Every `Authorization` of the request: of several, none is believed.
fn credentials(event: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut add = |value: &Value| {
        if let Some(value) = value.as_str().and_then(|text| HeaderValue::from_str(text).ok()) {
            headers.append(AUTHORIZATION, value);
        }
    };
    add(&event["authorizationToken"]);
    let named = |member: &str| {
        let members = event[member].as_object().into_iter().flatten();
        members.filter(|(name, _)| name.eq_ignore_ascii_case(AUTHORIZATION.as_str())).map(|(_, value)| value).collect::<Vec<_>>()
    };
    let several = named("multiValueHeaders");
    if several.is_empty() {
        named("headers").into_iter().for_each(&mut add);
    } else {
        several.into_iter().filter_map(Value::as_array).flatten().for_each(&mut add);
    }
    headers
}

/// Allows every method of the API: the gateway keeps it for all of them, and the functions decide by the context.
fn policy(method: &str, grant: &Grant) -> Value {
    // arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH
    let resource = method.splitn(3, '/').take(2).collect::<Vec<_>>().join("/") + "/*";
    json!({
        "principalId": grant.key_id().unwrap_or("caller"),
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{ "Action": "execute-api:Invoke", "Effect": "Allow", "Resource": resource }],
        },
        "context": grant.to_context(),
    })
}
