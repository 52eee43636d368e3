use super::aggregate::aggregate;
use super::expr::compare;
use super::spanset::Spansets;
use super::{Expr, Spanset, Subject};
use crate::ast::{self, AggregateOp, BinaryOp};
use crate::{Trace, TraceqlError, Value};

/// A pipeline ready to run.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    stages: Vec<Stage>,
}

#[derive(Clone, Debug)]
enum Stage {
    Spanset(Spansets),
    Aggregate {
        op: AggregateOp,
        field: Option<Expr>,
        comparison: BinaryOp,
        value: Value,
        name: String,
    },
    By(Expr, String),
    Coalesce,
    /// Adds to what is shown and changes no spanset.
    Select,
}

impl Pipeline {
    pub(crate) fn new(pipeline: &ast::Pipeline) -> Result<Self, TraceqlError> {
        Ok(Self { stages: pipeline.stages.iter().map(Stage::new).collect::<Result<_, _>>()? })
    }

    /// The spansets that are left of a whole trace; none of them is empty.
    pub(crate) fn run(&self, trace: &Trace) -> Result<Vec<Spanset>, TraceqlError> {
        self.run_from(trace, Spanset { spans: (0..trace.spans().len()).collect(), attributes: Vec::new() })
    }

    pub(crate) fn run_from(&self, trace: &Trace, spanset: Spanset) -> Result<Vec<Spanset>, TraceqlError> {
        let mut spansets = vec![spanset];
        for stage in &self.stages {
            spansets = stage.run(trace, spansets)?;
            spansets.retain(|spanset| !spanset.spans.is_empty());
            if spansets.is_empty() {
                break;
            }
        }
        Ok(spansets)
    }

    /// Whether a span is kept; `None` where that depends on what else is in its trace.
    pub(crate) fn keeps(&self, subject: Subject<'_>) -> Result<Option<bool>, TraceqlError> {
        for stage in &self.stages {
            let kept = match stage {
                Stage::Select => Some(true),
                Stage::Spanset(spansets) => spansets.keeps(subject)?,
                _ => None,
            };
            if kept != Some(true) {
                return Ok(kept);
            }
        }
        Ok(Some(true))
    }
}

impl Stage {
    fn new(stage: &ast::Stage) -> Result<Self, TraceqlError> {
        Ok(match stage {
            ast::Stage::Spanset(spanset) => Self::Spanset(Spansets::new(spanset)?),
            ast::Stage::Aggregate(aggregate) => Self::Aggregate {
                op: aggregate.op,
                field: aggregate.field.as_ref().map(Expr::new).transpose()?,
                comparison: aggregate.comparison.operator(),
                value: aggregate.value.clone(),
                name: aggregate.call(),
            },
            ast::Stage::By(expr) => Self::By(Expr::new(expr)?, format!("by({expr})")),
            ast::Stage::Coalesce => Self::Coalesce,
            ast::Stage::Select(_) => Self::Select,
        })
    }

    fn run(&self, trace: &Trace, spansets: Vec<Spanset>) -> Result<Vec<Spanset>, TraceqlError> {
        match self {
            Self::Select => Ok(spansets),
            Self::Spanset(expr) => {
                let each = spansets.into_iter().map(|spanset| expr.run(trace, spanset));
                Ok(each.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
            }
            Self::Aggregate { op, field, comparison, value, name } => {
                let mut kept = Vec::new();
                for mut spanset in spansets {
                    let found = aggregate(*op, field.as_ref(), trace, &spanset.spans)?;
                    if compare(*comparison, &found, value) {
                        spanset.attributes.push((name.clone(), found));
                        kept.push(spanset);
                    }
                }
                Ok(kept)
            }
            Self::By(expr, name) => {
                let each = spansets.into_iter().map(|spanset| split(expr, name, trace, spanset));
                Ok(each.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
            }
            Self::Coalesce => {
                let mut spans: Vec<usize> = spansets.into_iter().flat_map(|spanset| spanset.spans).collect();
                spans.sort_unstable();
                spans.dedup();
                Ok(vec![Spanset { spans, attributes: Vec::new() }])
            }
        }
    }
}

/// One spanset for each value, in the order in which values come first.
fn split(expr: &Expr, name: &str, trace: &Trace, spanset: Spanset) -> Result<Vec<Spanset>, TraceqlError> {
    let mut groups: Vec<(Value, Vec<usize>)> = Vec::new();
    let mut places: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    for index in spanset.spans {
        let Some(subject) = Subject::of(trace, index) else { continue };
        let value = expr.value(subject)?;
        let place = *places.entry(format!("{} {value}", value.type_name())).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, spans)) => spans.push(index),
            None => groups.push((value.into_owned(), vec![index])),
        }
    }
    let group = |(value, spans)| {
        let mut attributes = spanset.attributes.clone();
        attributes.push((name.to_owned(), value));
        Spanset { spans, attributes }
    };
    Ok(groups.into_iter().map(group).collect())
}
