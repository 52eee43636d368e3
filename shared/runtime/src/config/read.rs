use std::path::Path;

use serde_json::{Map, Value};
use serde_yaml_ng::Value as Yaml;

use crate::ConfigError;

/// Holds a whole document, or the path of one.
pub(super) const CONFIG_VARIABLE: &str = "ICEGATE_CONFIG";

/// The document that is configured, and what to call it in errors.
pub(super) fn document(file: Option<&Path>, variables: &[(String, String)]) -> Result<(String, Value), ConfigError> {
    if let Some(path) = file {
        return from_file(path);
    }
    match variables.iter().find(|(name, _)| name == CONFIG_VARIABLE) {
        None => Ok(("configuration".to_owned(), Value::Object(Map::new()))),
        // A path has no line end, no brace and no colon followed by a space; a document of one key has one of them.
        Some((_, text)) if !text.is_empty() && !text.contains(['\n', '{']) && !text.contains(": ") => from_file(Path::new(text)),
        Some((_, text)) => Ok((CONFIG_VARIABLE.to_owned(), yaml(CONFIG_VARIABLE, text)?)),
    }
}

fn from_file(path: &Path) -> Result<(String, Value), ConfigError> {
    let source = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    let document = match path.extension().and_then(|ending| ending.to_str()) {
        Some("yaml" | "yml") => yaml(&source, &text)?,
        Some("toml") => toml(&source, &text)?,
        _ => return Err(ConfigError::Ending { path: path.to_owned() }),
    };
    Ok((source, document))
}

pub(super) fn yaml(source: &str, text: &str) -> Result<Value, ConfigError> {
    let syntax = |message: String| ConfigError::Syntax { source_name: source.to_owned(), message };
    let document: Yaml = serde_yaml_ng::from_str(text).map_err(|error| syntax(error.to_string()))?;
    match untagged(document).map_err(syntax)? {
        Value::Null => Ok(Value::Object(Map::new())),
        document @ Value::Object(_) => Ok(document),
        _ => Err(syntax("the document is no mapping".to_owned())),
    }
}

/// A document over its defaults: mappings are merged, anything else replaces what is below it.
pub(super) fn over(defaults: Value, document: Value) -> Value {
    match (defaults, document) {
        (Value::Object(mut below), Value::Object(above)) => {
            for (key, value) in above {
                let value = match below.remove(&key) {
                    Some(default) => over(default, value),
                    None => value,
                };
                below.insert(key, value);
            }
            Value::Object(below)
        }
        (_, document) => document,
    }
}

fn toml(source: &str, text: &str) -> Result<Value, ConfigError> {
    toml::from_str(text).map_err(|error| ConfigError::Syntax { source_name: source.to_owned(), message: error.to_string() })
}

/// YAML as JSON; `!tag value` becomes `{tag: value}` and `!tag` alone `"tag"`, which is how serde writes enums.
fn untagged(value: Yaml) -> Result<Value, String> {
    Ok(match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => Value::Bool(value),
        Yaml::String(value) => Value::String(value),
        Yaml::Number(value) => number(&value)?,
        Yaml::Sequence(values) => Value::Array(values.into_iter().map(untagged).collect::<Result<_, _>>()?),
        Yaml::Mapping(values) => {
            let mut object = Map::new();
            for (key, value) in values {
                let Yaml::String(key) = key else { return Err(format!("key {key:?} is no text")) };
                object.insert(key, untagged(value)?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tagged) => {
            let name = tagged.tag.to_string().trim_start_matches('!').to_owned();
            match untagged(tagged.value)? {
                Value::Null => Value::String(name),
                value => Value::Object(Map::from_iter([(name, value)])),
            }
        }
    })
}

fn number(value: &serde_yaml_ng::Number) -> Result<Value, String> {
    if let Some(value) = value.as_u64() {
        return Ok(value.into());
    }
    if let Some(value) = value.as_i64() {
        return Ok(value.into());
    }
    value
        .as_f64()
        .and_then(serde_json::Number::from_f64)
        .map(Value::Number)
        .ok_or_else(|| format!("number {value} is not finite"))
}
