use icegate_syntax::text;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A field of an object.
    Field(String),
    /// An element of an array.
    Index(usize),
}

/// How many steps a path may have.
const MAX_PARTS: usize = 128;

/// Reads `a.b[0]["c d"]`.
pub(crate) fn parse(path: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = path.trim();
    while !rest.is_empty() {
        if parts.len() == MAX_PARTS {
            return Err(format!("more than {MAX_PARTS} steps"));
        }
        rest = match rest.strip_prefix('[') {
            Some(inner) => bracket(inner, &mut parts)?,
            None => {
                let dotted = rest.strip_prefix('.');
                if dotted.is_some() == parts.is_empty() {
                    return Err(unexpected(rest));
                }
                field(dotted.unwrap_or(rest), &mut parts)?
            }
        };
    }
    Ok(parts)
}

fn field<'a>(text: &'a str, parts: &mut Vec<Part>) -> Result<&'a str, String> {
    let length = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-' || c == '@')).unwrap_or(text.len());
    if length == 0 {
        return Err(unexpected(text));
    }
    parts.push(Part::Field(text[..length].to_owned()));
    Ok(&text[length..])
}

fn bracket<'a>(text: &'a str, parts: &mut Vec<Part>) -> Result<&'a str, String> {
    let rest = if text.starts_with('"') {
        let (name, length) = text::read(text).map_err(|error| error.to_string())?;
        parts.push(Part::Field(name));
        &text[length..]
    } else {
        let length = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        parts.push(Part::Index(text[..length].parse().map_err(|_| unexpected(text))?));
        &text[length..]
    };
    rest.strip_prefix(']').ok_or_else(|| if rest.is_empty() { "expecting ]".to_owned() } else { unexpected(rest) })
}

fn unexpected(rest: &str) -> String {
    rest.chars().next().map_or_else(|| "unexpected end".to_owned(), |char| format!("unexpected {char:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_fields_and_indexes() {
        let text = |path| {
            parse(path)
                .unwrap()
                .iter()
                .map(|part| match part {
                    Part::Field(name) => format!("<{name}>"),
                    Part::Index(index) => format!("<#{index}>"),
                })
                .collect::<String>()
        };
        assert_eq!(text("a.b[0][\"c d\"].e"), "<a><b><#0><c d><e>");
        assert_eq!(text("[\"pod\"].uuid"), "<pod><uuid>");
        assert_eq!(text("[3]"), "<#3>");
    }

    #[test]
    fn other_texts_are_errors() {
        for bad in [
            "a b",
            "\"pod\"]",
            "[\"pod\"",
            "[\"pod\"\"x\"]",
            "a..b",
            "[\"key",
            ".a",
            "a.",
            "[x]",
            "[-1]",
            "[99999999999999999999]",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
