//! How the type of a value that is not a string is written in a `*_types` column.
//!
//! The text column holds a form for people, the type says how to read it back:
//!
//! | type | text |
//! |---|---|
//! | (absent) | the string itself |
//! | `int` | decimal |
//! | `double` | shortest decimal that reads back equal; `NaN`, `Infinity`, `-Infinity` |
//! | `bool` | `true`, `false` |
//! | `bytes` | base64, standard alphabet with padding |
//! | `json` | an array or key-value list as plain JSON: strings, booleans, integers without and doubles with a point or exponent |
//! | `empty` | NULL: a value message without a value |
//! | `otlp:` + OTLP/JSON | any value that plain JSON can't hold (bytes, NaN, empty values or repeated keys inside); the text is the nearest plain JSON |

/// A signed 64-bit integer.
pub const INT: &str = "int";
/// A 64-bit float.
pub const DOUBLE: &str = "double";
/// A boolean.
pub const BOOL: &str = "bool";
/// Bytes, base64 in the text.
pub const BYTES: &str = "bytes";
/// An array or key-value list whose plain JSON loses nothing.
pub const JSON: &str = "json";
/// A value message without a value.
pub const EMPTY: &str = "empty";
/// Prefix of a type that carries the exact value as OTLP/JSON.
pub const OTLP_PREFIX: &str = "otlp:";
