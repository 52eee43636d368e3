use super::Parser;
use crate::LogqlError;
use crate::ast::{Extraction, LabelFormat, LabelSource, LineFilter, LineOp, LineTerm, Named, Stage, StageKind};
use crate::token::Token;

const LINE_OPS: [LineOp; 6] =
    [LineOp::Contains, LineOp::NotContains, LineOp::Matches, LineOp::NotMatches, LineOp::Pattern, LineOp::NotPattern];

impl Parser<'_> {
    /// All stages up to the end or to `| unwrap`.
    pub(super) fn stages(&mut self) -> Result<Vec<Stage>, LogqlError> {
        let mut stages = Vec::new();
        loop {
            let start = self.here();
            let kind = if let Some(op) = self.line_op() {
                self.at += 1;
                StageKind::Line(self.line_filter(op)?)
            } else if self.is("|") && !self.at_unwrap() {
                self.at += 1;
                self.stage()?
            } else {
                return Ok(stages);
            };
            stages.push(Stage { kind, place: self.place_from(start) });
        }
    }

    /// Whether `| unwrap` is next.
    pub(super) fn at_unwrap(&self) -> bool {
        self.is("|") && *self.peek_second() == Token::Keyword("unwrap")
    }

    fn line_op(&self) -> Option<LineOp> {
        let Token::Symbol(symbol) = self.peek() else { return None };
        LINE_OPS.into_iter().find(|op| op.symbol() == *symbol)
    }

    fn line_filter(&mut self, op: LineOp) -> Result<LineFilter, LogqlError> {
        let mut terms = vec![self.line_term(op)?];
        while self.is_keyword("or") && matches!(self.peek_second(), Token::Text(_) | Token::Function("ip")) {
            self.at += 1;
            terms.push(self.line_term(op)?);
        }
        Ok(LineFilter { op, terms })
    }

    fn line_term(&mut self, op: LineOp) -> Result<LineTerm, LogqlError> {
        match self.peek() {
            Token::Function("ip") if matches!(op, LineOp::Contains | LineOp::NotContains) => {
                self.at += 1;
                self.expect("(")?;
                let range = self.text()?;
                self.expect(")")?;
                Ok(LineTerm::Ip(range))
            }
            _ => Ok(LineTerm::Text(self.text()?)),
        }
    }

    /// What stands after `|`.
    fn stage(&mut self) -> Result<StageKind, LogqlError> {
        let Token::Keyword(keyword) = *self.peek() else {
            return match self.peek() {
                Token::Name(_) => Ok(StageKind::Label(self.label_filter()?)),
                Token::Symbol("(") => Ok(StageKind::Label(self.label_filter()?)),
                _ => Err(self.unexpected(&["a stage"])),
            };
        };
        self.at += 1;
        Ok(match keyword {
            "json" => StageKind::Json(self.extractions()?),
            "logfmt" => self.logfmt()?,
            "regexp" => StageKind::Regexp(self.text()?),
            "pattern" => StageKind::Pattern(self.text()?),
            "unpack" => StageKind::Unpack,
            "line_format" => StageKind::LineFormat(self.text()?),
            "label_format" => StageKind::LabelFormat(self.list(Self::label_format)?),
            "decolorize" => StageKind::Decolorize,
            "drop" => StageKind::Drop(self.list(Self::named)?),
            "keep" => StageKind::Keep(self.list(Self::named)?),
            _ => {
                self.at -= 1;
                return Err(self.unexpected(&["a stage"]));
            }
        })
    }

    fn logfmt(&mut self) -> Result<StageKind, LogqlError> {
        let (mut strict, mut keep_empty) = (false, false);
        while let Token::Flag(flag) = self.peek() {
            let flag = if *flag == "--strict" { &mut strict } else { &mut keep_empty };
            *flag = true;
            self.at += 1;
        }
        Ok(StageKind::Logfmt { strict, keep_empty, extractions: self.extractions()? })
    }

    /// `a="path", b`, or nothing.
    fn extractions(&mut self) -> Result<Vec<Extraction>, LogqlError> {
        if !matches!(self.peek(), Token::Name(_)) {
            return Ok(Vec::new());
        }
        self.list(|parser| {
            let label = parser.name()?;
            let path = if parser.eat("=") { parser.text()? } else { label.clone() };
            Ok(Extraction { label, path })
        })
    }

    fn label_format(&mut self) -> Result<LabelFormat, LogqlError> {
        let label = self.name()?;
        self.expect("=")?;
        let source = match self.peek() {
            Token::Text(_) => LabelSource::Template(self.text()?),
            Token::Name(_) => LabelSource::Rename(self.name()?),
            _ => return Err(self.unexpected(&["string", "identifier"])),
        };
        Ok(LabelFormat { label, source })
    }

    fn named(&mut self) -> Result<Named, LogqlError> {
        if matches!(self.peek_second(), Token::Symbol("=" | "!=" | "=~" | "!~")) {
            return Ok(Named::Matching(self.matcher()?));
        }
        Ok(Named::Label(self.name()?))
    }

    /// One or more, with commas between.
    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Result<T, LogqlError>) -> Result<Vec<T>, LogqlError> {
        let mut all = vec![one(self)?];
        while self.eat(",") {
            all.push(one(self)?);
        }
        Ok(all)
    }
}
