//! Regular expressions: RE2, over the whole text, `.` takes newlines too.

use icegate_syntax::re2;
use regex::{Regex, RegexBuilder};

/// Bytes of the largest compiled expression.
const MAX_COMPILED_BYTES: usize = 4 << 20;

/// Compiles an expression that has to fit the whole text; else says why it can't be.
pub(crate) fn whole(expression: &str) -> Result<Regex, String> {
    let translated = re2::translate(expression);
    // Alone first, so that a stray bracket doesn't close the group around it.
    let alone = build(&translated)?;
    drop(alone);
    build(&format!("^(?:{translated})$"))
}

fn build(expression: &str) -> Result<Regex, String> {
    RegexBuilder::new(expression).dot_matches_new_line(true).size_limit(MAX_COMPILED_BYTES).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(limit) => format!("compiled regular expression exceeds {limit} bytes"),
        error => error.to_string().lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_fits_whole_texts_only_and_dots_take_newlines() {
        let regex = whole("a|b.*").unwrap();
        assert!(regex.is_match("b\nc"));
        assert!(!regex.is_match("ab"));
        for bad in ["[", "a)(b", "(x{1000}){1000}"] {
            assert!(whole(bad).is_err(), "{bad}");
        }
    }
}
