use std::fmt;

use serde::{Serialize, Serializer};

/// A sample's value as Loki writes it: a string of the shortest decimal that reads back equal, never with an exponent.
pub(super) struct Value(pub(super) f64);

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            f64::INFINITY => f.write_str("+Inf"),
            f64::NEG_INFINITY => f.write_str("-Inf"),
            value => write!(f, "{value}"),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A sample's time, given in nanoseconds: a number of seconds, to the millisecond.
pub(super) struct Seconds(pub(super) i64);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let millis = self.0.div_euclid(1_000_000);
        if millis % 1_000 == 0 {
            return serializer.serialize_i64(millis / 1_000);
        }
        #[allow(clippy::cast_precision_loss, reason = "milliseconds of 64-bit nanoseconds have less than 53 bits")]
        serializer.serialize_f64(millis as f64 / 1e3)
    }
}

/// A line's time: a string of nanoseconds.
pub(super) struct Nanos(pub(super) i64);

impl Serialize for Nanos {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
