use icegate_promql::{
    Answer, At, EvalOptions, Evaluated, Expr, Limits, ParseOptions, PromqlError, Query, Steps, Storage, Value, evaluate, parse,
};
use regex::Regex;

use super::compare::{Found, Line, compare, same_float, series};
use super::items::{items, labels};
use super::time;

/// Functions whose value depends on the time of evaluation.
const TIMED: [&str; 16] = [
    "time",
    "timestamp",
    "start_timestamp",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "hour",
    "minute",
    "month",
    "year",
    "predict_linear",
    "start",
    "end",
    "step",
    "range",
];

/// A text that a message must be, or a pattern that it must fit.
#[derive(Debug)]
enum Expected {
    Any,
    Text(String),
    Pattern(Regex),
}

impl Expected {
    fn new(text: &str) -> Self {
        let text = text.trim();
        if let Some(text) = text.strip_prefix("msg:") {
            Self::Text(text.trim().to_owned())
        } else if let Some(pattern) = text.strip_prefix("regex:") {
            Self::Pattern(Regex::new(pattern.trim()).unwrap())
        } else {
            assert!(text.is_empty(), "{text:?} is not an expectation");
            Self::Any
        }
    }

    fn fits(&self, message: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Text(text) => text == message,
            Self::Pattern(pattern) => pattern.is_match(message),
        }
    }
}

/// An evaluation and what it should give.
pub(super) struct Case<'a> {
    query: &'a str,
    steps: Steps,
    lines: Vec<Line>,
    ordered: bool,
    fail: Option<Expected>,
    warn: Vec<Expected>,
    info: Vec<Expected>,
    no_warn: bool,
    no_info: bool,
    string: Option<String>,
    range: Option<(i64, i64)>,
}

impl<'a> Case<'a> {
    pub(super) fn new(head: &'a str, body: &[&str]) -> Self {
        let instant = Regex::new(r"^eval(?:_(fail|warn|ordered|info))?\s+instant\s+at\s+(\S+)\s+(.+)$").unwrap();
        let range =
            Regex::new(r"^eval(?:_(fail|warn|info))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+)$").unwrap();
        let (kind, steps, query) = if let Some(found) = instant.captures(head) {
            (found.get(1), Steps::Instant(time(&found[2])), found.get(3).unwrap().as_str())
        } else {
            let found = range.captures(head).unwrap_or_else(|| panic!("{head:?} can't be read"));
            let steps = Steps::Range { start: time(&found[2]), end: time(&found[3]), step: time(&found[4]) };
            (found.get(1), steps, found.get(5).unwrap().as_str())
        };
        let kind = kind.map_or("", |kind| kind.as_str());
        let mut case = Self {
            query,
            steps,
            lines: Vec::new(),
            ordered: kind == "ordered",
            fail: (kind == "fail").then_some(Expected::Any),
            warn: if kind == "warn" { vec![Expected::Any] } else { Vec::new() },
            info: if kind == "info" { vec![Expected::Any] } else { Vec::new() },
            no_warn: false,
            no_info: false,
            string: None,
            range: None,
        };
        body.iter().for_each(|line| case.line(line));
        case
    }

    fn line(&mut self, line: &str) {
        let after = |word: &str| line.strip_prefix("expect ").map(str::trim_start).and_then(|rest| rest.strip_prefix(word));
        if let Some(text) = line.strip_prefix("expected_fail_message") {
            self.fail = Some(Expected::Text(text.trim().to_owned()));
        } else if let Some(text) = line.strip_prefix("expected_fail_regexp") {
            self.fail = Some(Expected::Pattern(Regex::new(text.trim()).unwrap()));
        } else if after("ordered").is_some() {
            self.ordered = true;
        } else if let Some(text) = after("fail") {
            self.fail = Some(Expected::new(text));
        } else if let Some(text) = after("warn") {
            self.warn.push(Expected::new(text));
        } else if let Some(text) = after("info") {
            self.info.push(Expected::new(text));
        } else if after("no_warn").is_some() {
            self.no_warn = true;
        } else if after("no_info").is_some() {
            self.no_info = true;
        } else if let Some(text) = after("string") {
            let Expr::Text(literal) = parse(text.trim(), ParseOptions::all()).unwrap() else {
                panic!("{text:?} is not a string")
            };
            self.string = Some(literal.text.lossy());
        } else if let Some(text) = after("range vector from") {
            let words: Vec<&str> = text.split_whitespace().collect();
            self.range = Some((time(words[0]), time(words[4])));
        } else if let Some(value) = scalar(line) {
            self.lines.push(Line::Scalar(value));
        } else {
            let (labels, _, rest) = labels(line);
            self.lines.push(Line::Series(labels, items(rest)));
        }
    }

    /// Evaluates it as written, with `@`, and as ranges.
    pub(super) fn run(&self, storage: &dyn Storage) -> Result<(), String> {
        let expr = match parse(self.query, ParseOptions::all()) {
            Ok(expr) => expr,
            Err(error) => return self.failed(&error),
        };
        let printed = expr.to_string();
        match parse(&printed, ParseOptions::all()) {
            Ok(again) if again == expr => {}
            Ok(again) => return Err(format!("{printed} reads back as {again}")),
            Err(error) => return Err(format!("{printed} doesn't read back: {error}")),
        }
        let Steps::Instant(at) = self.steps else {
            return self.check(storage, self.query, &expr, self.steps, true);
        };
        self.check(storage, self.query, &expr, Steps::Instant(at), true)?;
        self.as_range(storage, self.query, &expr, at)?;
        let mut pinned = expr.clone();
        if !pin(&mut pinned, at) {
            return Ok(());
        }
        let text = pinned.to_string();
        let pinned = parse(&text, ParseOptions::all()).map_err(|error| format!("{text} doesn't read back: {error}"))?;
        let times = if at == 0 { vec![-1_000, 0, 1_000] } else { vec![-10 * at, 0, at / 5, at, 10 * at] };
        for at in times {
            self.check(storage, &text, &pinned, Steps::Instant(at), false)
                .map_err(|problem| format!("{text} at {at}: {problem}"))?;
            self.as_range(storage, &text, &pinned, at)?;
        }
        Ok(())
    }

    fn as_range(&self, storage: &dyn Storage, text: &str, expr: &Expr, at: i64) -> Result<(), String> {
        let depends = ["start()", "end()", "range()", "step()"].iter().any(|word| text.contains(word));
        if self.ordered || self.string.is_some() || self.range.is_some() || depends {
            return Ok(());
        }
        let steps = Steps::Range { start: at - 60_000, end: at + 60_000, step: 60_000 };
        self.check(storage, text, expr, steps, false).map_err(|problem| format!("{text} as range around {at}: {problem}"))
    }

    fn failed(&self, error: &PromqlError) -> Result<(), String> {
        match &self.fail {
            Some(expected) if expected.fits(&error.to_string()) => Ok(()),
            Some(expected) => Err(format!("failed with {:?}, expected {expected:?}", error.to_string())),
            None => Err(format!("failed with {error}")),
        }
    }

    fn check(&self, storage: &dyn Storage, text: &str, expr: &Expr, steps: Steps, is_original: bool) -> Result<(), String> {
        let options = EvalOptions { delayed_name_removal: true, start_timestamps: true, ..EvalOptions::default() };
        let limits = Limits { samples: 10_000, ..Limits::default() };
        let query = Query { text, expr, steps, options, limits, is_canceled: None };
        let evaluated = match evaluate(&query, storage) {
            Ok(evaluated) => evaluated,
            Err(error) => return self.failed(&error),
        };
        if self.fail.is_some() {
            return Err(format!("should fail, found {:?}", evaluated.answer));
        }
        if is_original {
            self.check_notes(&evaluated)?;
        }
        if let (Answer::String { text, .. }, Some(expected)) = (&evaluated.answer, &self.string) {
            return if text == expected { Ok(()) } else { Err(format!("found {text:?}, expected {expected:?}")) };
        }
        self.check_series(&evaluated.answer, steps, is_original)
    }

    fn check_series(&self, answer: &Answer, steps: Steps, is_original: bool) -> Result<(), String> {
        let mut found = series(answer);
        if let Answer::Matrix(matrix) = answer
            && !matrix.is_sorted_by(|a, b| a.labels < b.labels)
        {
            return Err("series of a matrix are not sorted".to_owned());
        }
        if let (Some((start, step)), true) = (self.range, matches!(answer, Answer::Matrix(_))) {
            return compare(&found, &self.lines, start, step, false);
        }
        let (start, step) = match steps {
            Steps::Instant(at) => (at, 0),
            Steps::Range { start, step, .. } if is_original => (start, step),
            // Of a range around an instant, the middle counts.
            Steps::Range { start, step, .. } => {
                let middle = start + step;
                keep_only(&mut found, middle);
                (middle, 0)
            }
        };
        if let [Line::Scalar(expected)] = self.lines.as_slice() {
            let is_scalar = matches!(answer, Answer::Scalar { .. }) || matches!(steps, Steps::Range { .. });
            return match found.as_slice() {
                [(_, values)] if is_scalar => match values.as_slice() {
                    [(_, Value::Float(value))] if same_float(*value, *expected) => Ok(()),
                    other => Err(format!("found {other:?}, expected {expected}")),
                },
                other => Err(format!("found {other:?}, expected the scalar {expected}")),
            };
        }
        compare(&found, &self.lines, start, step, self.ordered)
    }

    fn check_notes(&self, evaluated: &Evaluated) -> Result<(), String> {
        for (what, found, expected, none) in
            [("warning", &evaluated.warnings, &self.warn, self.no_warn), ("info", &evaluated.infos, &self.info, self.no_info)]
        {
            if none && !found.is_empty() {
                return Err(format!("unexpected {what}: {found:?}"));
            }
            if expected.is_empty() {
                continue;
            }
            let all_expected = found.iter().all(|message| expected.iter().any(|expected| expected.fits(message)));
            let all_found = expected.iter().all(|expected| found.iter().any(|message| expected.fits(message)));
            if !all_expected || !all_found {
                return Err(format!("{what}: found {found:?}, expected {expected:?}"));
            }
        }
        Ok(())
    }
}

fn keep_only(found: &mut Vec<Found>, time: i64) {
    found.iter_mut().for_each(|(_, values)| values.retain(|(at, _)| *at == time));
    found.retain(|(_, values)| !values.is_empty());
}

/// A line that is a number only.
fn scalar(line: &str) -> Option<f64> {
    let starts = line.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        || ["inf", "nan"].contains(&line.to_lowercase().as_str());
    if !starts {
        return None;
    }
    match parse(line, ParseOptions::all()) {
        Ok(Expr::Number(number)) => Some(number.value),
        _ => None,
    }
}

/// Gives every selector and subquery the time that it would look at, unless it has one; `false` where that changes the result.
fn pin(expr: &mut Expr, at: i64) -> bool {
    if let Expr::Call(call) = expr
        && TIMED.contains(&call.function.name)
    {
        return false;
    }
    let is_leaf = match expr.timing_mut() {
        Some(timing) => {
            timing.at.get_or_insert(At::Time(at));
            true
        }
        None => false,
    };
    if is_leaf {
        return !has_timed(expr);
    }
    expr.children_mut().into_iter().all(|child| pin(child, at))
}

fn has_timed(expr: &Expr) -> bool {
    let is_timed = matches!(expr, Expr::Call(call) if TIMED.contains(&call.function.name));
    is_timed || expr.children().into_iter().any(has_timed)
}
