//! `| regexp "(?P<a>…)"`: named groups of the first place that fits.

use icegate_syntax::Span;
use regex::Regex;

use super::extract::{Extract, Wanted};
use crate::rows::{Names, RowLabels};
use crate::{LogqlError, pattern};

/// `| regexp`, ready to run.
#[derive(Debug)]
pub(crate) struct Regexp {
    regex: Regex,
    /// Groups with names.
    groups: Vec<(usize, String)>,
    pub(super) wanted: Wanted,
}

impl Regexp {
    pub(crate) fn new(expression: &str, wanted: Wanted, span: Span) -> Result<Self, LogqlError> {
        let regex = pattern::anywhere(expression, span)?;
        let named = |(index, name): (usize, Option<&str>)| name.map(|name| (index, name.to_owned()));
        let groups: Vec<_> = regex.capture_names().enumerate().filter_map(named).collect();
        if groups.is_empty() {
            return Err(LogqlError::meaning("invalid regexp parser: at least one named capture must be supplied", span));
        }
        Ok(Self { regex, groups, wanted })
    }

    pub(crate) fn parse(&self, line: &str, labels: &mut RowLabels, names: &mut Names) {
        if self.wanted.is_nothing() {
            return;
        }
        let Some(captures) = self.regex.captures(line) else { return };
        let mut extract = Extract::new(labels, names, &self.wanted);
        for (index, name) in &self.groups {
            let value = captures.get(*index).map_or("", |found| found.as_str());
            if !extract.take(name, value) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use icegate_series::Labels;

    #[test]
    fn named_groups_become_labels_and_a_line_that_does_not_fit_none() {
        let parser = Regexp::new("(?P<a>\\w+)=(\\d)(?P<b>x)?", Wanted::All, Span::default()).unwrap();
        for (line, expected) in [("no k=1 l=2x", r#"{a="k", b=""}"#), ("l=2x", r#"{a="l", b="x"}"#), ("none", "{}")] {
            let mut labels = RowLabels::new(Labels::empty());
            parser.parse(line, &mut labels, &mut Names::default());
            assert_eq!(labels.parsed_labels().to_string(), expected, "{line}");
        }
    }
}
