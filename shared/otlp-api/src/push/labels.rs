use icegate_syntax::{Cursor, text};

/// Reads `{name="value", other="value"}`, as Prometheus writes labels; a comma may stand behind the last one.
pub(super) fn read(labels: &str) -> Result<Vec<(String, String)>, String> {
    let mut cursor = Cursor::new(labels);
    let mut read = Vec::new();
    expect(&mut cursor, "{")?;
    loop {
        skip_space(&mut cursor);
        if cursor.eat("}") {
            break;
        }
        let name = cursor.eat_while(|char| char.is_alphanumeric() || char == '_');
        if name.is_empty() {
            return Err(unexpected(&cursor, "a label name or }"));
        }
        expect(&mut cursor, "=")?;
        skip_space(&mut cursor);
        let (value, length) = text::read(cursor.rest()).map_err(|error| format!("{error} at byte {}", cursor.offset()))?;
        cursor.advance(length);
        read.push((name.to_owned(), value));
        skip_space(&mut cursor);
        if !cursor.eat(",") {
            expect(&mut cursor, "}")?;
            break;
        }
    }
    skip_space(&mut cursor);
    if cursor.rest().is_empty() { Ok(read) } else { Err(unexpected(&cursor, "the end")) }
}

fn expect(cursor: &mut Cursor<'_>, what: &str) -> Result<(), String> {
    skip_space(cursor);
    if cursor.eat(what) { Ok(()) } else { Err(unexpected(cursor, what)) }
}

fn skip_space(cursor: &mut Cursor<'_>) {
    cursor.eat_while(char::is_whitespace);
}

fn unexpected(cursor: &Cursor<'_>, expected: &str) -> String {
    match cursor.peek() {
        Some(found) => format!("unexpected {found:?} at byte {}, expected {expected}", cursor.offset()),
        None => format!("unexpected end, expected {expected}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_read_as_prometheus_writes_them() {
        let pairs = |pairs: &[(&str, &str)]| Ok(pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect());
        assert_eq!(read("{}"), pairs(&[]));
        assert_eq!(read(r#" { app = "x y" , by="a\"}\n", } "#), pairs(&[("app", "x y"), ("by", "a\"}\n")]));
        assert_eq!(read(r#"{a="",_="ü"}"#), pairs(&[("a", ""), ("_", "ü")]));
    }

    #[test]
    fn what_is_no_label_set_is_refused_with_its_place() {
        for (labels, error) in [
            ("", "unexpected end, expected {"),
            ("{", "unexpected end, expected a label name or }"),
            ("{a}", "unexpected '}' at byte 2, expected ="),
            (r#"{a="b}"#, "literal not terminated at byte 3"),
            (r#"{a="b" c="d"}"#, "unexpected 'c' at byte 7, expected }"),
            (r#"{a="b"}x"#, "unexpected 'x' at byte 7, expected the end"),
            (r#"{a=~"b"}"#, "literal not terminated at byte 3"),
        ] {
            assert_eq!(read(labels), Err(error.to_owned()), "{labels}");
        }
    }
}
