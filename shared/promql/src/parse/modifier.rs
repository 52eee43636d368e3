use icegate_syntax::{Diagnostic, Place, Span};

use super::{Parsed, Parser, unexpected};
use crate::ast::{At, DurationExpr, Expr, Extended, Matrix, Subquery};
use crate::token::{Kind, Token};

/// What `[…]` may have as its start.
const DURATION: &str = "number, duration, step(), or range()";
const DURATION_OR_END: &str = "number, duration, step(), range(), or \"]\"";

impl Parser<'_> {
    /// What stands behind an operand: ranges, `offset`, `@`, `anchored`, `smoothed`.
    pub(super) fn modifiers(&mut self, mut expr: Expr, mut levels: usize) -> Parsed {
        loop {
            let token = self.peek()?;
            match token.kind {
                Kind::Symbol("[") => {
                    self.higher(levels, &token)?;
                    levels += 1;
                    expr = self.range(expr)?;
                }
                Kind::Keyword("offset") => self.offset(&mut expr)?,
                Kind::Operator("@") => self.at(&mut expr)?,
                Kind::Keyword("anchored") => self.extended(&mut expr, &token, Extended::Anchored)?,
                Kind::Keyword("smoothed") => self.extended(&mut expr, &token, Extended::Smoothed)?,
                _ => return Ok((expr, levels)),
            }
        }
    }

    /// `[range]`, `[range:]` or `[range:step]`.
    fn range(&mut self, expr: Expr) -> Result<Expr, Diagnostic> {
        let open = self.next()?.span;
        self.context = ("subquery or range selector", DURATION);
        let token = self.peek()?;
        if !Self::starts_duration(&token) {
            return Err(unexpected(&token, "subquery or range selector", DURATION));
        }
        let (range, range_expr) = self.positive_duration()?;
        let token = self.next()?;
        let start = expr.span();
        if token.is("]") {
            let selector = selected(expr, open.to(token.span))?;
            let place = Place(start.to(token.span));
            return Ok(Expr::Matrix(Box::new(Matrix { selector, range, range_expr, place })));
        }
        if !token.is(":") {
            return Err(unexpected(&token, "subquery or range", "\":\" or \"]\""));
        }
        self.context = ("subquery selector", DURATION_OR_END);
        let token = self.peek()?;
        let (step, step_expr) = if token.is("]") {
            (0, None)
        } else if Self::starts_duration(&token) {
            self.positive_duration()?
        } else {
            return Err(unexpected(&token, "subquery selector", DURATION_OR_END));
        };
        let end = self.next()?;
        if !end.is("]") {
            return Err(unexpected(&end, "subquery selector", "\"]\""));
        }
        let place = Place(start.to(end.span));
        let timing = crate::ast::Timing::default();
        Ok(Expr::Subquery(Box::new(Subquery { expr, range, range_expr, step, step_expr, timing, place })))
    }

    fn offset(&mut self, expr: &mut Expr) -> Result<(), Diagnostic> {
        self.next()?;
        self.context = ("offset", DURATION);
        let token = self.peek()?;
        if !Self::starts_duration(&token) {
            return Err(unexpected(&token, "offset", DURATION));
        }
        let duration = self.offset_duration()?;
        let (span, end) = (expr.span(), self.last_span());
        let timing = expr.timing_mut().ok_or_else(|| {
            let message = "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery";
            Diagnostic::new(message, span)
        })?;
        if timing.offset != 0 || timing.offset_expr.is_some() {
            return Err(Diagnostic::new("offset may not be set multiple times", span));
        }
        match duration {
            DurationExpr::Number(number) => timing.offset = crate::duration::millis(number.value),
            computed => timing.offset_expr = Some(computed),
        }
        extend(expr, end);
        Ok(())
    }

    fn at(&mut self, expr: &mut Expr) -> Result<(), Diagnostic> {
        self.next()?;
        let at = self.at_time(expr.span())?;
        let (span, end) = (expr.span(), self.last_span());
        let timing = expr.timing_mut().ok_or_else(|| {
            let message = "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery";
            Diagnostic::new(message, span)
        })?;
        if timing.at.is_some() {
            return Err(Diagnostic::new("@ <timestamp> may not be set multiple times", span));
        }
        timing.at = Some(at);
        extend(expr, end);
        Ok(())
    }

    fn at_time(&mut self, span: Span) -> Result<At, Diagnostic> {
        let mut token = self.peek()?;
        let negative = token.is_operator("-");
        if negative || token.is_operator("+") {
            self.next()?;
            token = self.peek()?;
        }
        let fails = || unexpected(&token, "@", "timestamp");
        match token.kind {
            Kind::Number | Kind::Duration => {
                let value = self.number()?.value;
                let value = if negative { -value } else { value };
                // As many milliseconds as fit 64 bits.
                if !value.is_finite() || value.abs() >= 9_223_372_036_854_775.0 {
                    let shown = if value.is_finite() { format!("{value:.6}") } else { icegate_syntax::number::print(value) };
                    return Err(Diagnostic::new(format!("timestamp out of bounds for @ modifier: {shown}"), span));
                }
                Ok(At::Time(crate::duration::millis(value)))
            }
            Kind::Keyword(word @ ("start" | "end")) => {
                self.next()?;
                for bracket in ["(", ")"] {
                    let token = self.peek()?;
                    if !token.is(bracket) {
                        return Err(unexpected(&token, "@", "timestamp"));
                    }
                    self.next()?;
                }
                Ok(if word == "start" { At::Start } else { At::End })
            }
            _ => Err(fails()),
        }
    }

    fn extended(&mut self, expr: &mut Expr, token: &Token<'_>, extended: Extended) -> Result<(), Diagnostic> {
        self.next()?;
        let span = expr.span();
        let at = |message: String| Err(Diagnostic::new(message, span));
        if !self.options.extended_range_selectors {
            return at(format!("{} modifier is experimental and not enabled", token.text.to_ascii_lowercase()));
        }
        let word = if extended == Extended::Anchored { "anchored" } else { "smoothed" };
        let own = match expr {
            Expr::Selector(_) if extended == Extended::Anchored => {
                return at("anchored modifier can only be used with a range vector selector".to_owned());
            }
            Expr::Selector(selector) => &mut selector.extended,
            Expr::Matrix(matrix) => &mut matrix.selector.extended,
            Expr::Subquery(_) => return at(format!("{word} modifier is not supported for subqueries")),
            _ => return at(format!("{word} modifier not implemented")),
        };
        if *own != Extended::No {
            return at("anchored and smoothed may not be set multiple times".to_owned());
        }
        *own = extended;
        extend(expr, token.span);
        Ok(())
    }
}

/// The selector that a range stands behind.
fn selected(expr: Expr, range: Span) -> Result<crate::ast::Selector, Diagnostic> {
    let at = |message| Err(Diagnostic::new(message, range));
    match expr {
        Expr::Selector(selector) if selector.timing.offset != 0 || selector.timing.offset_expr.is_some() => {
            at("no offset modifiers allowed before range")
        }
        Expr::Selector(selector) if selector.timing.at.is_some() => at("no @ modifiers allowed before range"),
        Expr::Selector(selector) if selector.extended != Extended::No => {
            at("no anchored or smoothed modifiers allowed before range")
        }
        Expr::Selector(selector) => Ok(*selector),
        _ => at("ranges only allowed for vector selectors"),
    }
}

/// Lets a node reach up to a modifier.
fn extend(expr: &mut Expr, end: Span) {
    let place = match expr {
        Expr::Selector(node) => &mut node.place,
        Expr::Matrix(node) => &mut node.place,
        Expr::Subquery(node) => &mut node.place,
        _ => return,
    };
    place.0 = place.0.to(end);
}
