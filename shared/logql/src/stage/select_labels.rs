use super::MatcherTest;
use crate::LogqlError;
use crate::ast::Named;
use crate::rows::{ERROR, ERROR_DETAILS, RowLabels};

/// `drop` or `keep`.
#[derive(Clone, Debug)]
pub(crate) struct Select {
    pub(crate) keep: bool,
    pub(crate) names: Vec<Choice>,
}

#[derive(Clone, Debug)]
pub(crate) enum Choice {
    Label(String),
    Matching(MatcherTest),
}

impl Choice {
    fn fits(&self, name: &str, value: &str) -> bool {
        match self {
            Self::Label(label) => label == name,
            Self::Matching(test) => test.name == name && test.fits(value),
        }
    }
}

impl Select {
    pub(crate) fn new(names: &[Named], keep: bool) -> Result<Self, LogqlError> {
        let choice = |named: &Named| match named {
            Named::Label(label) => Ok(Choice::Label(label.clone())),
            Named::Matching(matcher) => MatcherTest::new(matcher).map(Choice::Matching),
        };
        Ok(Self { keep, names: names.iter().map(choice).collect::<Result<_, _>>()? })
    }

    /// The names that a `drop` without conditions takes away; none for all else.
    pub(crate) fn dropped(&self) -> Option<Vec<&str>> {
        let label = |choice: &'_ Choice| matches!(choice, Choice::Label(_));
        if self.keep || !self.names.iter().all(label) {
            return None;
        }
        Some(
            self.names
                .iter()
                .filter_map(|choice| if let Choice::Label(name) = choice { Some(name.as_str()) } else { None })
                .collect(),
        )
    }

    pub(crate) fn run(&self, labels: &mut RowLabels) {
        let chosen = |name: &str, value: &str| self.names.iter().any(|choice| choice.fits(name, value));
        if !self.keep {
            // Errors are dropped as labels are; `keep` never takes them.
            let details = labels.get(ERROR_DETAILS).is_some_and(|value| chosen(ERROR_DETAILS, value));
            if labels.error.is_some_and(|value| chosen(ERROR, value)) {
                labels.error = None;
            }
            if details {
                labels.error_details.clear();
            }
        }
        labels.remove(|name, value| chosen(name, value) != self.keep);
    }
}
