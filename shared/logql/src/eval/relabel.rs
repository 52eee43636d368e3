use std::sync::Arc;

use icegate_series::{Labels, LabelsBuilder};
use icegate_syntax::Span;
use regex::Regex;

use crate::{LogqlError, pattern};

/// `label_replace`, ready to run.
pub(crate) struct Replace<'a> {
    target: &'a str,
    replacement: &'a str,
    source: &'a str,
    regex: Regex,
}

impl<'a> Replace<'a> {
    pub(crate) fn new(
        target: &'a str,
        replacement: &'a str,
        source: &'a str,
        regex: &str,
        span: Span,
    ) -> Result<Self, LogqlError> {
        Ok(Self { target, replacement, source, regex: pattern::whole(regex, span)? })
    }

    /// The labels with the target written, where the source fits; an empty value takes it away.
    pub(crate) fn run(&self, labels: Labels) -> Labels {
        let source = labels.get(self.source).unwrap_or_default();
        let Some(captures) = self.regex.captures(source) else { return labels };
        let mut value = String::new();
        captures.expand(self.replacement, &mut value);
        let mut builder = LabelsBuilder::default();
        for label in labels.iter() {
            builder.set(Arc::clone(&label.name), Arc::clone(&label.value));
        }
        builder.set(self.target, value);
        builder.build()
    }
}
