use std::sync::Arc;

use crate::Value;

/// Attributes of one scope, each key once, in the order in which they were set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(Vec<(Arc<str>, Value)>);

impl Attributes {
    /// Sets an attribute; an earlier one with the key goes away. [`Value::Nil`] stands for what TraceQL can't see: bytes, maps, arrays of
    /// mixed types. Of it only the key is known.
    pub fn set(&mut self, key: impl Into<Arc<str>>, value: Value) {
        let key = key.into();
        self.0.retain(|(known, _)| *known != key);
        self.0.push((key, value));
    }

    /// The value of an attribute.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| **known == *key).map(|(_, value)| value).filter(|value| !value.is_nil())
    }

    /// All whose value can be seen.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Value)> {
        self.0.iter().map(|(key, value)| (key, value)).filter(|(_, value)| !value.is_nil())
    }

    /// The keys of all.
    pub fn keys(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.iter().map(|(key, _)| key)
    }
}

impl<K: Into<Arc<str>>> FromIterator<(K, Value)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(pairs: I) -> Self {
        let mut attributes = Self::default();
        for (key, value) in pairs {
            attributes.set(key, value);
        }
        attributes
    }
}
