//! Searches by tags, from before TraceQL, as the query that says the same.

use std::iter::Peekable;
use std::str::Chars;

use icegate_syntax::text::quote;
use icegate_traceql::ast::{Field, Query, Scope};
use icegate_traceql::{Status, parse};

use crate::TempoError;

/// The query that finds traces that have each of the tags on one of their spans; all traces without any.
///
/// Names of spans and services are looked for within the text that they have; other tags are the texts of attributes of the span or its
/// resource.
pub(crate) fn query(tags: &str) -> Result<Query, TempoError> {
    let filters: Vec<_> = read(tags)?.iter().map(|(key, value)| filter(key, value)).collect::<Result<_, _>>()?;
    let text = if filters.is_empty() { "{ }".to_owned() } else { filters.join(" && ") };
    parse(&text).map_err(TempoError::Parse)
}

fn filter(key: &str, value: &str) -> Result<String, TempoError> {
    let within = || quote(&format!(".*{}.*", regex::escape(value)));
    Ok(match key {
        "name" => format!("{{ name =~ {} }}", within()),
        "service.name" => format!("{{ resource.service.name =~ {} }}", within()),
        "root.name" => format!("{{ rootName =~ {} }}", within()),
        "root.service.name" => format!("{{ rootServiceName =~ {} }}", within()),
        "status.code" => match Status::ALL.into_iter().find(|status| status.name() == value) {
            Some(status) => format!("{{ status = {} }}", status.name()),
            None => return refused(format!("status.code={value}: allowed are unset, ok and error")),
        },
        _ => {
            let of = |scope| Field::attribute(Some(scope), key);
            let (span, resource, value) = (of(Scope::Span), of(Scope::Resource), quote(value));
            format!("{{ {span} = {value} || {resource} = {value} }}")
        }
    })
}

fn refused<T>(message: impl std::fmt::Display) -> Result<T, TempoError> {
    Err(TempoError::Parameters(format!("invalid tags: {message}")))
}

/// `a=b c="d e"`: pairs with spaces between, in logfmt.
fn read(text: &str) -> Result<Vec<(String, String)>, TempoError> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if chars.peek().is_none() {
            return Ok(pairs);
        }
        let key = plain(&mut chars, |c| c == '=' || c.is_whitespace());
        if key.is_empty() || key.contains('"') {
            return refused(format!("a tag has no name or a quote in it: {key:?}"));
        }
        if chars.next_if_eq(&'=').is_none() {
            return refused(format!("tag {key} has no value"));
        }
        let value = if chars.next_if_eq(&'"').is_some() { quoted(&mut chars)? } else { plain(&mut chars, char::is_whitespace) };
        if pairs.iter().any(|(known, _)| *known == key) {
            return refused(format!("tag {key} has been set twice"));
        }
        pairs.push((key, value));
    }
}

fn plain(chars: &mut Peekable<Chars<'_>>, ends: impl Fn(char) -> bool) -> String {
    std::iter::from_fn(|| chars.next_if(|c| !ends(*c))).collect()
}

/// The rest of a text behind its opening quote.
fn quoted(chars: &mut Peekable<Chars<'_>>) -> Result<String, TempoError> {
    let mut text = String::new();
    loop {
        match chars.next() {
            Some('"') => return Ok(text),
            Some('\\') => match chars.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some(c @ ('"' | '\\')) => text.push(c),
                _ => return refused("a quoted value has an escape other than \\\" \\\\ \\n \\t"),
            },
            Some(c) => text.push(c),
            None => return refused("a quoted value has no end"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_the_query_that_says_the_same() {
        for (tags, text) in [
            ("", "{ true }"),
            ("name=GET", r#"{ name =~ ".*GET.*" }"#),
            ("service.name=a.b", r#"{ resource.service.name =~ ".*a\\.b.*" }"#),
            ("status.code=error", "{ status = error }"),
            (
                r#"env=prod  x="a \"b\"""#,
                r#"{ span.env = "prod" || resource.env = "prod" } && { span.x = "a \"b\"" || resource.x = "a \"b\"" }"#,
            ),
        ] {
            assert_eq!(query(tags).unwrap(), parse(text).unwrap(), "{tags}");
        }
    }

    #[test]
    fn tags_that_cannot_be_meant_are_refused() {
        for (tags, message) in [
            ("a=b a=c", "invalid tags: tag a has been set twice"),
            ("a", "invalid tags: tag a has no value"),
            ("=b", "invalid tags: a tag has no name or a quote in it: \"\""),
            ("a=\"b", "invalid tags: a quoted value has no end"),
            ("status.code=2", "invalid tags: status.code=2: allowed are unset, ok and error"),
        ] {
            assert_eq!(query(tags).unwrap_err().to_string(), message, "{tags}");
        }
    }
}
