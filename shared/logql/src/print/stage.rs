use std::fmt::{self, Display, Formatter};

use icegate_syntax::text::quote;
use icegate_syntax::{bytes, duration};

use super::list;
use crate::ast::{Extraction, LabelFilter, LabelFormat, LabelSource, LineFilter, LineTerm, Named, Stage, StageKind};

impl Display for Stage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            StageKind::Line(filter) => filter.fmt(f),
            StageKind::Label(filter) => write!(f, "| {filter}"),
            StageKind::Json(extractions) => parser(f, "json", extractions),
            StageKind::Logfmt { strict, keep_empty, extractions } => {
                let strict = if *strict { " --strict" } else { "" };
                let keep_empty = if *keep_empty { " --keep-empty" } else { "" };
                parser(f, &format!("logfmt{strict}{keep_empty}"), extractions)
            }
            StageKind::Regexp(regex) => write!(f, "| regexp {}", quote(regex)),
            StageKind::Pattern(pattern) => write!(f, "| pattern {}", quote(pattern)),
            StageKind::Unpack => f.write_str("| unpack"),
            StageKind::LineFormat(template) => write!(f, "| line_format {}", quote(template)),
            StageKind::LabelFormat(formats) => {
                f.write_str("| label_format ")?;
                list(f, formats)
            }
            StageKind::Decolorize => f.write_str("| decolorize"),
            StageKind::Drop(names) => {
                f.write_str("| drop ")?;
                list(f, names)
            }
            StageKind::Keep(names) => {
                f.write_str("| keep ")?;
                list(f, names)
            }
        }
    }
}

fn parser(f: &mut Formatter<'_>, name: &str, extractions: &[Extraction]) -> fmt::Result {
    write!(f, "| {name}")?;
    if !extractions.is_empty() {
        f.write_str(" ")?;
    }
    list(f, extractions)
}

impl Display for LineFilter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.op.symbol())?;
        for (index, term) in self.terms.iter().enumerate() {
            f.write_str(if index > 0 { " or " } else { " " })?;
            match term {
                LineTerm::Text(text) => f.write_str(&quote(text))?,
                LineTerm::Ip(range) => write!(f, "ip({})", quote(range))?,
            }
        }
        Ok(())
    }
}

impl Display for Extraction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.label, quote(&self.path))
    }
}

impl Display for LabelFormat {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.source {
            LabelSource::Rename(from) => write!(f, "{}={from}", self.label),
            LabelSource::Template(template) => write!(f, "{}={}", self.label, quote(template)),
        }
    }
}

impl Display for Named {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(name) => f.write_str(name),
            Self::Matching(matcher) => matcher.fmt(f),
        }
    }
}

impl Display for LabelFilter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(matcher) => matcher.fmt(f),
            Self::Number { name, op, value, .. } => write!(f, "{name} {} {value}", op.symbol()),
            Self::Duration { name, op, nanos, .. } => write!(f, "{name} {} {}", op.symbol(), duration::print(*nanos)),
            Self::Bytes { name, op, size, .. } => write!(f, "{name} {} {}", op.symbol(), bytes::print(*size)),
            Self::Ip { name, negated, pattern, .. } => {
                write!(f, "{name}{}ip({})", if *negated { "!=" } else { "=" }, quote(pattern))
            }
            Self::And(left, right) => {
                operand(f, left, matches!(**left, Self::Or(..)))?;
                f.write_str(" and ")?;
                operand(f, right, matches!(**right, Self::And(..) | Self::Or(..)))
            }
            Self::Or(left, right) => {
                operand(f, left, false)?;
                f.write_str(" or ")?;
                operand(f, right, matches!(**right, Self::Or(..)))
            }
        }
    }
}

fn operand(f: &mut Formatter<'_>, filter: &LabelFilter, brackets: bool) -> fmt::Result {
    if brackets { write!(f, "({filter})") } else { filter.fmt(f) }
}
