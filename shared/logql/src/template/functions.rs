//! What templates can call.

mod encode;
mod go;
mod math;
mod text;
mod when;

use super::Scope;
use super::value::Value;

/// A function of templates.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// Fewest arguments.
    pub(crate) least: usize,
    /// Most arguments.
    pub(crate) most: usize,
    pub(crate) flow: Flow,
}

type Run = fn(&Scope<'_>, &[Value]) -> Result<Value, String>;

/// How a function takes its arguments.
#[derive(Debug)]
pub(crate) enum Flow {
    /// All of them.
    All(Run),
    /// Up to the first that is true, which is its value.
    UntilTrue,
    /// Up to the first that is false, which is its value.
    UntilFalse,
}

const ANY: usize = usize::MAX;

/// A function with a fixed number of arguments.
const fn fixed(name: &'static str, count: usize, run: Run) -> Function {
    Function { name, least: count, most: count, flow: Flow::All(run) }
}

/// A function with any number of arguments from `least` on.
const fn open(name: &'static str, least: usize, run: Run) -> Function {
    Function { name, least, most: ANY, flow: Flow::All(run) }
}

/// All functions.
fn all() -> impl Iterator<Item = &'static Function> {
    [go::FUNCTIONS, text::FUNCTIONS, math::FUNCTIONS, encode::FUNCTIONS, when::FUNCTIONS].into_iter().flatten()
}

/// The function of this name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name == name)
}

/// The names of all functions.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    all().map(|function| function.name)
}

/// The argument at a place, as text.
fn text(values: &[Value], at: usize) -> Result<&str, String> {
    match values.get(at) {
        Some(Value::Text(text)) => Ok(text),
        other => Err(format!("wrong type for value; expected string; got {}", other.map_or("nothing", Value::kind))),
    }
}

/// The argument at a place, as a whole number.
fn whole(values: &[Value], at: usize) -> Result<i64, String> {
    match values.get(at) {
        Some(Value::Int(value)) => Ok(*value),
        other => Err(format!("wrong type for value; expected int; got {}", other.map_or("nothing", Value::kind))),
    }
}
