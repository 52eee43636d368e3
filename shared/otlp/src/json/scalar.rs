use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use opentelemetry_proto::tonic::logs::v1::SeverityNumber;
use opentelemetry_proto::tonic::metrics::v1::AggregationTemporality;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use serde_json::value::RawValue;

use super::message::Member;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// Text.
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

/// `true` or `false`.
pub(super) struct Bool(pub(super) bool);

impl<'de> Deserialize<'de> for Bool {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bool::deserialize(deserializer).map(Self)
    }
}

macro_rules! integer {
    ($(#[$doc:meta])* $name:ident($type:ty), $expected:literal) => {
        $(#[$doc])*
        pub(super) struct $name(pub(super) $type);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Integer;
                impl Visitor<'_> for Integer {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_u64<E: Error>(self, number: u64) -> Result<$name, E> {
                        number.try_into().map($name).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
                    }

                    fn visit_i64<E: Error>(self, number: i64) -> Result<$name, E> {
                        number.try_into().map($name).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
                    }

                    fn visit_f64<E: Error>(self, number: f64) -> Result<$name, E> {
                        whole(number)
                            .and_then(|number| number.try_into().ok())
                            .map($name)
                            .ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
                    }

                    fn visit_str<E: Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map($name).map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
                    }
                }
                deserializer.deserialize_any(Integer)
            }
        }
    };
}

integer!(
    /// An unsigned 64-bit integer.
    U64(u64), "an unsigned 64-bit integer as number or text");
integer!(
    /// A signed 64-bit integer.
    I64(i64), "a signed 64-bit integer as number or text");
integer!(
    /// An unsigned 32-bit integer.
    U32(u32), "an unsigned 32-bit integer");
integer!(
    /// A signed 32-bit integer.
    I32(i32), "a signed 32-bit integer");

/// The integer that a number such as `1e3` is; `None` beyond the integers that a double holds exactly.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation, reason = "a whole number within 2^53")]
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

/// A double, read from its digits: `serde_json`'s own reading may be one unit off in the last place.
pub(super) struct F64(pub(super) f64);

impl<'de> Deserialize<'de> for F64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let text = match raw.as_bytes().first() {
            Some(b'"') => serde_json::from_str::<Member<'_>>(raw).map_err(D::Error::custom)?.0,
            _ => Cow::Borrowed(raw),
        };
        let number = match text.as_ref() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            digits if digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) => {
                digits.parse().ok().filter(|number: &f64| number.is_finite())
            }
            _ => None,
        };
        let expected = "a 64-bit float, \"NaN\", \"Infinity\" or \"-Infinity\"";
        number.map(Self).ok_or_else(|| D::Error::custom(format_args!("invalid value {raw}, expected {expected}")))
    }
}

/// Bytes as base64 of either alphabet, padded or not.
pub(super) struct Bytes(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Member(text) = Member::deserialize(deserializer)?;
        base64(&text).map(Self).ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), &"bytes as base64"))
    }
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let engine = if text.contains(['-', '_']) { BASE64_URL } else { BASE64 };
    engine.decode(text).ok()
}

/// An id of `LENGTH` bytes as hex of either case, or as base64 as generic protobuf-JSON writers put it.
///
/// Hex of another length is read too: such an id refuses its record, not the request.
pub(super) struct Id<const LENGTH: usize>(pub(super) Vec<u8>);

/// 16 bytes.
pub(super) type TraceId = Id<16>;
/// 8 bytes.
pub(super) type SpanId = Id<8>;

impl<'de, const LENGTH: usize> Deserialize<'de> for Id<LENGTH> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Member(text) = Member::deserialize(deserializer)?;
        if let Ok(id) = hex::decode(text.as_bytes()) {
            return Ok(Self(id));
        }
        let base64_length = LENGTH.div_ceil(3) * 4;
        let id = (text.len() == base64_length).then(|| base64(&text)).flatten().filter(|id| id.len() == LENGTH);
        id.map(Self).ok_or_else(|| {
            let digits = LENGTH * 2;
            D::Error::custom(format_args!("invalid id {text:?}, allowed are {digits} hex digits or base64 of {LENGTH} bytes"))
        })
    }
}

macro_rules! enumeration {
    ($name:ident, $type:ty, $what:literal) => {
        #[doc = concat!("The number of a ", $what, ", from its number or its name in the protocol.")]
        pub(super) struct $name(pub(super) i32);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Number;
                impl Visitor<'_> for Number {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("a number or protocol name of ", $what))
                    }

                    fn visit_u64<E: Error>(self, number: u64) -> Result<$name, E> {
                        number.try_into().map($name).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
                    }

                    fn visit_i64<E: Error>(self, number: i64) -> Result<$name, E> {
                        number.try_into().map($name).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
                    }

                    fn visit_str<E: Error>(self, text: &str) -> Result<$name, E> {
                        let known = <$type>::from_str_name(text);
                        known.map(|known| $name(known as i32)).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
                    }
                }
                deserializer.deserialize_any(Number)
            }
        }
    };
}

enumeration!(Severity, SeverityNumber, "SeverityNumber");
enumeration!(Kind, SpanKind, "SpanKind");
enumeration!(Code, StatusCode, "StatusCode");
enumeration!(Temporality, AggregationTemporality, "AggregationTemporality");
