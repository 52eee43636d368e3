use icegate_syntax::Span;

use crate::LogqlError;
use crate::ast::{LabelFormat, LabelSource};
use crate::rows::{Names, RowLabels};
use crate::template::{Context, FAILED, Template};

/// `| label_format a=b, c="…"`, ready to run.
#[derive(Debug)]
pub(crate) struct LabelFormats {
    formats: Vec<(String, Source)>,
    now: i64,
}

#[derive(Debug)]
enum Source {
    Rename(String),
    Template(Template),
}

impl LabelFormats {
    pub(crate) fn new(formats: &[LabelFormat], now: i64, span: Span) -> Result<Self, LogqlError> {
        let source = |format: &LabelFormat| {
            let source =
                match &format.source {
                    LabelSource::Rename(from) => Source::Rename(from.clone()),
                    LabelSource::Template(text) => Source::Template(Template::new("label", text).map_err(|why| {
                        LogqlError::meaning(format!("invalid template for label '{}': {why}", format.label), span)
                    })?),
                };
            Ok((format.label.clone(), source))
        };
        Ok(Self { formats: formats.iter().map(source).collect::<Result<_, LogqlError>>()?, now })
    }

    /// In order, so that each sees what the ones before it made.
    pub(crate) fn run(&self, line: &str, at: i64, labels: &mut RowLabels, names: &mut Names) {
        for (name, source) in &self.formats {
            match source {
                Source::Rename(from) => {
                    let Some(value) = labels.get(from).map(str::to_owned) else { continue };
                    labels.remove(|other, _| other == from);
                    labels.set(&names.get(name), &value);
                }
                Source::Template(template) => match template.run(Context { line, at, now: self.now, labels }) {
                    Ok(value) => labels.set(&names.get(name), &value),
                    Err(why) => labels.set_error(FAILED, || why),
                },
            }
        }
    }
}
