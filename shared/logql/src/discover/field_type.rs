use icegate_syntax::{bytes, duration};

/// What a field's values can be read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// Any text.
    String,
    /// Whole numbers.
    Int,
    /// Numbers.
    Float,
    /// `true` and `false`.
    Boolean,
    /// Go's durations, as `1.5s`.
    Duration,
    /// Numbers of bytes, as `3 MiB`.
    Bytes,
}

impl FieldType {
    /// The narrowest type of all values.
    pub(super) fn of_all<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        values.map(Self::of).reduce(Self::join).unwrap_or(Self::String)
    }

    fn of(value: &str) -> Self {
        let is_number = value.parse::<f64>().is_ok_and(f64::is_finite);
        match value {
            _ if value.parse::<i64>().is_ok() => Self::Int,
            _ if is_number => Self::Float,
            "true" | "false" | "True" | "False" | "TRUE" | "FALSE" => Self::Boolean,
            _ if duration::go(value).is_some() => Self::Duration,
            _ if value.ends_with(['b', 'B']) && bytes::lenient(value).is_some() => Self::Bytes,
            _ => Self::String,
        }
    }

    fn join(self, other: Self) -> Self {
        match (self, other) {
            _ if self == other => self,
            (Self::Int, Self::Float) | (Self::Float, Self::Int) => Self::Float,
            _ => Self::String,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_the_narrowest_that_all_values_have() {
        for (values, expected) in [
            (&["1", "-20"][..], FieldType::Int),
            (&["1", "2.5"], FieldType::Float),
            (&["1e3"], FieldType::Float),
            (&["true", "False"], FieldType::Boolean),
            (&["1.5s", "-200ms"], FieldType::Duration),
            (&["3 MiB", "12b", "1.5KB"], FieldType::Bytes),
            (&["1", "1s"], FieldType::String),
            (&["NaN"], FieldType::String),
            (&["", "x"], FieldType::String),
            (&[], FieldType::String),
        ] {
            assert_eq!(FieldType::of_all(values.iter().copied()), expected, "{values:?}");
        }
    }
}
