//! Templates of `line_format` and `label_format`: the language of Go's `text/template` with the functions that LogQL adds.
//!
//! No maintained crate has this language with closures for functions, Go's printing of values and bounds on what a template may do, so
//! it is ours. A template is compiled once for a query and run once for a line. Its nesting, its steps and its output are bounded.

mod functions;
mod lex;
mod number;
mod parse;
mod printf;
mod run;
mod time;
mod tree;
mod value;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use regex::Regex;

use crate::pattern;
use crate::rows::RowLabels;

pub(crate) use functions::names as function_names;
use tree::Node;

/// What a failed template leaves.
pub(crate) const FAILED: &str = "TemplateFormatErr";

/// Bytes that one run may write.
const MAX_OUTPUT: usize = 1 << 20;
/// Bytes of texts that functions may make in one run.
const MAX_MADE: usize = 8 << 20;
/// Nodes and functions that one run may go through.
const MAX_STEPS: usize = 100_000;
/// How deep a template may nest, and templates may call each other.
const MAX_DEPTH: usize = 64;

/// A compiled template.
#[derive(Debug)]
pub(crate) struct Template {
    /// `line` or `label`, for errors.
    name: &'static str,
    nodes: Vec<Node>,
    defined: HashMap<String, Vec<Node>>,
    regexes: Regexes,
}

/// Expressions that functions of a template were called with, compiled.
#[derive(Debug, Default)]
pub(crate) struct Regexes(Mutex<HashMap<String, Regex>>);

/// Expressions that are kept before they are started anew.
const MAX_REGEXES: usize = 64;

impl Regexes {
    fn get(&self, expression: &str) -> Result<Regex, String> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regex) = known.get(expression) {
            return Ok(regex.clone());
        }
        let regex = pattern::anywhere(expression, icegate_syntax::Span::default()).map_err(|error| error.to_string())?;
        if known.len() >= MAX_REGEXES {
            known.clear();
        }
        known.insert(expression.to_owned(), regex.clone());
        Ok(regex)
    }
}

/// What a template sees.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    pub(crate) line: &'a str,
    /// The line's time in nanoseconds.
    pub(crate) at: i64,
    /// The query's time in nanoseconds.
    pub(crate) now: i64,
    pub(crate) labels: &'a RowLabels,
}

/// A context, and what its template keeps from run to run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) line: &'a str,
    pub(crate) at: i64,
    pub(crate) now: i64,
    pub(crate) labels: &'a RowLabels,
    regexes: &'a Regexes,
}

impl Template {
    /// Reads a template; `Err` says what is wrong with it.
    pub(crate) fn new(name: &'static str, text: &str) -> Result<Self, String> {
        let parsed = parse::parse(text).map_err(|error| format!("template: {name}:{}: {}", error.line, error.message))?;
        Ok(Self { name, nodes: parsed.nodes, defined: parsed.defined, regexes: Regexes::default() })
    }

    /// The text that it gives for a line; `Err` says why there is none.
    pub(crate) fn run(&self, context: Context<'_>) -> Result<String, String> {
        let Context { line, at, now, labels } = context;
        run::run(self, Scope { line, at, now, labels, regexes: &self.regexes })
            .map_err(|error| format!("template: {}:{error}", self.name))
    }

    /// Names of the labels that it can see; `None` where it takes all of them at once.
    pub(crate) fn labels(&self) -> Option<Vec<&str>> {
        let mut names = Vec::new();
        let all = self.nodes.iter().chain(self.defined.values().flatten());
        tree::fields(all, &mut names).then_some(names)
    }
}

#[cfg(test)]
mod tests;
