use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use icegate_series::Label;

use crate::rows::{EXTRACTED, Names, RowLabels, is_error_label};

/// Labels of a row from which on they are looked up by hash.
const FEW: usize = 32;

/// Which labels a parser has to extract.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All that there are.
    #[default]
    All,
    /// Only these; a parser may stop once it has them.
    Only(HashSet<String>),
}

impl Wanted {
    /// Whether a parser has nothing to do: no label is asked for, nor whether the line can be parsed.
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self, Self::Only(names) if names.is_empty())
    }

    fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(name),
        }
    }

    /// Whether `found` labels are all; who asks for errors has never enough.
    fn is_met(&self, found: usize) -> bool {
        matches!(self, Self::Only(names) if found >= names.len() && !names.iter().any(|name| is_error_label(name)))
    }
}

/// Takes the labels that one parser finds in one line.
pub(crate) struct Extract<'a> {
    labels: &'a mut RowLabels,
    names: &'a mut Names,
    wanted: &'a Wanted,
    /// Labels before this one are of earlier stages.
    own: usize,
    /// Earlier stages' labels that this one has written.
    replaced: HashSet<usize>,
    /// Places of labels by name, once there are many.
    places: HashMap<Arc<str>, usize>,
    found: usize,
}

impl<'a> Extract<'a> {
    pub(crate) fn new(labels: &'a mut RowLabels, names: &'a mut Names, wanted: &'a Wanted) -> Self {
        let own = labels.parsed.len();
        Self { labels, names, wanted, own, replaced: HashSet::new(), places: HashMap::new(), found: 0 }
    }

    /// Takes a label; of equal names of one line the first is kept, and one that the row came with is left alone. Whether to go on.
    pub(crate) fn take(&mut self, name: &str, value: &str) -> bool {
        if self.labels.base(name).is_some() {
            let name = format!("{name}{EXTRACTED}");
            return self.put(&name, value);
        }
        self.put(name, value)
    }

    fn put(&mut self, name: &str, value: &str) -> bool {
        if !self.wanted.has(name) {
            return true;
        }
        let name = self.names.get(name);
        match self.place(&name) {
            None => {
                let place = self.labels.parsed.len();
                self.labels.parsed.push(Label { name: Arc::clone(&name), value: readable(value) });
                if place >= FEW {
                    self.places.insert(name, place);
                }
                self.found += 1;
            }
            Some(place) if place < self.own && self.replaced.insert(place) => {
                self.labels.parsed[place].value = readable(value);
                self.found += 1;
            }
            Some(_) => {}
        }
        !self.wanted.is_met(self.found)
    }

    fn place(&mut self, name: &Arc<str>) -> Option<usize> {
        let parsed = &self.labels.parsed;
        if parsed.len() < FEW {
            return parsed.iter().position(|label| label.name == *name);
        }
        if self.places.is_empty() {
            self.places = parsed.iter().enumerate().map(|(place, label)| (Arc::clone(&label.name), place)).collect();
        }
        self.places.get(name).copied()
    }

    pub(crate) fn fail(&mut self, error: &'static str, details: impl FnOnce() -> String) {
        self.labels.set_parse_error(error, details);
    }
}

/// A value without characters that stand for bytes that are no text.
fn readable(value: &str) -> Arc<str> {
    if value.contains('\u{FFFD}') { Arc::from(value.replace('\u{FFFD}', " ")) } else { Arc::from(value) }
}

/// Adds `key` to the name of a label: what can't stand in a name becomes `_`, as does the place before a leading digit.
pub(crate) fn push_name(name: &mut String, key: &str) {
    let key = key.trim();
    if key.starts_with(|c: char| c.is_ascii_digit()) && name.is_empty() {
        name.push('_');
    }
    name.extend(key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use icegate_series::Labels;

    fn taken(wanted: &Wanted, pairs: &[(&str, &str)]) -> (String, bool) {
        let mut labels = RowLabels::new(Labels::from_pairs([("app", "api")]));
        labels.set_parsed(&Arc::from("old"), Arc::from("1"));
        let mut names = Names::default();
        let mut extract = Extract::new(&mut labels, &mut names, wanted);
        let goes_on = pairs.iter().all(|(name, value)| extract.take(name, value));
        (labels.parsed_labels().to_string(), goes_on)
    }

    #[test]
    fn the_first_of_a_line_wins_over_others_of_it_and_over_earlier_stages() {
        let (labels, _) = taken(&Wanted::All, &[("old", "2"), ("old", "3"), ("a", "1"), ("a", "2"), ("app", "x")]);
        assert_eq!(labels, r#"{a="1", app_extracted="x", old="2"}"#);
    }

    #[test]
    fn only_wanted_labels_are_taken_and_then_it_is_enough() {
        let only = |names: &[&str]| Wanted::Only(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(taken(&only(&["b"]), &[("a", "1"), ("b", "2")]), (r#"{b="2", old="1"}"#.to_owned(), false));
        // Who asks for errors needs the whole line.
        assert!(taken(&only(&["b", "__error__"]), &[("b", "2")]).1);
    }

    #[test]
    fn many_labels_behave_as_few() {
        let names: Vec<String> = (0..100).map(|n| format!("l{}", n % 50)).collect();
        let pairs: Vec<_> =
            names.iter().zip(0..).map(|(name, n)| (name.as_str(), if n < 50 { "first" } else { "second" })).collect();
        let (labels, _) = taken(&Wanted::All, &pairs);
        assert_eq!(labels.matches("first").count(), 50);
        assert_eq!(labels.matches("second").count(), 0);
    }

    #[test]
    fn names_are_made_of_what_names_may_have() {
        for (key, name) in [("client.ip", "client_ip"), ("1digit", "_1digit"), (" a ", "a"), ("é", "_"), ("", "")] {
            let mut found = String::new();
            push_name(&mut found, key);
            assert_eq!(found, name, "{key:?}");
        }
    }
}
