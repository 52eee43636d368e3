use std::sync::Arc;

use super::expr::Touched;
use super::{Expr, Subject};
use crate::ast::{Aggregate, Field, Intrinsic, Pipeline, SpansetExpr, Stage};
use crate::{TraceqlError, Value};

/// What an answer shows of the spans that a query finds: the fields that the query touches.
///
/// A field that is compared with a value is shown where the comparison holds of it, even if the span was found otherwise. All other
/// fields are shown where the span has them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    touched: Vec<Touched>,
}

/// What one span shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ShownSpan {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) attributes: Vec<(String, Value)>,
}

impl Shown {
    pub(crate) fn new(pipeline: &Pipeline) -> Result<Self, TraceqlError> {
        let mut shown = Self::default();
        shown.pipeline(pipeline)?;
        Ok(shown)
    }

    fn pipeline(&mut self, pipeline: &Pipeline) -> Result<(), TraceqlError> {
        for stage in &pipeline.stages {
            match stage {
                Stage::Spanset(spanset) => self.spanset(spanset)?,
                Stage::Aggregate(Aggregate { field: Some(expr), .. }) | Stage::By(expr) => {
                    expr.each_field(&mut |field| self.touched.push(Touched::always(field, false)));
                }
                Stage::Select(fields) => self.touched.extend(fields.iter().map(|field| Touched::always(field, true))),
                Stage::Aggregate(_) | Stage::Coalesce => {}
            }
        }
        Ok(())
    }

    fn spanset(&mut self, spanset: &SpansetExpr) -> Result<(), TraceqlError> {
        match spanset {
            SpansetExpr::Filter(expr) => Expr::new(expr)?.touched(&mut self.touched),
            SpansetExpr::Binary(_, left, right) => {
                self.spanset(left)?;
                self.spanset(right)?;
            }
            SpansetExpr::Wrapped(pipeline) => self.pipeline(pipeline)?,
        }
        Ok(())
    }

    pub(crate) fn of(&self, subject: Subject<'_>) -> ShownSpan {
        let mut shown = ShownSpan::default();
        let mut seen: Vec<Field> = Vec::new();
        for (field, value) in self.touched.iter().flat_map(|touched| touched.values(subject)) {
            if seen.contains(&field) {
                continue;
            }
            if field.intrinsic() == Some(Intrinsic::Name) {
                shown.name = Some(Arc::clone(&subject.span.name));
            } else if let Some(key) = key(&field) {
                shown.attributes.push((key, value.shown()));
            }
            seen.push(field);
        }
        shown
    }
}

/// Attributes are shown by their bare name. What an answer says of every span or trace isn't repeated.
fn key(field: &Field) -> Option<String> {
    match field {
        Field::Attribute(attribute) => Some(attribute.name.clone()),
        Field::Intrinsic(
            Intrinsic::Duration
            | Intrinsic::Name
            | Intrinsic::SpanId
            | Intrinsic::TraceId
            | Intrinsic::RootName
            | Intrinsic::RootServiceName
            | Intrinsic::TraceDuration,
            _,
        ) => None,
        Field::Intrinsic(intrinsic, _) => Some(intrinsic.name(false).to_owned()),
    }
}
