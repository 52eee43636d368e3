//! Typed values, as queries write them and spans carry them.

use std::cmp::Ordering;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use icegate_syntax::{duration, text};

/// How a span ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Status {
    /// Not said.
    #[default]
    Unset,
    /// Well.
    Ok,
    /// With an error.
    Error,
}

/// Which side of a call a span is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Not said.
    #[default]
    Unspecified,
    /// Inside one service.
    Internal,
    /// Answers a call.
    Server,
    /// Makes a call.
    Client,
    /// Sends a message.
    Producer,
    /// Takes a message.
    Consumer,
}

impl Status {
    /// By number in OTLP.
    pub const ALL: [Self; 3] = [Self::Unset, Self::Ok, Self::Error];

    /// As queries write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unset => "unset",
            Self::Ok => "ok",
            Self::Error => "error",
        }
    }
}

impl Kind {
    /// By number in OTLP.
    pub const ALL: [Self; 6] = [Self::Unspecified, Self::Internal, Self::Server, Self::Client, Self::Producer, Self::Consumer];

    /// As queries write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }
}

/// A value with its type.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// There is none.
    #[default]
    Nil,
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// A text.
    Text(Arc<str>),
    /// Nanoseconds.
    Duration(i64),
    /// How a span ended.
    Status(Status),
    /// Which side of a call a span is.
    Kind(Kind),
    /// Several values of one type. Comparisons look at each.
    Array(Arc<[Self]>),
}

impl Value {
    /// A text.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }

    /// The type as errors name it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "TypeNil",
            Self::Int(_) => "TypeInt",
            Self::Float(_) => "TypeFloat",
            Self::Bool(_) => "TypeBoolean",
            Self::Text(_) => "TypeString",
            Self::Duration(_) => "TypeDuration",
            Self::Status(_) => "TypeStatus",
            Self::Kind(_) => "TypeKind",
            Self::Array(values) => match values.first() {
                Some(Self::Int(_)) => "TypeIntArray",
                Some(Self::Float(_)) => "TypeFloatArray",
                Some(Self::Bool(_)) => "TypeBooleanArray",
                _ => "TypeStringArray",
            },
        }
    }

    /// As a number, durations in nanoseconds.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "numbers mix as floating point numbers do")]
    pub const fn number(&self) -> Option<f64> {
        match self {
            Self::Int(value) | Self::Duration(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// As a whole number, durations in nanoseconds.
    pub(crate) const fn whole(&self) -> Option<i64> {
        match self {
            Self::Int(value) | Self::Duration(value) => Some(*value),
            _ => None,
        }
    }

    /// How it stands to another; `None` where they have no order.
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(left), Self::Text(right)) => Some(left.as_bytes().cmp(right.as_bytes())),
            (Self::Bool(left), Self::Bool(right)) => Some(left.cmp(right)),
            _ => match (self.whole(), other.whole()) {
                (Some(left), Some(right)) => Some(left.cmp(&right)),
                _ => self.number()?.partial_cmp(&other.number()?),
            },
        }
    }

    /// As answers show it: durations, states, kinds and nil are texts, an array of one element is that element.
    #[must_use]
    pub fn shown(&self) -> Self {
        match self {
            Self::Nil => Self::text("nil"),
            Self::Duration(nanos) => Self::text(go_duration(*nanos)),
            Self::Status(status) => Self::text(status.name()),
            Self::Kind(kind) => Self::text(kind.name()),
            Self::Array(values) if values.len() == 1 => values.first().map(Self::shown).unwrap_or_default(),
            other => other.clone(),
        }
    }
}

/// As a query writes it; reads back equal.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Int(i64::MIN) => f.write_str("minInt"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Text(value) => f.write_str(&text::quote(value)),
            Self::Duration(nanos) => f.write_str(&duration::print_go(*nanos)),
            Self::Status(status) => f.write_str(status.name()),
            Self::Kind(kind) => f.write_str(kind.name()),
            Self::Array(values) => {
                f.write_char('[')?;
                for (index, value) in values.iter().enumerate() {
                    let comma = if index > 0 { ", " } else { "" };
                    write!(f, "{comma}{value}")?;
                }
                f.write_char(']')
            }
        }
    }
}

/// A duration as Go prints it: hours, minutes and fractional seconds; below a second one unit with its fraction.
#[must_use]
pub fn go_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let total = nanos.unsigned_abs();
    let fraction = |value: u64, unit: u64, places: usize| {
        let rest = format!("{:0places$}", value % unit);
        let rest = rest.trim_end_matches('0');
        let point = if rest.is_empty() { "" } else { "." };
        format!("{}{point}{rest}", value / unit)
    };
    match total {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{total}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", fraction(total, 1_000, 3)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", fraction(total, 1_000_000, 6)),
        _ => {
            let minutes = total / 60_000_000_000;
            let seconds = fraction(total % 60_000_000_000, 1_000_000_000, 9);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{sign}{seconds}s"),
                (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shown_as_go_prints_them() {
        for (nanos, text) in [
            (0, "0s"),
            (7, "7ns"),
            (747_295, "747.295µs"),
            (250_000, "250µs"),
            (564_579_674, "564.579674ms"),
            (8_333_333_333, "8.333333333s"),
            (-1_500_000_000, "-1.5s"),
            (3_600_000_000_000, "1h0m0s"),
            (61_000_000_001, "1m1.000000001s"),
        ] {
            assert_eq!(go_duration(nanos), text);
        }
    }

    #[test]
    fn numbers_of_all_types_have_an_order_and_whole_ones_an_exact_one() {
        assert_eq!(Value::Int(i64::MAX).order(&Value::Int(i64::MAX - 1)), Some(Ordering::Greater));
        assert_eq!(Value::Duration(2).order(&Value::Float(2.5)), Some(Ordering::Less));
        assert_eq!(Value::text("a").order(&Value::Int(1)), None);
        assert_eq!(Value::Nil.order(&Value::Nil), None);
    }
}
