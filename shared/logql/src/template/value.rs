use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::number;
use super::time::Moment;

/// A value of a template.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    Time(Moment),
    List(Arc<[Value]>),
    Map(Arc<BTreeMap<String, Value>>),
    /// The labels of the line.
    Labels,
}

impl Value {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(Arc::from(text))
    }

    pub(crate) fn owned(text: String) -> Self {
        Self::Text(Arc::from(text))
    }

    /// Whether `if` takes it.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Time(_) | Self::Labels => true,
        }
    }

    /// Whether `default` replaces it; a time is never empty.
    pub(crate) fn is_empty(&self) -> bool {
        !self.is_true()
    }

    /// How errors call its type.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::Time(_) => "time.Time",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
            Self::Labels => "map[string]string",
        }
    }

    /// Whether both are equal; `Err` where they can't be compared.
    pub(crate) fn equals(&self, other: &Self) -> Result<bool, String> {
        match (self, other) {
            (Self::Nil, other) | (other, Self::Nil) => Ok(matches!(other, Self::Nil)),
            (Self::Bool(a), Self::Bool(b)) => Ok(a == b),
            _ => self.compare(other).map(|order| order == Some(Ordering::Equal)),
        }
    }

    /// The order of both, none with NaN; `Err` where they have none.
    pub(crate) fn compare(&self, other: &Self) -> Result<Option<Ordering>, String> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Ok(Some(a.cmp(b))),
            (Self::Float(a), Self::Float(b)) => Ok(a.partial_cmp(b)),
            (Self::Text(a), Self::Text(b)) => Ok(Some(a.cmp(b))),
            (Self::Time(a), Self::Time(b)) => Ok(Some(a.cmp(b))),
            _ if std::mem::discriminant(self) == std::mem::discriminant(other) => Err("invalid type for comparison".to_owned()),
            _ => Err("incompatible types for comparison".to_owned()),
        }
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Nil,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(number) => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            serde_json::Value::String(text) => Self::owned(text),
            serde_json::Value::Array(list) => Self::List(list.into_iter().map(Self::from).collect()),
            serde_json::Value::Object(map) => {
                Self::Map(Arc::new(map.into_iter().map(|(key, value)| (key, Self::from(value))).collect()))
            }
        }
    }
}

/// As Go prints it with `%v`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("<nil>"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => f.write_str(&number::general(*value)),
            Self::Text(text) => f.write_str(text),
            Self::Time(moment) => f.write_str(&moment.to_string()),
            Self::List(list) => {
                f.write_str("[")?;
                for (index, one) in list.iter().enumerate() {
                    write!(f, "{}{one}", if index > 0 { " " } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Map(map) => {
                f.write_str("map[")?;
                for (index, (key, value)) in map.iter().enumerate() {
                    write!(f, "{}{key}:{value}", if index > 0 { " " } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Labels => f.write_str("map[]"),
        }
    }
}
