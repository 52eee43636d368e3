use icegate_syntax::Span;

use crate::LogqlError;
use crate::rows::RowLabels;
use crate::template::{Context, FAILED, Template};

/// `| line_format "…"`, ready to run.
#[derive(Debug)]
pub(crate) struct LineFormat {
    template: Template,
    now: i64,
}

impl LineFormat {
    pub(crate) fn new(template: &str, now: i64, span: Span) -> Result<Self, LogqlError> {
        let template =
            Template::new("line", template).map_err(|why| LogqlError::meaning(format!("invalid line template: {why}"), span))?;
        Ok(Self { template, now })
    }

    /// The new line; none where the template fails.
    pub(crate) fn run(&self, line: &str, at: i64, labels: &mut RowLabels) -> Option<String> {
        match self.template.run(Context { line, at, now: self.now, labels }) {
            Ok(line) => Some(line),
            Err(why) => {
                labels.set_error(FAILED, || why);
                None
            }
        }
    }
}
