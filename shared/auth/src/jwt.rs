use std::sync::Arc;
use std::time::Duration;

use icegate_model::Timestamp;
use icegate_runtime::config::{ClaimMap, JwtAlgorithm, JwtAuth};
use serde_json::{Map, Value};

use crate::jwks::Jwks;
use crate::keys::Rejected;
use crate::refreshed::Refreshed;
use crate::{Grant, Refusal, Scope};

/// What of a token is believed: whose signature, for whom, and which claims mean what.
#[derive(Debug)]
pub(crate) struct Jwt {
    issuer: String,
    audience: Vec<String>,
    leeway: Duration,
    tenants: ClaimMap,
    scopes: ClaimMap,
    keys: Refreshed<Jwks>,
}

impl Jwt {
    pub(crate) fn new(config: &JwtAuth, keys: Refreshed<Jwks>) -> Self {
        Self {
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            leeway: Duration::from_secs(config.leeway_secs),
            tenants: config.tenants.clone(),
            scopes: config.scopes.clone(),
            keys,
        }
    }

    /// What a token allows now.
    pub(crate) async fn grant(&self, token: &str, now: Timestamp) -> Result<Grant, Refusal> {
        let verified = match self.keys.current().await.verify(token) {
            // Its key may be newer than the keys that are known.
            Err(Rejected::Unknown) => self.keys.newest().await.verify(token),
            verified => verified,
        };
        let claims = verified.map_err(|rejected| match rejected {
            Rejected::Unknown => Refusal::unauthenticated("the token is signed with a key that isn't known"),
            Rejected::Unusable(refusal) => refusal,
        })?;
        self.check(&claims, now)?;
        self.granted(&claims)
    }

    /// Whether the token is for us, now.
    fn check(&self, claims: &Map<String, Value>, now: Timestamp) -> Result<(), Refusal> {
        let wrong = |reason: &str| Err(Refusal::unauthenticated(reason));
        if claims.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return wrong("the token is not from auth.jwt.issuer");
        }
        let ours = |audience: &str| self.audience.iter().any(|ours| ours == audience);
        let for_us = match claims.get("aud") {
            Some(Value::String(one)) => ours(one),
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).any(ours),
            _ => false,
        };
        if !for_us {
            return wrong("the token is not for auth.jwt.audience");
        }
        let Some(expires) = claims.get("exp").and_then(seconds) else { return wrong("the token doesn't say when it expires") };
        if now >= expires + self.leeway {
            return wrong("the token has expired");
        }
        match claims.get("nbf").map(seconds) {
            Some(None) => wrong("the token doesn't say well from when on it is valid"),
            Some(Some(from)) if now + self.leeway < from => wrong("the token is not valid yet"),
            _ => Ok(()),
        }
    }

    /// What the claims mean. A token that means nothing is well known and may do nothing.
    fn granted(&self, claims: &Map<String, Value>) -> Result<Grant, Refusal> {
        let mut tenants = Vec::new();
        for name in meanings(&self.tenants, claims) {
            let tenant = name.parse().map_err(|_| Refusal::forbidden("the token names a tenant that isn't allowed"))?;
            if !tenants.contains(&tenant) {
                tenants.push(tenant);
            }
        }
        // Scopes of other services are beside ours.
        let scopes: Vec<Scope> = meanings(&self.scopes, claims).iter().filter_map(|name| name.parse().ok()).collect();
        let grant = Grant::new(tenants, scopes)
            .map_err(|error| Refusal::forbidden(format!("the token's claims grant nothing: {error}")))?;
        Ok(match claims.get("sub").and_then(Value::as_str) {
            Some(subject) => grant.held_by(subject),
            None => grant,
        })
    }
}

/// The values of a claim, each as what it stands for.
fn meanings(map: &ClaimMap, claims: &Map<String, Value>) -> Vec<String> {
    let values: Vec<&str> = match claim(&map.claim, claims) {
        // OAuth's `scope` is one text with spaces.
        Some(Value::String(text)) => text.split_ascii_whitespace().collect(),
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if map.values.is_empty() {
        return values.into_iter().map(str::to_owned).collect();
    }
    values.into_iter().filter_map(|value| map.values.get(value)).flatten().cloned().collect()
}

/// A claim by its name, or by a JSON pointer where the name begins with `/`.
fn claim<'a>(name: &str, claims: &'a Map<String, Value>) -> Option<&'a Value> {
    let Some(path) = name.strip_prefix('/') else { return claims.get(name) };
    let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let outer = claims.get(&first.replace("~1", "/").replace("~0", "~"))?;
    rest.map_or(Some(outer), |rest| outer.pointer(&format!("/{rest}")))
}

/// A `NumericDate` of RFC 7519: seconds, perhaps with a fraction.
fn seconds(value: &Value) -> Option<Timestamp> {
    if let Some(whole) = value.as_i64() {
        return Some(Timestamp::from_secs(whole));
    }
    let seconds = value.as_f64().filter(|seconds| seconds.is_finite())?;
    // Saturates, as a time beyond what can be told does.
    #[allow(clippy::cast_possible_truncation, reason = "a float saturates")]
    let nanos = (seconds * 1e9) as i64;
    Some(Timestamp::from_nanos(nanos))
}

/// What reads a document of signing keys.
pub(crate) fn reader(algorithms: &[JwtAlgorithm]) -> impl Fn(&str) -> Result<Jwks, crate::AuthError> + Send + Sync + 'static {
    let algorithms: Arc<[JwtAlgorithm]> = algorithms.into();
    move |text| Jwks::parse(text, &algorithms)
}

#[cfg(test)]
mod tests;
