use serde_json::{Map, Value};

use super::EventError;

/// Most characters of a field's name that an error repeats.
const NAMED: usize = 64;

/// A text field of an object.
pub(super) fn text<'a>(object: &'a Value, pointer: &'static str) -> Result<&'a str, EventError> {
    let found = object.pointer(pointer).and_then(Value::as_str);
    found.ok_or(EventError::Shape { field: pointer, expected: "text" })
}

/// Refuses the first field that is not among those known.
///
/// # Errors
/// [`EventError::Unknown`], which names it and what is allowed.
pub fn only(object: &Map<String, Value>, known: &[&str], allowed: &'static str) -> Result<(), EventError> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(name) => Err(EventError::Unknown { name: name.chars().take(NAMED).collect(), allowed }),
    }
}
