use super::functions::Function;
use super::value::Value;

/// A piece of a template.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Text(String),
    Print(Pipeline),
    If(Branch),
    With(Branch),
    Range(Branch),
    /// `{{template "name" …}}`
    Template {
        name: String,
        argument: Option<Pipeline>,
    },
    Break,
    Continue,
}

/// A condition and what follows from it.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    pub(crate) pipeline: Pipeline,
    pub(crate) then: Vec<Node>,
    pub(crate) otherwise: Vec<Node>,
}

/// `$x := a | b`
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) variables: Vec<String>,
    /// `:=`, else `=`.
    pub(crate) declares: bool,
    pub(crate) commands: Vec<Command>,
}

/// An operand, or a function with its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) operands: Vec<Operand>,
    pub(crate) place: Place,
}

/// Where something stands: line from 1, byte of the line from 0.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Dot,
    Value(Value),
    /// `.a.b`
    Field(Vec<String>),
    /// `$x.a`
    Variable(String, Vec<String>),
    Function(&'static Function),
    /// `(…).a`
    Chain(Box<Pipeline>, Vec<String>),
}

/// Gathers the first names of fields; false where the labels are used as a whole, or as what `range` and `with` put in their place.
pub(crate) fn fields<'a>(nodes: impl Iterator<Item = &'a Node>, into: &mut Vec<&'a str>) -> bool {
    let mut known = true;
    for node in nodes {
        known &= match node {
            Node::Text(_) | Node::Break | Node::Continue => true,
            Node::Print(pipeline) => of_pipeline(pipeline, into),
            Node::If(branch) | Node::With(branch) | Node::Range(branch) => {
                // In a block, a field may be one of a label's value; asking for a label too many does no harm.
                of_pipeline(&branch.pipeline, into) & fields(branch.then.iter(), into) & fields(branch.otherwise.iter(), into)
            }
            Node::Template { argument, .. } => argument.as_ref().is_none_or(|argument| of_pipeline(argument, into)),
        };
    }
    known
}

fn of_pipeline<'a>(pipeline: &'a Pipeline, into: &mut Vec<&'a str>) -> bool {
    let mut known = true;
    for operand in pipeline.commands.iter().flat_map(|command| &command.operands) {
        known &= match operand {
            // Inside `range` and `with` the dot is a value, but telling these apart isn't worth it.
            Operand::Dot => false,
            Operand::Variable(name, fields) => {
                if name == "$" {
                    into.extend(fields.first().map(String::as_str));
                }
                name != "$" || !fields.is_empty()
            }
            Operand::Field(fields) => {
                into.extend(fields.first().map(String::as_str));
                true
            }
            Operand::Chain(inner, _) => of_pipeline(inner, into),
            Operand::Value(_) | Operand::Function(_) => true,
        };
    }
    known
}
