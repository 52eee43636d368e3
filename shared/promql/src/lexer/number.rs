use crate::token::Kind;

/// How long the number or duration is that `text` starts with; else how long the part is that can't be either.
pub(super) fn scan(text: &str) -> Result<(usize, Kind), usize> {
    let bytes = text.as_bytes();
    let mut scan = Scan { bytes, at: 0 };
    if scan.number() && !scan.is_word() {
        return Ok((scan.at, Kind::Number));
    }
    if scan.duration() {
        return Ok((scan.at, Kind::Duration));
    }
    // The message shows the character that can't follow, too.
    let mut end = scan.at;
    while !text.is_char_boundary(end) {
        end += 1;
    }
    Err(end)
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, any: &[u8]) -> bool {
        let found = self.peek().is_some_and(|byte| any.contains(&byte));
        self.at += usize::from(found);
        found
    }

    fn is_word(&self) -> bool {
        self.peek().is_some_and(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
    }

    fn digits(&mut self, hexadecimal: bool) {
        while self.peek().is_some_and(|byte| if hexadecimal { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() }) {
            self.at += 1;
        }
    }

    /// Digits with a point, an exponent and underscores; `false` where it stops being a number, behind what is wrong.
    fn number(&mut self) -> bool {
        let is_hexadecimal = self.bytes.first() == Some(&b'0') && matches!(self.bytes.get(1), Some(b'x' | b'X'));
        if is_hexadecimal {
            self.at = 2;
            self.eat(b"_");
        } else {
            self.eat(b"0");
        }
        let (mut point, mut exponent) = (false, false);
        if !is_hexadecimal {
            self.eat(b".");
        }
        self.digits(is_hexadecimal);
        loop {
            match self.peek() {
                Some(b'.') => {
                    self.at += 1;
                    if point || is_hexadecimal || self.eat(b"_.") {
                        return false;
                    }
                    point = true;
                }
                Some(b'e' | b'E') if !is_hexadecimal => {
                    self.at += 1;
                    if exponent {
                        return false;
                    }
                    exponent = true;
                    self.eat(b"+-");
                    if self.eat(b"._eE") || self.peek().is_none() {
                        return false;
                    }
                }
                Some(b'_') => {
                    self.at += 1;
                    if self.eat(b"._eE") || self.peek().is_none() {
                        return false;
                    }
                }
                Some(byte) if byte.is_ascii_digit() || is_hexadecimal && byte.is_ascii_hexdigit() => self.digits(is_hexadecimal),
                _ => return true,
            }
        }
    }

    /// The unit of the number before, and further numbers with units.
    fn duration(&mut self) -> bool {
        if !self.eat(b"smhdwy") {
            return false;
        }
        self.eat(b"s");
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.digits(false);
            if !self.eat(b"smhdw") {
                return false;
            }
            self.eat(b"s");
        }
        if self.is_word() {
            self.at += 1;
            return false;
        }
        true
    }
}

/// The value of a number, or what is wrong with it. A leading zero makes it octal where all its digits are.
#[allow(clippy::cast_precision_loss, reason = "as the language reads numbers")]
pub(crate) fn value(text: &str) -> Result<f64, String> {
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "inf" => return Ok(f64::INFINITY),
        "nan" => return Ok(f64::NAN),
        _ => {}
    }
    let plain = lower.replace('_', "");
    if let Some(digits) = plain.strip_prefix("0x") {
        let mut value = 0.0;
        for digit in digits.chars() {
            value = value * 16.0 + f64::from(digit.to_digit(16).unwrap_or_default());
        }
        return Ok(i64::from_str_radix(digits, 16).map_or(value, |whole| whole as f64));
    }
    if plain.len() > 1
        && plain.starts_with('0')
        && let Ok(octal) = i64::from_str_radix(&plain, 8)
    {
        return Ok(octal as f64);
    }
    match plain.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(format!("error parsing number: strconv.ParseFloat: parsing {text:?}: value out of range")),
    }
}
