use std::fmt::{Display, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A JSON object under construction.
pub(super) struct Object<'a> {
    text: &'a mut String,
    empty: bool,
}

impl Object<'_> {
    /// Appends an object with the fields that `fields` adds.
    pub(super) fn write(text: &mut String, fields: impl FnOnce(&mut Object<'_>)) {
        text.push('{');
        fields(&mut Object { text, empty: true });
        text.push('}');
    }

    fn key(&mut self, key: &str) -> &mut String {
        if !self.empty {
            self.text.push(',');
        }
        self.empty = false;
        quote(self.text, key);
        self.text.push(':');
        self.text
    }

    /// Text, left out when empty.
    pub(super) fn text(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.any_text(key, value);
        }
    }

    /// Text, also empty.
    pub(super) fn any_text(&mut self, key: &str, value: &str) {
        quote(self.key(key), value);
    }

    /// Bytes in hexadecimal, left out when empty.
    pub(super) fn hex(&mut self, key: &str, value: &[u8]) {
        if !value.is_empty() {
            let text = self.key(key);
            text.push('"');
            value.iter().for_each(|byte| append(text, &format_args!("{byte:02x}")));
            text.push('"');
        }
    }

    /// Bytes in base64, also none.
    pub(super) fn base64(&mut self, key: &str, value: &[u8]) {
        self.any_text(key, &STANDARD.encode(value));
    }

    /// An integer of at most 32 bits or a boolean, left out when default.
    pub(super) fn small<T: Display + Default + PartialEq>(&mut self, key: &str, value: T) {
        if value != T::default() {
            self.any_small(key, value);
        }
    }

    /// An integer of at most 32 bits or a boolean.
    pub(super) fn any_small(&mut self, key: &str, value: impl Display) {
        append(self.key(key), &value);
    }

    /// An integer of 64 bits, as text; left out when zero.
    pub(super) fn large(&mut self, key: &str, value: u64) {
        if value != 0 {
            self.any_large(key, value);
        }
    }

    /// An integer of 64 bits, as text.
    pub(super) fn any_large(&mut self, key: &str, value: impl Display) {
        let text = self.key(key);
        append(text, &format_args!("\"{value}\""));
    }

    /// A float, left out when zero.
    pub(super) fn float(&mut self, key: &str, value: f64) {
        if value.to_bits() != 0 {
            self.any_float(key, value);
        }
    }

    /// A float, left out when absent.
    pub(super) fn optional_float(&mut self, key: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.any_float(key, value);
        }
    }

    /// A float, also zero.
    pub(super) fn any_float(&mut self, key: &str, value: f64) {
        float(self.key(key), value);
    }

    /// An object.
    pub(super) fn object(&mut self, key: &str, fields: impl FnOnce(&mut Object<'_>)) {
        Object::write(self.key(key), fields);
    }

    /// An array of objects, left out when empty.
    pub(super) fn objects<T>(&mut self, key: &str, items: &[T], fields: impl Fn(&mut Object<'_>, &T)) {
        if !items.is_empty() {
            self.all_objects(key, items, fields);
        }
    }

    /// An array of objects, also an empty one.
    pub(super) fn all_objects<T>(&mut self, key: &str, items: &[T], fields: impl Fn(&mut Object<'_>, &T)) {
        array(self.key(key), items, |text, item| Object::write(text, |object| fields(object, item)));
    }

    /// An array of 64-bit integers, as text; left out when empty.
    pub(super) fn larges(&mut self, key: &str, items: &[u64]) {
        if !items.is_empty() {
            array(self.key(key), items, |text, item| append(text, &format_args!("\"{item}\"")));
        }
    }

    /// An array of floats, left out when empty.
    pub(super) fn floats(&mut self, key: &str, items: &[f64]) {
        if !items.is_empty() {
            array(self.key(key), items, |text, item| float(text, *item));
        }
    }

    /// An array of texts, left out when empty.
    pub(super) fn texts(&mut self, key: &str, items: &[String]) {
        if !items.is_empty() {
            array(self.key(key), items, |text, item| quote(text, item));
        }
    }
}

fn array<T>(text: &mut String, items: &[T], mut write: impl FnMut(&mut String, &T)) {
    text.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write(text, item);
    }
    text.push(']');
}

fn append(text: &mut String, value: &dyn Display) {
    // Writing to a string has no way to fail.
    let _ = write!(text, "{value}");
}

/// Protobuf's JSON has text for what JSON has no number for.
fn float(text: &mut String, value: f64) {
    if value.is_finite() {
        // The form of `Debug` has an exponent where a number would otherwise be hundreds of digits long.
        append(text, &format_args!("{value:?}"));
    } else if value.is_nan() {
        text.push_str("\"NaN\"");
    } else {
        text.push_str(if value > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" });
    }
}

fn quote(text: &mut String, value: &str) {
    text.push('"');
    let mut plain = 0;
    for (at, byte) in value.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        text.push_str(&value[plain..at]);
        plain = at + 1;
        match byte {
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            b'\n' => text.push_str("\\n"),
            b'\t' => text.push_str("\\t"),
            b'\r' => text.push_str("\\r"),
            _ => append(text, &format_args!("\\u{byte:04x}")),
        }
    }
    text.push_str(&value[plain..]);
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(fields: impl FnOnce(&mut Object<'_>)) -> String {
        let mut text = String::new();
        Object::write(&mut text, fields);
        text
    }

    #[test]
    fn text_is_escaped_so_that_it_reads_back() {
        for text in ["", "plain", "a\"b\\c", "line\nnext\tcell\r", "\u{0}\u{1f}\u{7f}", "käse 🧀 \u{2028}", "\"", "\\"] {
            let json = written(|object| object.any_text("k", text));
            let read: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(read["k"], text, "{json}");
        }
    }

    #[test]
    fn floats_beyond_json_are_text_and_others_read_back_exactly() {
        let json = written(|object| object.floats("k", &[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.1, 1e300, -5e-324, 3.0]));
        assert!(json.starts_with(r#"{"k":["NaN","Infinity","-Infinity",0.1,"#), "{json}");
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["k"][4].as_f64(), Some(1e300));
        assert_eq!(read["k"][5].as_f64(), Some(-5e-324));
    }

    #[test]
    fn defaults_are_left_out_and_large_integers_are_text() {
        let json = written(|object| {
            object.text("a", "");
            object.small("b", 0);
            object.large("c", 0);
            object.float("d", 0.0);
            object.hex("e", &[]);
            object.optional_float("f", None);
            object.optional_float("g", Some(0.0));
            object.large("h", u64::MAX);
            object.any_large("i", i64::MIN);
            object.small("j", true);
            object.hex("k", &[0, 0xab]);
            object.base64("l", &[1, 2, 3]);
        });
        assert_eq!(json, r#"{"g":0.0,"h":"18446744073709551615","i":"-9223372036854775808","j":true,"k":"00ab","l":"AQID"}"#);
    }
}
