use std::collections::HashSet;

use icegate_syntax::Span;

use crate::ast::{LabelFilter, LabelFormat, Stage, StageKind};
use crate::rows::is_error_label;
use crate::stage::LabelTest;
use crate::{LogqlError, stage};

/// Stages compile and write no label that they may not write.
pub(super) fn stages(stages: &[Stage]) -> Result<(), LogqlError> {
    for one in stages {
        if let StageKind::LabelFormat(formats) = &one.kind {
            label_format(formats, one.place.0)?;
        }
    }
    stage::check(stages)
}

pub(super) fn label_filter(filter: &LabelFilter) -> Result<(), LogqlError> {
    LabelTest::new(filter).map(|_| ())
}

fn label_format(formats: &[LabelFormat], span: Span) -> Result<(), LogqlError> {
    let mut seen = HashSet::new();
    for format in formats {
        if is_error_label(&format.label) {
            return Err(LogqlError::meaning(format!("{} cannot be formatted", format.label), span));
        }
        if !seen.insert(&format.label) {
            return Err(LogqlError::meaning(
                format!("multiple label name '{}' not allowed in a single format operation", format.label),
                span,
            ));
        }
    }
    Ok(())
}
