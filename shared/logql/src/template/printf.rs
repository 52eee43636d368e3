//! Go's `printf`.

use super::number;
use super::value::Value;

/// Characters that one verb may be padded to.
const MAX_WIDTH: usize = 1 << 16;

/// Flags, width and precision of a verb.
#[derive(Clone, Copy, Debug, Default)]
struct Spec {
    minus: bool,
    plus: bool,
    sharp: bool,
    blank: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// The format with its verbs replaced. What doesn't fit shows as Go shows it: `%!d(string=x)`.
pub(crate) fn printf(format: &str, values: &[Value]) -> Result<String, String> {
    let mut out = String::new();
    let mut values = values.iter();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let (spec, after) = spec(&rest[at + 1..], &mut values)?;
        let Some(verb) = after.chars().next() else {
            out.push_str("%!(NOVERB)");
            return Ok(out);
        };
        rest = &after[verb.len_utf8()..];
        if verb == '%' {
            out.push('%');
            continue;
        }
        match values.next() {
            Some(value) => out.push_str(&padded(verbatim(verb, value, spec), spec)),
            None => out.push_str(&format!("%!{verb}(MISSING)")),
        }
    }
    out.push_str(rest);
    let extra: Vec<_> = values.map(|value| format!("{}={value}", value.kind())).collect();
    if !extra.is_empty() {
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    Ok(out)
}

fn spec<'a>(text: &'a str, values: &mut std::slice::Iter<'_, Value>) -> Result<(Spec, &'a str), String> {
    let mut spec = Spec::default();
    let mut rest = text;
    loop {
        let flag = match rest.as_bytes().first() {
            Some(b'-') => &mut spec.minus,
            Some(b'+') => &mut spec.plus,
            Some(b'#') => &mut spec.sharp,
            Some(b' ') => &mut spec.blank,
            Some(b'0') => &mut spec.zero,
            _ => break,
        };
        *flag = true;
        rest = &rest[1..];
    }
    let (width, minus, after) = size(rest, values)?;
    (spec.width, rest) = (width, after);
    spec.minus |= minus;
    if let Some(after) = rest.strip_prefix('.') {
        let (precision, _, after) = size(after, values)?;
        (spec.precision, rest) = (Some(precision.unwrap_or(0)), after);
    }
    Ok((spec, rest))
}

/// Digits, or `*` for the next value; whether it was negative.
fn size<'a>(text: &'a str, values: &mut std::slice::Iter<'_, Value>) -> Result<(Option<usize>, bool, &'a str), String> {
    let bounded = |size: usize| if size > MAX_WIDTH { Err(format!("width {size} is above {MAX_WIDTH}")) } else { Ok(Some(size)) };
    if let Some(rest) = text.strip_prefix('*') {
        return match values.next() {
            Some(Value::Int(size)) => Ok((bounded(usize::try_from(size.unsigned_abs()).unwrap_or(usize::MAX))?, *size < 0, rest)),
            _ => Ok((None, false, rest)),
        };
    }
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    if count == 0 {
        return Ok((None, false, text));
    }
    Ok((bounded(text[..count].parse().unwrap_or(usize::MAX))?, false, &text[count..]))
}

fn padded(text: String, spec: Spec) -> String {
    let missing = spec.width.unwrap_or(0).saturating_sub(text.chars().count());
    if missing == 0 {
        return text;
    }
    if spec.minus {
        return format!("{text}{}", " ".repeat(missing));
    }
    if spec.zero {
        let sign = usize::from(text.starts_with(['+', '-']));
        return format!("{}{}{}", &text[..sign], "0".repeat(missing), &text[sign..]);
    }
    format!("{}{text}", " ".repeat(missing))
}

fn verbatim(verb: char, value: &Value, spec: Spec) -> String {
    let wrong = || format!("%!{verb}({}={value})", value.kind());
    match (verb, value) {
        ('v', Value::Text(text)) if spec.sharp => format!("{text:?}"),
        ('v', Value::Int(value)) => signed(value.to_string(), spec),
        ('v', Value::Float(_)) => float('g', value, spec).unwrap_or_else(wrong),
        ('v', _) => value.to_string(),
        ('s', Value::Text(text)) => cut(text, spec),
        ('s', Value::Time(_) | Value::List(_) | Value::Map(_) | Value::Labels) => cut(&value.to_string(), spec),
        ('q', Value::Text(text)) => icegate_syntax::text::quote(&cut(text, spec)),
        ('x', Value::Text(text)) => hex::encode(cut(text, spec)),
        ('X', Value::Text(text)) => hex::encode_upper(cut(text, spec)),
        ('t', Value::Bool(value)) => value.to_string(),
        ('T', _) => value.kind().to_owned(),
        ('e' | 'E' | 'f' | 'F' | 'g' | 'G', _) => float(verb, value, spec).unwrap_or_else(wrong),
        (_, Value::Int(number)) => integer(verb, *number, spec).unwrap_or_else(wrong),
        _ => wrong(),
    }
}

fn cut(text: &str, spec: Spec) -> String {
    spec.precision.map_or_else(|| text.to_owned(), |count| text.chars().take(count).collect())
}

fn signed(text: String, spec: Spec) -> String {
    match (text.starts_with('-'), spec.plus, spec.blank) {
        (false, true, _) => format!("+{text}"),
        (false, false, true) => format!(" {text}"),
        _ => text,
    }
}

fn integer(verb: char, number: i64, spec: Spec) -> Option<String> {
    let sign = if number < 0 { "-" } else { "" };
    let size = number.unsigned_abs();
    let prefixed = |prefix: &str, digits: String| format!("{sign}{}{digits}", if spec.sharp { prefix } else { "" });
    let text = match verb {
        'd' => number.to_string(),
        'b' => prefixed("0b", format!("{size:b}")),
        'o' => prefixed("0", format!("{size:o}")),
        'O' => format!("{sign}0o{size:o}"),
        'x' => prefixed("0x", format!("{size:x}")),
        'X' => prefixed("0X", format!("{size:X}")),
        'c' => return char::from_u32(u32::try_from(number).ok()?).map(String::from),
        'q' => return char::from_u32(u32::try_from(number).ok()?).map(|char| format!("{char:?}")),
        'U' => return Some(format!("U+{size:04X}")),
        _ => return None,
    };
    Some(signed(text, spec))
}

fn float(verb: char, value: &Value, spec: Spec) -> Option<String> {
    let Value::Float(value) = *value else { return None };
    if !value.is_finite() {
        return Some(number::general(value));
    }
    let scientific = |digits: Option<usize>| {
        let text = digits.map_or_else(|| format!("{value:e}"), |digits| format!("{value:.digits$e}"));
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        (mantissa.to_owned(), exponent.parse::<i32>().unwrap_or_default())
    };
    let text = match verb {
        'f' | 'F' => format!("{value:.*}", spec.precision.unwrap_or(6)),
        'e' | 'E' => {
            let (mantissa, exponent) = scientific(Some(spec.precision.unwrap_or(6)));
            number::with_exponent(&mantissa, exponent, verb)
        }
        _ => match spec.precision {
            None => number::general(value),
            Some(precision) => {
                let precision = precision.max(1);
                let (mantissa, exponent) = scientific(Some(precision - 1));
                let trimmed = |text: &str| match text.contains('.') {
                    true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                    false => text.to_owned(),
                };
                let is_large = usize::try_from(exponent).is_ok_and(|exponent| exponent >= precision);
                if exponent < -4 || is_large {
                    number::with_exponent(&trimmed(&mantissa), exponent, 'e')
                } else {
                    let digits = i64::try_from(precision).unwrap_or(i64::MAX) - 1 - i64::from(exponent);
                    trimmed(&format!("{value:.*}", usize::try_from(digits).unwrap_or(0)))
                }
            }
        },
    };
    Some(signed(text, spec))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_print_as_in_go() {
        let text = Value::text("héllo");
        for (format, value, expected) in [
            ("%s|", text.clone(), "héllo|"),
            ("%-7.3s|", text.clone(), "hél    |"),
            ("%q", Value::text("a\"b"), "\"a\\\"b\""),
            ("%x", Value::text("az"), "617a"),
            ("%5d|%%", Value::Int(-3), "   -3|%"),
            ("%05d", Value::Int(-3), "-0003"),
            ("%+d", Value::Int(3), "+3"),
            ("%#x", Value::Int(255), "0xff"),
            ("%c", Value::Int(233), "é"),
            ("%.2f", Value::Float(2.71438), "2.71"),
            ("%8.1f|", Value::Float(2.71438), "     2.7|"),
            ("%e", Value::Float(1234.5), "1.234500e+03"),
            ("%g", Value::Float(1e-7), "1e-07"),
            ("%.3g", Value::Float(1234.5), "1.23e+03"),
            ("%v", Value::Float(2.5), "2.5"),
            ("%t", Value::Bool(true), "true"),
            ("%d", text.clone(), "%!d(string=héllo)"),
            ("%T", text, "string"),
        ] {
            assert_eq!(printf(format, &[value]).unwrap(), expected, "{format}");
        }
        assert_eq!(printf("%d %d", &[Value::Int(1)]).unwrap(), "1 %!d(MISSING)");
        assert_eq!(printf("x", &[Value::Int(1)]).unwrap(), "x%!(EXTRA int=1)");
        assert_eq!(printf("%*d", &[Value::Int(3), Value::Int(1)]).unwrap(), "  1");
        assert_eq!(printf("100%", &[]).unwrap(), "100%!(NOVERB)");
        assert!(printf("%999999999d", &[Value::Int(1)]).is_err());
    }
}
