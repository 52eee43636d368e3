use std::fmt;
use std::sync::{Arc, LazyLock};

/// One label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// Its name.
    pub name: Arc<str>,
    /// Its value, not empty inside [`Labels`] unless they say so.
    pub value: Arc<str>,
}

/// A set of labels, sorted by name, each name once, without empty values. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Arc<[Label]>);

impl Labels {
    /// No labels.
    #[must_use]
    pub fn empty() -> Self {
        static EMPTY: LazyLock<Labels> = LazyLock::new(|| Labels(Arc::from([])));
        EMPTY.clone()
    }

    /// From names and values; the last of equal names wins, empty values fall out.
    #[must_use]
    pub fn from_pairs<N: Into<Arc<str>>, V: Into<Arc<str>>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut builder = LabelsBuilder::default();
        for (name, value) in pairs {
            builder.set(name, value);
        }
        builder.build()
    }

    /// The value of a label; `None` where it is missing.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.binary_search_by(|label| (*label.name).cmp(name)).ok().map(|index| &*self.0[index].value)
    }

    /// By name.
    pub fn iter(&self) -> impl Iterator<Item = &Label> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those whose name is in `names` (`keep`, and without empty values), or is not.
    #[must_use]
    pub fn filtered(&self, names: &[String], keep: bool) -> Self {
        if names.is_empty() {
            return if keep { Self::empty() } else { self.clone() };
        }
        let fits = |label: &&Label| names.iter().any(|name| **name == *label.name) == keep && !(keep && label.value.is_empty());
        Self(self.0.iter().filter(fits).cloned().collect())
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, label) in self.0.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{}={:?}", label.name, label.value)?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Gathers labels.
#[derive(Clone, Debug, Default)]
pub struct LabelsBuilder(Vec<Label>);

impl LabelsBuilder {
    /// Sets a label; an earlier one of the name goes away.
    pub fn set(&mut self, name: impl Into<Arc<str>>, value: impl Into<Arc<str>>) {
        self.0.push(Label { name: name.into(), value: value.into() });
    }

    /// The set.
    #[must_use]
    pub fn build(self) -> Labels {
        let mut kept = self.unique();
        kept.retain(|label| !label.value.is_empty());
        Labels(kept.into())
    }

    /// The set with its empty values, for labels that are shown and not computed with.
    #[must_use]
    pub fn build_with_empty(self) -> Labels {
        Labels(self.unique().into())
    }

    fn unique(mut self) -> Vec<Label> {
        // Stable, so that of equal names the last one set stays last and is kept.
        self.0.sort_by(|a, b| a.name.cmp(&b.name));
        let mut kept: Vec<Label> = Vec::with_capacity(self.0.len());
        for label in self.0 {
            match kept.last_mut() {
                Some(last) if last.name == label.name => *last = label,
                _ => kept.push(label),
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_sorted_unique_and_not_empty() {
        let labels = Labels::from_pairs([("b", "1"), ("a", "2"), ("b", "3"), ("c", "")]);
        assert_eq!(labels.to_string(), r#"{a="2", b="3"}"#);
        assert_eq!(labels.get("b"), Some("3"));
        assert_eq!(labels.get("c"), None);
        let mut builder = LabelsBuilder::default();
        builder.set("c", "");
        assert_eq!(builder.build_with_empty().to_string(), r#"{c=""}"#);
        assert_eq!(labels.filtered(&["a".to_owned()], true).to_string(), r#"{a="2"}"#);
        assert_eq!(labels.filtered(&["a".to_owned()], false).to_string(), r#"{b="3"}"#);
    }
}
