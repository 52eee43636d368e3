//! OTLP/JSON: the protobuf messages as the OTLP specification writes them in JSON.
//!
//! Readers are liberal: lowerCamelCase and proto names, numbers as text or number, enums as number or proto name, ids as hex
//! or base64, unknown members ignored at any depth, `null` as absent, the last of several oneof members. The writer is exact.

mod logs;
mod message;
mod metrics;
mod scalar;
mod trace;
mod value;
mod write;

use serde::de::{Deserialize, DeserializeOwned};

pub(crate) use write::{any_value, double, entity_refs, key_value, text};

use crate::error::OtlpError;

/// A message read from its OTLP/JSON form.
pub(crate) struct Json<T>(pub(crate) T);

/// Reads one document, with nothing but white space after it.
///
/// The path to a mistake is found by a second reading, so that only mistakes pay for it.
pub(crate) fn read<T>(body: &[u8]) -> Result<T, OtlpError>
where
    Json<T>: DeserializeOwned,
{
    match serde_json::from_slice::<Json<T>>(body) {
        Ok(Json(message)) => Ok(message),
        Err(source) => Err(OtlpError::Json { path: path_of_mistake::<T>(body), source }),
    }
}

fn path_of_mistake<T>(body: &[u8]) -> String
where
    Json<T>: DeserializeOwned,
{
    let mut track = serde_path_to_error::Track::new();
    let mut reader = serde_json::Deserializer::from_slice(body);
    let _ = Json::<T>::deserialize(serde_path_to_error::Deserializer::new(&mut reader, &mut track));
    track.path().to_string()
}
