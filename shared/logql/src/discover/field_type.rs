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
    /// The type of more than half of the values, `Float` for numbers of both kinds; a text where no type is that frequent.
    pub(super) fn of_most<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        let types: Vec<_> = values.map(Self::of).collect();
        let count = |wanted| types.iter().filter(|found| **found == wanted).count();
        let is_most = |count: usize| count * 2 > types.len();
        let (ints, floats) = (count(Self::Int), count(Self::Float));
        if is_most(ints + floats) {
            return if floats > 0 { Self::Float } else { Self::Int };
        }
        let others = [Self::Boolean, Self::Duration, Self::Bytes];
        others.into_iter().find(|other| is_most(count(*other))).unwrap_or(Self::String)
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_that_of_most_values() {
        for (values, expected) in [
            (&["1", "-20"][..], FieldType::Int),
            (&["1", "2.5"], FieldType::Float),
            (&["1e3"], FieldType::Float),
            (&["true", "False"], FieldType::Boolean),
            (&["1.5s", "-200ms"], FieldType::Duration),
            (&["3 MiB", "12b", "1.5KB"], FieldType::Bytes),
            (&["1", "1s"], FieldType::String),
            (&["1", "2", "n/a"], FieldType::Int),
            (&["1s", "2s", "fast"], FieldType::Duration),
            (&["1", "2.5", "x", "y"], FieldType::String),
            (&["NaN"], FieldType::String),
            (&["", "x"], FieldType::String),
            (&[], FieldType::String),
        ] {
            assert_eq!(FieldType::of_most(values.iter().copied()), expected, "{values:?}");
        }
    }
}
