use std::collections::HashMap;
use std::vec::IntoIter;

use super::MAX_DEPTH;
use super::functions;
use super::lex::{ParseError, Piece, Spaced, Word, pieces};
use super::tree::{Branch, Command, Node, Operand, Pipeline, Place};
use super::value::Value;

/// A template that was read.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) nodes: Vec<Node>,
    pub(crate) defined: HashMap<String, Vec<Node>>,
}

/// Reads a template.
pub(crate) fn parse(text: &str) -> Result<Parsed, ParseError> {
    let mut parser = Parser {
        pieces: pieces(text)?.into_iter(),
        defined: HashMap::new(),
        variables: vec!["$".to_owned()],
        depth: 0,
        loops: 0,
    };
    let (nodes, end) = parser.nodes()?;
    match end {
        End::Template => Ok(Parsed { nodes, defined: parser.defined }),
        End::Closed(place) | End::Else(_, place) => Err(ParseError::at(place, "unexpected {{end}} or {{else}}")),
    }
}

/// Why a run of nodes ends.
enum End {
    Template,
    /// By `{{end}}`.
    Closed(Place),
    /// What stands behind `else`.
    Else(Words, Place),
}

struct Parser {
    pieces: IntoIter<Piece>,
    defined: HashMap<String, Vec<Node>>,
    /// Variables that are in sight.
    variables: Vec<String>,
    depth: usize,
    /// How many `range` are around.
    loops: usize,
}

impl Parser {
    fn nodes(&mut self) -> Result<(Vec<Node>, End), ParseError> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            let (words, place) = match piece {
                Piece::Text(text) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Piece::Action(words, place) => (words, place),
            };
            let mut words = Words { words: words.into_iter().peekable(), place };
            let keyword = match words.peek() {
                Some(Word::Name(name)) => name.clone(),
                _ => String::new(),
            };
            if is_keyword(&keyword) {
                words.next();
            }
            match keyword.as_str() {
                "end" => return words.end().map(|()| (nodes, End::Closed(place))),
                "else" => return Ok((nodes, End::Else(words, place))),
                "define" => self.define(words)?,
                "if" | "with" | "range" | "template" | "block" | "break" | "continue" => {
                    nodes.push(self.keyword(&keyword, words)?)
                }
                _ => nodes.push(Node::Print(self.whole_pipeline(&mut words)?)),
            }
        }
        Ok((nodes, End::Template))
    }

    fn keyword(&mut self, keyword: &str, mut words: Words) -> Result<Node, ParseError> {
        let place = words.place;
        match keyword {
            "if" => self.branch(words, "if").map(Node::If),
            "with" => self.branch(words, "with").map(Node::With),
            "range" => self.branch(words, "range").map(Node::Range),
            "break" | "continue" if self.loops == 0 => {
                Err(ParseError::at(place, format!("{{{{{keyword}}}}} outside {{{{range}}}}")))
            }
            "break" => words.end().map(|()| Node::Break),
            "continue" => words.end().map(|()| Node::Continue),
            _ => {
                let name = words.text("template name")?;
                let argument = if words.peek().is_some() { Some(self.whole_pipeline(&mut words)?) } else { None };
                if keyword == "block" {
                    let nodes = self.body(place)?;
                    self.defined.insert(name.clone(), nodes);
                }
                Ok(Node::Template { name, argument })
            }
        }
    }

    fn define(&mut self, mut words: Words) -> Result<(), ParseError> {
        let name = words.text("name of a definition")?;
        words.end()?;
        let nodes = self.body(words.place)?;
        self.defined.insert(name, nodes);
        Ok(())
    }

    /// Nodes up to `{{end}}`, which see no variables from outside.
    fn body(&mut self, place: Place) -> Result<Vec<Node>, ParseError> {
        let variables = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let loops = std::mem::take(&mut self.loops);
        let (nodes, end) = self.deeper(place, Self::nodes)?;
        (self.variables, self.loops) = (variables, loops);
        match end {
            End::Closed(_) => Ok(nodes),
            End::Template => Err(ParseError::at(place, "unexpected EOF")),
            End::Else(_, place) => Err(ParseError::at(place, "unexpected {{else}}")),
        }
    }

    fn branch(&mut self, mut words: Words, kind: &'static str) -> Result<Branch, ParseError> {
        let place = words.place;
        let in_sight = self.variables.len();
        let pipeline = self.whole_pipeline(&mut words)?;
        self.loops += usize::from(kind == "range");
        let (then, end) = self.deeper(place, Self::nodes)?;
        self.loops -= usize::from(kind == "range");
        let otherwise = match end {
            End::Template => return Err(ParseError::at(place, "unexpected EOF")),
            End::Closed(_) => Vec::new(),
            End::Else(words, else_place) => self.otherwise(words, else_place, kind)?,
        };
        self.variables.truncate(in_sight);
        Ok(Branch { pipeline, then, otherwise })
    }

    /// What follows `{{else`.
    fn otherwise(&mut self, mut words: Words, place: Place, kind: &'static str) -> Result<Vec<Node>, ParseError> {
        if kind != "range" && words.eat_name(kind) {
            // `{{else if}}` has no end of its own.
            return self.deeper(place, |parser| {
                let branch = parser.branch(words, kind)?;
                Ok(vec![if kind == "if" { Node::If(branch) } else { Node::With(branch) }])
            });
        }
        words.end()?;
        match self.deeper(place, Self::nodes)? {
            (nodes, End::Closed(_)) => Ok(nodes),
            (_, End::Template) => Err(ParseError::at(place, "unexpected EOF")),
            (_, End::Else(_, place)) => Err(ParseError::at(place, "unexpected {{else}}")),
        }
    }

    fn deeper<T>(&mut self, place: Place, inner: impl FnOnce(&mut Self) -> Result<T, ParseError>) -> Result<T, ParseError> {
        if self.depth >= MAX_DEPTH {
            return Err(ParseError::at(place, format!("template nests too deep, allowed are {MAX_DEPTH} levels")));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn whole_pipeline(&mut self, words: &mut Words) -> Result<Pipeline, ParseError> {
        let pipeline = self.pipeline(words)?;
        words.end()?;
        Ok(pipeline)
    }

    /// `$x := a | b`, up to the end or a closing bracket.
    fn pipeline(&mut self, words: &mut Words) -> Result<Pipeline, ParseError> {
        let (variables, declares) = words.variables();
        if declares {
            self.variables.extend(variables.iter().cloned());
        } else if let Some(unknown) = variables.iter().find(|name| !self.variables.contains(name)) {
            return Err(ParseError::at(words.place, format!("undefined variable {unknown:?}")));
        }
        let mut commands = vec![self.command(words)?];
        while words.eat("|") {
            commands.push(self.command(words)?);
        }
        Ok(Pipeline { variables, declares, commands })
    }

    fn command(&mut self, words: &mut Words) -> Result<Command, ParseError> {
        let place = words.here();
        let mut operands = Vec::new();
        while let Some(operand) = self.operand(words)? {
            operands.push(operand);
        }
        match operands.as_slice() {
            [] => Err(ParseError::at(place, "missing value for command")),
            [Operand::Value(_) | Operand::Dot | Operand::Chain(..), _, ..] => {
                Err(ParseError::at(place, "can't give argument to non-function"))
            }
            _ => Ok(Command { operands, place }),
        }
    }

    fn operand(&mut self, words: &mut Words) -> Result<Option<Operand>, ParseError> {
        let place = words.here();
        let operand = match words.peek() {
            None | Some(Word::Symbol("|" | ")")) => return Ok(None),
            Some(Word::Symbol("(")) => {
                words.next();
                let inner = self.deeper(place, |parser| parser.pipeline(words))?;
                if !words.eat(")") {
                    return Err(ParseError::at(place, "unclosed left paren"));
                }
                let fields = words.fields();
                return Ok(Some(Operand::Chain(Box::new(inner), fields)));
            }
            Some(Word::Symbol(symbol)) => return Err(ParseError::at(place, format!("unexpected {symbol:?} in operand"))),
            Some(_) => words.next(),
        };
        let Some(word) = operand else { return Ok(None) };
        Ok(Some(match word {
            Word::Dot => Operand::Dot,
            Word::Value(value) => Operand::Value(value),
            Word::Field(name) => {
                let mut fields = vec![name];
                fields.extend(words.fields());
                Operand::Field(fields)
            }
            Word::Variable(name) => {
                if !self.variables.contains(&name) {
                    return Err(ParseError::at(place, format!("undefined variable {name:?}")));
                }
                Operand::Variable(name, words.fields())
            }
            Word::Name(name) => named(&name, place, words.fields())?,
            Word::Symbol(symbol) => return Err(ParseError::at(place, format!("unexpected {symbol:?} in operand"))),
        }))
    }
}

fn named(name: &str, place: Place, fields: Vec<String>) -> Result<Operand, ParseError> {
    let operand = match name {
        "true" => Operand::Value(Value::Bool(true)),
        "false" => Operand::Value(Value::Bool(false)),
        "nil" => Operand::Value(Value::Nil),
        _ => Operand::Function(
            functions::find(name).ok_or_else(|| ParseError::at(place, format!("function {name:?} not defined")))?,
        ),
    };
    if fields.is_empty() {
        return Ok(operand);
    }
    let command = Command { operands: vec![operand], place };
    Ok(Operand::Chain(Box::new(Pipeline { variables: Vec::new(), declares: false, commands: vec![command] }), fields))
}

fn is_keyword(name: &str) -> bool {
    ["if", "with", "range", "else", "end", "define", "template", "block", "break", "continue"].contains(&name)
}

/// The words of one action.
struct Words {
    words: std::iter::Peekable<IntoIter<Spaced>>,
    place: Place,
}

impl Words {
    fn peek(&mut self) -> Option<&Word> {
        self.words.peek().map(|spaced| &spaced.word)
    }

    fn next(&mut self) -> Option<Word> {
        self.words.next().map(|spaced| spaced.word)
    }

    fn here(&mut self) -> Place {
        self.words.peek().map_or(self.place, |spaced| spaced.place)
    }

    fn eat(&mut self, symbol: &str) -> bool {
        self.words.next_if(|spaced| matches!(spaced.word, Word::Symbol(found) if found == symbol)).is_some()
    }

    fn eat_name(&mut self, name: &str) -> bool {
        self.words.next_if(|spaced| matches!(&spaced.word, Word::Name(found) if found == name)).is_some()
    }

    fn end(&mut self) -> Result<(), ParseError> {
        let place = self.here();
        if self.peek().is_none() { Ok(()) } else { Err(ParseError::at(place, "unexpected word at the end of an action")) }
    }

    fn text(&mut self, what: &str) -> Result<String, ParseError> {
        match self.next() {
            Some(Word::Value(Value::Text(text))) => Ok(text.to_string()),
            _ => Err(ParseError::at(self.place, format!("missing {what}"))),
        }
    }

    /// `.a.b` right behind an operand.
    fn fields(&mut self) -> Vec<String> {
        let mut fields = Vec::new();
        while let Some(Spaced { word: Word::Field(name), .. }) =
            self.words.next_if(|spaced| !spaced.after_blank && matches!(spaced.word, Word::Field(_)))
        {
            fields.push(name);
        }
        fields
    }

    /// `$x :=`, `$i, $x :=`, `$x =`, if they are next; and whether they declare.
    fn variables(&mut self) -> (Vec<String>, bool) {
        let mut ahead = self.words.clone();
        let mut variables = Vec::new();
        while let Some(Spaced { word: Word::Variable(name), .. }) = ahead.next() {
            variables.push(name);
            match ahead.next() {
                Some(Spaced { word: Word::Symbol(","), .. }) if variables.len() == 1 => {}
                Some(Spaced { word: Word::Symbol(symbol @ (":=" | "=")), .. }) => {
                    self.words = ahead;
                    return (variables, symbol == ":=");
                }
                _ => break,
            }
        }
        (Vec::new(), false)
    }
}
