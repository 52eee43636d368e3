use serde_json::{Map, Value};

use super::Config;
use super::read::CONFIG_VARIABLE;
use crate::ConfigError;

const PREFIX: &str = "ICEGATE_";
const SEPARATOR: &str = "__";
/// Enums whose fields lie beside them in variables.
const ENUMS: [Enum; 2] = [
    Enum {
        section: "catalog",
        key: "backend",
        fields: &["uri", "catalog_id", "table_bucket_arn"],
        with_fields: &["rest", "glue", "s3tables"],
    },
    Enum {
        section: "storage",
        key: "backend",
        fields: &["bucket", "region", "endpoint", "root_path"],
        with_fields: &["s3", "filesystem"],
    },
];

/// An enum among the keys.
#[derive(Clone, Copy)]
struct Enum {
    section: &'static str,
    key: &'static str,
    /// Fields of all its variants.
    fields: &'static [&'static str],
    /// Variants that have fields, so that one that is named alone means all of its defaults.
    with_fields: &'static [&'static str],
}

/// A value that a variable sets.
struct Override<'a> {
    name: &'a str,
    path: Vec<String>,
    text: &'a str,
    /// Read as text although it looks like a number or a boolean: the key wants text.
    as_text: bool,
}

/// The document with the variables over it, as a configuration.
///
/// A variable's type is only known by its key: it is tried as a number or a boolean where it looks like one, and as text where the
/// key wants text.
pub(super) fn deserialize(source: &str, document: Value, variables: &[(String, String)]) -> Result<Config, ConfigError> {
    let mut overrides: Vec<Override<'_>> = variables.iter().filter_map(|(name, text)| Override::of(name, text)).collect();
    // Variables come in any order, and a field needs its variant.
    overrides.sort_by_key(|one| one.enum_field().is_some());
    loop {
        let mut merged = document.clone();
        for one in &overrides {
            one.apply(&mut merged);
        }
        ENUMS.iter().for_each(|one| one.complete(&mut merged));
        let error = match serde_path_to_error::deserialize::<_, Config>(merged) {
            Ok(config) => return Ok(config),
            Err(error) => error,
        };
        let path = error.path().to_string();
        let culprit = overrides.iter_mut().find(|one| one.sets(&path));
        match culprit {
            Some(one) if !one.as_text => one.as_text = true,
            culprit => {
                let source_name = culprit.map_or_else(|| source.to_owned(), |one| one.name.to_owned());
                return Err(ConfigError::Value { source_name, path, message: error.into_inner().to_string() });
            }
        }
    }
}

impl Enum {
    /// Gives a variant that is named alone its fields, none of them set.
    fn complete(&self, document: &mut Value) {
        let Some(value) = document.get_mut(self.section).and_then(|section| section.get_mut(self.key)) else { return };
        if let Some(variant) = value.as_str().filter(|variant| self.with_fields.contains(variant)) {
            *value = Value::Object(Map::from_iter([(variant.to_owned(), Value::Object(Map::new()))]));
        }
    }
}

impl<'a> Override<'a> {
    /// The override that a variable is. Every key lies in a section, so that a variable without a separator is somebody else's.
    fn of(name: &'a str, text: &'a str) -> Option<Self> {
        let path = name.strip_prefix(PREFIX).filter(|path| name != CONFIG_VARIABLE && path.contains(SEPARATOR))?;
        let path = path.split(SEPARATOR).map(str::to_ascii_lowercase).collect();
        Some(Self { name, path, text, as_text: false })
    }

    fn value(&self) -> Value {
        let parsed = if self.as_text { None } else { serde_json::from_str(self.text).ok() };
        match parsed {
            Some(value @ (Value::Number(_) | Value::Bool(_) | Value::Null)) => value,
            _ => Value::String(self.text.to_owned()),
        }
    }

    /// The field of an enum that this sets, if it is one.
    fn enum_field(&self) -> Option<(&'static str, &'static str)> {
        let [section, field] = self.path.as_slice() else { return None };
        let found = ENUMS.into_iter().find(|one| one.section == section && one.fields.contains(&field.as_str()))?;
        Some((found.section, found.key))
    }

    /// Whether it sets the value at `path`, where an enum's field lies below the variant's name.
    fn sets(&self, path: &str) -> bool {
        path == self.path.join(".") || self.sets_enum_field(path)
    }

    fn sets_enum_field(&self, path: &str) -> bool {
        match (self.enum_field(), self.path.last()) {
            (Some((section, key)), Some(field)) => {
                let below =
                    path.strip_prefix(section).and_then(|rest| rest.strip_prefix('.')).and_then(|rest| rest.strip_prefix(key));
                below.is_some_and(|rest| rest.rsplit('.').next() == Some(field))
            }
            _ => false,
        }
    }

    fn apply(&self, document: &mut Value) {
        let Some((section, key)) = self.enum_field() else {
            return set(document, &self.path, self.value());
        };
        let current = document.get(section).and_then(|section| section.get(key)).cloned();
        let (variant, mut fields) = match current {
            Some(Value::String(variant)) => (variant, Map::new()),
            Some(Value::Object(object)) => match object.into_iter().next() {
                Some((variant, Value::Object(fields))) => (variant, fields),
                Some((variant, _)) => (variant, Map::new()),
                None => return set(document, &self.path, self.value()),
            },
            // Without a variant the field is an unknown key, and said to be one.
            _ => return set(document, &self.path, self.value()),
        };
        fields.insert(self.path[1].clone(), self.value());
        let path = [section.to_owned(), key.to_owned()];
        set(document, &path, Value::Object(Map::from_iter([(variant, Value::Object(fields))])));
    }
}

fn set(document: &mut Value, path: &[String], value: Value) {
    let Some((key, rest)) = path.split_first() else {
        *document = value;
        return;
    };
    if !document.is_object() {
        *document = Value::Object(Map::new());
    }
    if let Value::Object(object) = document {
        set(object.entry(key.clone()).or_insert(Value::Null), rest, value);
    }
}
