//! Regular expressions as the languages document them (RE2) in the syntax of the `regex` crate.
//!
//! What differs: `\d \w \s \b` are ASCII, `{` that starts no repetition is itself, `\Q…\E` quotes, names of groups may start
//! with a digit, and inside `[…]` the characters `[ & - ~` have no meaning of their own.

/// The same expression for the `regex` crate. An expression that is wrong in RE2 stays wrong.
///
/// ```
/// assert_eq!(icegate_syntax::re2::translate(r#"{"a":\d+}"#), r#"\{"a":[0-9]+}"#);
/// ```
#[must_use]
pub fn translate(expression: &str) -> String {
    let mut out = String::with_capacity(expression.len() + 8);
    let mut rest = expression;
    while let Some(next) = rest.chars().next() {
        rest = match next {
            '\\' => escape(rest, &mut out),
            '[' => class(rest, &mut out),
            '(' => group(rest, &mut out),
            '{' if !starts_repetition(rest) => push(&mut out, "\\{", &rest[1..]),
            _ => {
                out.push(next);
                &rest[next.len_utf8()..]
            }
        };
    }
    out
}

fn push<'a>(out: &mut String, text: &str, rest: &'a str) -> &'a str {
    out.push_str(text);
    rest
}

/// Takes the escape that `text` starts with.
fn escape<'a>(text: &'a str, out: &mut String) -> &'a str {
    let Some(kind) = text[1..].chars().next() else { return push(out, "\\", "") };
    let rest = &text[1 + kind.len_utf8()..];
    match kind {
        'd' => push(out, "[0-9]", rest),
        'D' => push(out, "[^0-9]", rest),
        'w' => push(out, "[0-9A-Za-z_]", rest),
        'W' => push(out, "[^0-9A-Za-z_]", rest),
        's' => push(out, "[\\t\\n\\f\\r ]", rest),
        'S' => push(out, "[^\\t\\n\\f\\r ]", rest),
        'b' => push(out, "(?-u:\\b)", rest),
        'Q' => {
            let length = rest.find("\\E").unwrap_or(rest.len());
            for char in rest[..length].chars() {
                quoted(char, out);
            }
            rest[length..].strip_prefix("\\E").unwrap_or_default()
        }
        _ => {
            out.push('\\');
            out.push(kind);
            rest
        }
    }
}

fn quoted(char: char, out: &mut String) {
    if "\\.+*?()|[]{}^$#&-~".contains(char) {
        out.push('\\');
    }
    out.push(char);
}

/// Takes the start of a group. A name may start with a digit in RE2, and gets `_` before it here.
fn group<'a>(text: &'a str, out: &mut String) -> &'a str {
    for start in ["(?P<", "(?<"] {
        if let Some(rest) = text.strip_prefix(start)
            && rest.starts_with(|first: char| first.is_ascii_digit())
        {
            out.push_str(start);
            return push(out, "_", rest);
        }
    }
    push(out, "(", &text[1..])
}

/// Takes the class that `text` starts with, or what there is of it.
fn class<'a>(text: &'a str, out: &mut String) -> &'a str {
    let mut rest = push(out, "[", &text[1..]);
    if let Some(negated) = rest.strip_prefix('^') {
        rest = push(out, "^", negated);
    }
    // A `]` right after the start is a member.
    if let Some(first) = rest.strip_prefix(']') {
        rest = push(out, "\\]", first);
    }
    while let Some(next) = rest.chars().next() {
        let after = &rest[next.len_utf8()..];
        rest = match next {
            ']' => return push(out, "]", after),
            '[' => match rest.strip_prefix("[:").and_then(|name| name.find(":]")) {
                Some(length) => push(out, &rest[..length + 4], &rest[length + 4..]),
                None => push(out, "\\[", after),
            },
            '\\' => class_escape(rest, out),
            '&' | '~' => {
                out.push('\\');
                push(out, &rest[..1], after)
            }
            '-' if after.starts_with('-') => push(out, "\\-", after),
            _ => {
                out.push(next);
                after
            }
        };
    }
    rest
}

fn class_escape<'a>(text: &'a str, out: &mut String) -> &'a str {
    let Some(kind) = text[1..].chars().next() else { return push(out, "\\", "") };
    let rest = &text[1 + kind.len_utf8()..];
    match kind {
        'd' => push(out, "0-9", rest),
        'w' => push(out, "0-9A-Za-z_", rest),
        's' => push(out, "\\t\\n\\f\\r ", rest),
        'D' => push(out, "[^0-9]", rest),
        'W' => push(out, "[^0-9A-Za-z_]", rest),
        'S' => push(out, "[^\\t\\n\\f\\r ]", rest),
        _ => {
            out.push('\\');
            out.push(kind);
            rest
        }
    }
}

/// Whether `text` starts with `{n}`, `{n,}` or `{n,m}`.
fn starts_repetition(text: &str) -> bool {
    let Some(length) = text.find('}') else { return false };
    let inner = &text[1..length];
    let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn differences_are_spelt_out_and_all_else_stays() {
        for (re2, regex) in [
            ("a.*b|c+?", "a.*b|c+?"),
            ("a{2,3}{x}", "a{2,3}\\{x}"),
            ("{", "\\{"),
            (r"\d\b", r"[0-9](?-u:\b)"),
            (r"[\d\s]", r"[0-9\t\n\f\r ]"),
            (r"\Qa.b\Ec.", r"a\.bc."),
            ("[[a&&b]", r"[\[a\&\&b]"),
            ("[[:alpha:]x]", "[[:alpha:]x]"),
            ("[]a]", r"[\]a]"),
            ("[^]a-z]", r"[^\]a-z]"),
            ("(", "("),
            ("(?P<1a>x)(?P<b>y)(?i)", "(?P<_1a>x)(?P<b>y)(?i)"),
            ("[a", "[a"),
            ("\\", "\\"),
        ] {
            assert_eq!(translate(re2), regex, "{re2}");
        }
    }
}
