//! `| unpack`: texts of an object, and the line that was packed in it.

use std::borrow::Cow;

use super::extract::{Extract, Wanted, push_name};
use super::json::{MALFORMED, Scanner, Token};
use crate::rows::{Names, RowLabels};

/// The field that holds the line.
const ENTRY: &str = "_entry";

/// Takes labels and gives the line that was packed; without one nothing changes. Where nobody asks for labels, nothing fails either.
pub(crate) fn unpack<'a>(line: &'a str, labels: &mut RowLabels, names: &mut Names, wanted: &Wanted) -> Option<Cow<'a, str>> {
    if line.is_empty() {
        return None;
    }
    let mut scanner = Scanner::new(line);
    if wanted.is_nothing() {
        return if scanner.is_object() { texts(&mut scanner).ok().and_then(|(_, entry)| entry) } else { None };
    }
    let mut extract = Extract::new(labels, names, wanted);
    if !scanner.is_object() {
        extract.fail(MALFORMED, || "expecting json object(6), but it is not".to_owned());
        return None;
    }
    match texts(&mut scanner) {
        Err(details) => {
            extract.fail(MALFORMED, || details.to_owned());
            None
        }
        Ok((_, None)) => None,
        Ok((fields, entry)) => {
            for (key, value) in fields {
                let mut name = String::new();
                push_name(&mut name, &key);
                extract.take(&name, &value);
            }
            entry
        }
    }
}

type Texts<'a> = (Vec<(Cow<'a, str>, Cow<'a, str>)>, Option<Cow<'a, str>>);

fn texts<'a>(scanner: &mut Scanner<'a>) -> Result<Texts<'a>, &'static str> {
    let (mut fields, mut entry) = (Vec::new(), None);
    scanner.open_object()?;
    while let Some(key) = scanner.key()? {
        match scanner.value()? {
            Token::Text(value) if key == ENTRY => entry = Some(value),
            Token::Text(value) => fields.push((key, value)),
            _ => {}
        }
        scanner.after_value()?;
    }
    Ok((fields, entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use icegate_series::Labels;

    #[test]
    fn only_a_packed_line_is_unpacked() {
        for (line, labels, entry) in [
            (r#"{"a":"1","b":2,"c.d":"x","_entry":"the \"line\""}"#, r#"{a="1", c_d="x"}"#, Some("the \"line\"")),
            (r#"{"a":"1"}"#, "{}", None),
            ("", "{}", None),
            ("[1]", r#"{__error__="JSONParserErr", __error_details__="expecting json object(6), but it is not"}"#, None),
        ] {
            let mut found = RowLabels::new(Labels::empty());
            let unpacked = unpack(line, &mut found, &mut Names::default(), &Wanted::All);
            assert_eq!((found.parsed_labels().to_string().as_str(), unpacked.as_deref()), (labels, entry), "{line}");
        }
    }
}
