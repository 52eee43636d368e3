//! `| json`: all fields of a line that is an object.

mod fields;
mod path;
mod paths;
mod scan;

pub(crate) use fields::paths as paths_of;
pub(crate) use path::{Part, parse as parse_path};
pub(crate) use paths::JsonPaths;
pub(crate) use scan::{Scanner, Token};

use super::extract::{Extract, Wanted, push_name};
use crate::rows::{Names, RowLabels};

/// What a line that isn't JSON leaves.
pub(crate) const MALFORMED: &str = "JSONParserErr";

/// How deep objects may nest.
const MAX_DEPTH: usize = 128;

/// Takes every field; names of nested ones are joined with `_`, arrays and null are left out. What was read before an error stays.
pub(crate) fn parse(line: &str, labels: &mut RowLabels, names: &mut Names, wanted: &Wanted) {
    if wanted.is_nothing() {
        return;
    }
    let extract = Extract::new(labels, names, wanted);
    let mut walk = Walk { extract, name: String::new(), depth: 0 };
    if let Err(Stop::Malformed(details)) = walk.object(&mut Scanner::new(line)) {
        walk.extract.fail(MALFORMED, || details.to_owned());
    }
}

/// Why a walk ends early.
enum Stop {
    Malformed(&'static str),
    Enough,
}

impl From<&'static str> for Stop {
    fn from(details: &'static str) -> Self {
        Self::Malformed(details)
    }
}

struct Walk<'a> {
    extract: Extract<'a>,
    /// Names of the objects around.
    name: String,
    depth: usize,
}

impl Walk<'_> {
    fn object(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        scanner.open_object()?;
        while let Some(key) = scanner.key()? {
            let length = self.name.len();
            if length > 0 && !key.trim().is_empty() {
                self.name.push('_');
            }
            push_name(&mut self.name, &key);
            self.value(scanner)?;
            self.name.truncate(length);
            scanner.after_value()?;
        }
        Ok(())
    }

    fn value(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        if scanner.is_object() {
            // An object that never ends has no fields; below the first one, all end that began.
            if self.depth == 0 {
                scanner.clone().skip()?;
            }
            if self.depth == MAX_DEPTH {
                return Err(Stop::Malformed("objects nest deeper than 128"));
            }
            self.depth += 1;
            let result = self.object(scanner);
            self.depth -= 1;
            return result;
        }
        let goes_on = match scanner.value()? {
            Token::Text(text) => self.extract.take(&self.name, &text),
            Token::Bare(text) if text != "null" => self.extract.take(&self.name, text),
            _ => true,
        };
        if goes_on { Ok(()) } else { Err(Stop::Enough) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use icegate_series::Labels;

    fn parsed(line: &str) -> String {
        let mut labels = RowLabels::new(Labels::empty());
        parse(line, &mut labels, &mut Names::default(), &Wanted::All);
        labels.parsed_labels().to_string()
    }

    #[test]
    fn fields_become_labels() {
        for (line, labels) in [
            (
                r#"{"a":1.50,"b":{"c":"x","d.e":true},"f":null,"g":[1,{"h":2}],"i":""}"#,
                r#"{a="1.50", b_c="x", b_d_e="true", i=""}"#,
            ),
            (r#" { "a" : "\u00e9\n\"\ud83c\udf89" } tail"#, r#"{a="é\n\"🎉"}"#),
            ("{}", "{}"),
        ] {
            assert_eq!(parsed(line), labels, "{line}");
        }
    }

    #[test]
    fn what_was_read_before_an_error_stays() {
        for (line, labels) in [
            (
                r#"{"a":1,"b":2"#,
                r#"{__error__="JSONParserErr", __error_details__="Value is array, but can't find closing ']' symbol", a="1", b="2"}"#,
            ),
            (
                r#"{"a":1,"b":{"c":2,"d":{"#,
                r#"{__error__="JSONParserErr", __error_details__="Value looks like object, but can't find closing '}' symbol", a="1"}"#,
            ),
            (r#"{"a":1,"b":nul}"#, r#"{__error__="JSONParserErr", __error_details__="Unknown value type", a="1"}"#),
            (
                "",
                r#"{__error__="JSONParserErr", __error_details__="Value looks like object, but can't find closing '}' symbol"}"#,
            ),
            (
                "[1]",
                r#"{__error__="JSONParserErr", __error_details__="Value looks like object, but can't find closing '}' symbol"}"#,
            ),
        ] {
            assert_eq!(parsed(line), labels, "{line}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_stack_overflow() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
        assert!(parsed(&deep).contains("nest deeper than 128"));
        assert!(parsed(&r#"{"a":"#.repeat(10_000)).contains(MALFORMED));
    }
}
