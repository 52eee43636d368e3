use std::fmt;
use std::ops::ControlFlow;

use super::functions::{Flow, Function};
use super::tree::{Branch, Command, Node, Operand, Pipeline, Place};
use super::value::Value;
use super::{MAX_DEPTH, MAX_MADE, MAX_OUTPUT, MAX_STEPS, Scope, Template};

/// Why a run has no text.
#[derive(Debug)]
pub(crate) struct RunError {
    place: Place,
    name: &'static str,
    message: String,
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place: Place { line, column }, name, message } = self;
        write!(f, "{line}:{column}: executing {name:?} {message}")
    }
}

/// Whether a loop goes on.
type Step = ControlFlow<bool>;

/// Runs a template over a line.
pub(crate) fn run(template: &Template, scope: Scope<'_>) -> Result<String, RunError> {
    let mut run = Run {
        template,
        scope,
        output: String::new(),
        variables: vec![("$".to_owned(), Value::Labels)],
        steps: 0,
        depth: 0,
        made: 0,
        place: Place { line: 1, column: 0 },
    };
    _ = run.nodes(&template.nodes, &Value::Labels)?;
    Ok(run.output)
}

struct Run<'a> {
    template: &'a Template,
    scope: Scope<'a>,
    output: String,
    variables: Vec<(String, Value)>,
    steps: usize,
    depth: usize,
    /// Bytes of texts that functions made.
    made: usize,
    /// Of the command that runs.
    place: Place,
}

impl Run<'_> {
    fn error(&self, message: impl Into<String>) -> RunError {
        RunError { place: self.place, name: self.template.name, message: message.into() }
    }

    fn step(&mut self) -> Result<(), RunError> {
        self.steps += 1;
        if self.steps > MAX_STEPS { Err(self.error(format!("takes more than {MAX_STEPS} steps"))) } else { Ok(()) }
    }

    fn write(&mut self, text: &str) -> Result<(), RunError> {
        if self.output.len() + text.len() > MAX_OUTPUT {
            return Err(self.error(format!("writes more than {MAX_OUTPUT} bytes")));
        }
        self.output.push_str(text);
        Ok(())
    }

    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Result<Step, RunError> {
        if self.depth >= MAX_DEPTH {
            return Err(self.error(format!("nests more than {MAX_DEPTH} deep")));
        }
        self.depth += 1;
        let step = self.each(nodes, dot)?;
        self.depth -= 1;
        Ok(step)
    }

    fn each(&mut self, nodes: &[Node], dot: &Value) -> Result<Step, RunError> {
        for node in nodes {
            self.step()?;
            match node {
                Node::Text(text) => self.write(text)?,
                Node::Print(pipeline) => {
                    let value = self.pipeline(pipeline, dot)?;
                    if pipeline.variables.is_empty() {
                        self.print(&value)?;
                    }
                }
                Node::If(branch) | Node::With(branch) => {
                    let step = self.branch(branch, dot, matches!(node, Node::With(_)))?;
                    if step.is_break() {
                        return Ok(step);
                    }
                }
                Node::Range(branch) => self.range(branch, dot)?,
                Node::Template { name, argument } => self.template(name, argument.as_ref(), dot)?,
                Node::Break => return Ok(ControlFlow::Break(true)),
                Node::Continue => return Ok(ControlFlow::Break(false)),
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn print(&mut self, value: &Value) -> Result<(), RunError> {
        match value {
            Value::Text(text) => self.write(text),
            Value::Nil => self.write("<no value>"),
            other => self.write(&other.to_string()),
        }
    }

    fn branch(&mut self, branch: &Branch, dot: &Value, moves_dot: bool) -> Result<Step, RunError> {
        let in_sight = self.variables.len();
        let value = self.pipeline(&branch.pipeline, dot)?;
        let step = if value.is_true() {
            self.nodes(&branch.then, if moves_dot { &value } else { dot })?
        } else {
            self.nodes(&branch.otherwise, dot)?
        };
        self.variables.truncate(in_sight);
        Ok(step)
    }

    fn range(&mut self, branch: &Branch, dot: &Value) -> Result<(), RunError> {
        let in_sight = self.variables.len();
        let value = self.values(&branch.pipeline, dot)?;
        let items: Vec<(Value, Value)> = match &value {
            Value::List(list) => list.iter().cloned().zip(0..).map(|(value, index)| (Value::Int(index), value)).collect(),
            Value::Map(map) => map.iter().map(|(key, value)| (Value::text(key), value.clone())).collect(),
            Value::Labels => {
                let labels = self.scope.labels.all(&[]);
                labels.iter().map(|label| (Value::text(&label.name), Value::text(&label.value))).collect()
            }
            Value::Int(count) => {
                (0..(*count).min(MAX_STEPS as i64 + 1)).map(|index| (Value::Int(index), Value::Int(index))).collect()
            }
            Value::Nil => Vec::new(),
            other => return Err(self.error(format!("range can't iterate over {other}"))),
        };
        if items.is_empty() {
            _ = self.nodes(&branch.otherwise, dot)?;
        }
        for (key, value) in items {
            self.step()?;
            self.variables.truncate(in_sight);
            match branch.pipeline.variables.as_slice() {
                [] => {}
                [one] => self.variables.push((one.clone(), value.clone())),
                [first, second, ..] => {
                    self.variables.push((first.clone(), key));
                    self.variables.push((second.clone(), value.clone()));
                }
            }
            if self.nodes(&branch.then, &value)? == ControlFlow::Break(true) {
                break;
            }
        }
        self.variables.truncate(in_sight);
        Ok(())
    }

    fn template(&mut self, name: &str, argument: Option<&Pipeline>, dot: &Value) -> Result<(), RunError> {
        let dot = match argument {
            Some(argument) => self.pipeline(argument, dot)?,
            None => Value::Nil,
        };
        let template = self.template;
        let Some(nodes) = template.defined.get(name) else {
            return Err(self.error(format!("template {name:?} not defined")));
        };
        let outer = std::mem::replace(&mut self.variables, vec![("$".to_owned(), dot.clone())]);
        _ = self.nodes(nodes, &dot)?;
        self.variables = outer;
        Ok(())
    }

    /// The value of a pipeline; variables are set.
    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, RunError> {
        let value = self.values(pipeline, dot)?;
        for name in &pipeline.variables {
            let known = self.variables.iter_mut().rev().find(|(known, _)| known == name);
            match known.filter(|_| !pipeline.declares) {
                Some(variable) => variable.1 = value.clone(),
                None => self.variables.push((name.clone(), value.clone())),
            }
        }
        Ok(value)
    }

    fn values(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, RunError> {
        let mut last = None;
        for command in &pipeline.commands {
            last = Some(self.command(command, last, dot)?);
        }
        Ok(last.unwrap_or(Value::Nil))
    }

    fn command(&mut self, command: &Command, last: Option<Value>, dot: &Value) -> Result<Value, RunError> {
        self.step()?;
        self.place = command.place;
        let Some((first, rest)) = command.operands.split_first() else { return Ok(Value::Nil) };
        match first {
            Operand::Function(function) => self.call(function, rest, last, dot),
            Operand::Field(fields) => {
                let arguments = self.arguments(rest, last, dot)?;
                self.fields(dot.clone(), fields, &arguments)
            }
            Operand::Variable(name, fields) => {
                let arguments = self.arguments(rest, last, dot)?;
                let value = self.variable(name);
                self.fields(value, fields, &arguments)
            }
            Operand::Chain(inner, fields) => {
                let value = self.pipeline(inner, dot)?;
                let arguments = self.arguments(rest, last, dot)?;
                self.place = command.place;
                self.fields(value, fields, &arguments)
            }
            Operand::Dot | Operand::Value(_) if last.is_some() => Err(self.error("can't give argument to non-function")),
            Operand::Dot => Ok(dot.clone()),
            Operand::Value(value) => Ok(value.clone()),
        }
    }

    fn arguments(&mut self, operands: &[Operand], last: Option<Value>, dot: &Value) -> Result<Vec<Value>, RunError> {
        let mut values = Vec::with_capacity(operands.len() + 1);
        for operand in operands {
            values.push(self.operand(operand, dot)?);
        }
        values.extend(last);
        Ok(values)
    }

    fn operand(&mut self, operand: &Operand, dot: &Value) -> Result<Value, RunError> {
        match operand {
            Operand::Dot => Ok(dot.clone()),
            Operand::Value(value) => Ok(value.clone()),
            Operand::Field(fields) => self.fields(dot.clone(), fields, &[]),
            Operand::Variable(name, fields) => {
                let value = self.variable(name);
                self.fields(value, fields, &[])
            }
            Operand::Chain(inner, fields) => {
                let place = self.place;
                let value = self.pipeline(inner, dot)?;
                self.place = place;
                self.fields(value, fields, &[])
            }
            Operand::Function(function) => self.call(function, &[], None, dot),
        }
    }

    fn variable(&self, name: &str) -> Value {
        self.variables.iter().rev().find(|(known, _)| known == name).map_or(Value::Nil, |(_, value)| value.clone())
    }

    fn call(&mut self, function: &Function, operands: &[Operand], last: Option<Value>, dot: &Value) -> Result<Value, RunError> {
        self.step()?;
        let count = operands.len() + usize::from(last.is_some());
        let named = |message: String| format!("at <{}>: {message}", function.name);
        if count < function.least || count > function.most {
            let want = if function.least == function.most { String::new() } else { "at least ".to_owned() };
            let message = format!("wrong number of args for {}: want {want}{} got {count}", function.name, function.least);
            return Err(self.error(named(message)));
        }
        let failed = |message: String| named(format!("error calling {}: {message}", function.name));
        match function.flow {
            Flow::All(run) => {
                let values = self.arguments(operands, last, dot)?;
                let value = run(&self.scope, &values).map_err(|message| self.error(failed(message)))?;
                if let Value::Text(text) = &value {
                    self.made += text.len();
                }
                if self.made > MAX_MADE {
                    return Err(self.error(failed(format!("functions make more than {MAX_MADE} bytes"))));
                }
                Ok(value)
            }
            // Arguments behind the one that decides aren't evaluated.
            Flow::UntilFalse | Flow::UntilTrue => {
                let decides = matches!(function.flow, Flow::UntilTrue);
                let mut value = Value::Nil;
                for operand in operands {
                    value = self.operand(operand, dot)?;
                    if value.is_true() == decides {
                        return Ok(value);
                    }
                }
                Ok(last.unwrap_or(value))
            }
        }
    }

    fn fields(&self, mut value: Value, fields: &[String], arguments: &[Value]) -> Result<Value, RunError> {
        for (index, field) in fields.iter().enumerate() {
            let is_last = index + 1 == fields.len();
            value = match &value {
                Value::Labels => Value::text(self.scope.labels.get(field).unwrap_or_default()),
                Value::Map(map) => map.get(field).cloned().unwrap_or(Value::Nil),
                Value::Time(moment) => {
                    let arguments = if is_last { arguments } else { &[] };
                    let value =
                        moment.method(field, arguments).map_err(|message| self.error(format!("at <.{field}>: {message}")))?;
                    if is_last {
                        return Ok(value);
                    }
                    value
                }
                Value::Nil => return Err(self.error(format!("at <.{field}>: nil pointer evaluating interface {{}}.{field}"))),
                other => return Err(self.error(format!("at <.{field}>: can't evaluate field {field} in type {}", other.kind()))),
            };
        }
        match fields.last() {
            Some(field) if !arguments.is_empty() => {
                Err(self.error(format!("at <.{field}>: {field} is not a method but has arguments")))
            }
            None if !arguments.is_empty() => Err(self.error("can't give argument to non-function")),
            _ => Ok(value),
        }
    }
}
