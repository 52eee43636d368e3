//! Documents that people write: YAML or JSON, read strictly, and errors that say where and never what a secret was.

use std::collections::BTreeSet;
use std::fmt::Display;

use chrono::DateTime;
use icegate_model::{TenantId, Timestamp};
use serde::de::{DeserializeOwned, Error, IgnoredAny};
use serde::{Deserialize, Deserializer};

use crate::{AuthError, Scope};

/// Bytes of the largest document.
const MAX_BYTES: usize = 4 << 20;

/// Reads a document; an unknown field is an error.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, AuthError> {
    if text.len() > MAX_BYTES {
        return Err(AuthError::TooLarge { given: text.len(), max: MAX_BYTES });
    }
    // JSON is read as such where it is: its white space isn't always YAML's.
    if serde_json::from_str::<IgnoredAny>(text).is_ok() {
        return located(serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text)));
    }
    located(serde_path_to_error::deserialize(serde_yaml_ng::Deserializer::from_str(text)))
}

fn located<T, E: Display>(read: Result<T, serde_path_to_error::Error<E>>) -> Result<T, AuthError> {
    read.map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { "document".to_owned() } else { path };
        AuthError::document(path, error.into_inner().to_string())
    })
}

/// Tenants of an entry, none of them twice.
pub(crate) fn tenants<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<TenantId>, D::Error> {
    distinct("tenant", Vec::<String>::deserialize(deserializer)?, |text| text.parse().map_err(D::Error::custom))
}

/// Scopes of an entry, none of them twice.
pub(crate) fn scopes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Scope>, D::Error> {
    distinct("scope", Vec::<String>::deserialize(deserializer)?, |text| text.parse().map_err(D::Error::custom))
}

fn distinct<T: Clone + Ord, E: Error>(what: &str, texts: Vec<String>, read: impl Fn(&str) -> Result<T, E>) -> Result<Vec<T>, E> {
    let (mut seen, mut values) = (BTreeSet::new(), Vec::new());
    for text in texts {
        let value = read(&text)?;
        if !seen.insert(value.clone()) {
            return Err(E::custom(format_args!("{what} {text} is named twice")));
        }
        values.push(value);
    }
    Ok(values)
}

/// A moment in RFC 3339.
pub(crate) fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let wrong = || D::Error::custom(format_args!("{text:?} is no moment in RFC 3339, such as 2027-01-31T00:00:00Z"));
    timestamp(&text).ok_or_else(wrong).map(Some)
}

/// A moment in RFC 3339 as a timestamp.
pub(crate) fn timestamp(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc3339(text).ok()?.timestamp_nanos_opt().map(Timestamp::from_nanos)
}
