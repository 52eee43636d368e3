//! Functions that every Go template has.

use std::cmp::Ordering;

use super::super::printf::printf;
use super::super::value::Value;
use super::{ANY, Flow, Function, encode, fixed, open, whole};

pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "and", least: 1, most: ANY, flow: Flow::UntilFalse },
    Function { name: "or", least: 1, most: ANY, flow: Flow::UntilTrue },
    fixed("not", 1, |_, values| Ok(Value::Bool(!values.iter().all(Value::is_true)))),
    open("eq", 2, |_, values| {
        let (first, rest) = values.split_first().ok_or("missing argument for comparison")?;
        for other in rest {
            if first.equals(other)? {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }),
    fixed("ne", 2, |_, values| Ok(Value::Bool(!pair(values)?.0.equals(pair(values)?.1)?))),
    fixed("lt", 2, |_, values| order(values, Ordering::is_lt)),
    fixed("le", 2, |_, values| order(values, Ordering::is_le)),
    fixed("gt", 2, |_, values| order(values, Ordering::is_gt)),
    fixed("ge", 2, |_, values| order(values, Ordering::is_ge)),
    fixed("len", 1, |context, values| match values.first() {
        Some(Value::Text(text)) => length(text.len()),
        Some(Value::List(list)) => length(list.len()),
        Some(Value::Map(map)) => length(map.len()),
        Some(Value::Labels) => length(context.labels.all(&[]).len()),
        other => Err(format!("len of type {}", other.map_or("nil", Value::kind))),
    }),
    open("index", 1, |context, values| {
        let (first, keys) = values.split_first().ok_or("index of untyped nil")?;
        let mut value = first.clone();
        for key in keys {
            value = match (&value, key) {
                (Value::List(list), Value::Int(at)) => usize::try_from(*at)
                    .ok()
                    .and_then(|at| list.get(at))
                    .cloned()
                    .ok_or_else(|| format!("index out of range: {at}"))?,
                (Value::Text(text), Value::Int(at)) => {
                    let byte = usize::try_from(*at).ok().and_then(|at| text.as_bytes().get(at)).copied();
                    Value::Int(i64::from(byte.ok_or_else(|| format!("index out of range: {at}"))?))
                }
                (Value::Map(map), Value::Text(key)) => map.get(&**key).cloned().unwrap_or(Value::Nil),
                (Value::Labels, Value::Text(key)) => Value::text(context.labels.get(key).unwrap_or_default()),
                (Value::Nil, _) => return Err("index of untyped nil".to_owned()),
                (value, key) => return Err(format!("can't index {} with {}", value.kind(), key.kind())),
            };
        }
        Ok(value)
    }),
    Function { name: "slice", least: 1, most: 3, flow: Flow::All(|_, values| slice(values)) },
    open("print", 0, |_, values| {
        let mut out = String::new();
        for (index, value) in values.iter().enumerate() {
            let is_text = |value: &Value| matches!(value, Value::Text(_));
            if index > 0 && !is_text(value) && !is_text(&values[index - 1]) {
                out.push(' ');
            }
            out.push_str(&value.to_string());
        }
        Ok(Value::owned(out))
    }),
    open("println", 0, |_, values| {
        let texts: Vec<_> = values.iter().map(ToString::to_string).collect();
        Ok(Value::owned(format!("{}\n", texts.join(" "))))
    }),
    open("printf", 1, |_, values| match values.split_first() {
        Some((Value::Text(format), rest)) => printf(format, rest).map(Value::owned),
        _ => Err("wrong type for value; expected string".to_owned()),
    }),
    open("html", 1, |_, values| Ok(Value::owned(encode::html(&joined(values))))),
    open("js", 1, |_, values| Ok(Value::owned(encode::js(&joined(values))))),
    open("urlquery", 1, |_, values| Ok(Value::owned(encode::query_escape(&joined(values))))),
    open("call", 1, |_, values| Err(format!("non-function of type {}", values.first().map_or("nil", Value::kind)))),
];

fn joined(values: &[Value]) -> String {
    values.iter().map(ToString::to_string).collect()
}

fn length(length: usize) -> Result<Value, String> {
    i64::try_from(length).map(Value::Int).map_err(|error| error.to_string())
}

fn pair(values: &[Value]) -> Result<(&Value, &Value), String> {
    match values {
        [left, right] => Ok((left, right)),
        _ => Err("missing argument for comparison".to_owned()),
    }
}

fn order(values: &[Value], fits: fn(Ordering) -> bool) -> Result<Value, String> {
    let (left, right) = pair(values)?;
    Ok(Value::Bool(left.compare(right)?.is_some_and(fits)))
}

fn slice(values: &[Value]) -> Result<Value, String> {
    let size = match values.first() {
        Some(Value::Text(text)) => text.len(),
        Some(Value::List(list)) => list.len(),
        other => return Err(format!("slice of {}", other.map_or("untyped nil", Value::kind))),
    };
    let bound = |at: usize, default: usize| match values.get(at) {
        None => Ok(default),
        Some(_) => usize::try_from(whole(values, at)?).map_err(|_| "index out of range".to_owned()),
    };
    let (start, end) = (bound(1, 0)?, bound(2, size)?);
    if start > end || end > size {
        return Err(format!("index out of range: {start}:{end}"));
    }
    match values.first() {
        Some(Value::Text(text)) => {
            text.get(start..end).map(Value::text).ok_or_else(|| "slice cuts a character in two".to_owned())
        }
        Some(Value::List(list)) => Ok(Value::List(list[start..end].into())),
        _ => Ok(Value::Nil),
    }
}
