use icegate_syntax::{bytes, duration, number};

use super::LabelTest;
use crate::LogqlError;
use crate::ast::{Unwrap, UnwrapUnit};
use crate::rows::RowLabels;

/// What a label that is no value leaves.
const UNREADABLE: &str = "SampleExtractionErr";

/// `| unwrap bytes(size) | size > 5`, ready to run.
#[derive(Debug)]
pub(crate) struct Unwrapping {
    pub(crate) label: String,
    unit: UnwrapUnit,
    filters: Vec<LabelTest>,
}

impl Unwrapping {
    pub(crate) fn new(unwrap: &Unwrap) -> Result<Self, LogqlError> {
        let filters = unwrap.filters.iter().map(LabelTest::new).collect::<Result<_, _>>()?;
        Ok(Self { label: unwrap.label.clone(), unit: unwrap.unit, filters })
    }

    /// The value of a row; none where the label is missing or a filter drops it.
    pub(crate) fn value(&self, labels: &mut RowLabels) -> Option<f64> {
        let text = labels.get(&self.label).filter(|text| !text.is_empty())?;
        let value = match self.read(text) {
            Ok(value) => value,
            Err(why) => {
                labels.set_error(UNREADABLE, || why);
                0.0
            }
        };
        self.filters.iter().all(|filter| filter.keeps(labels)).then_some(value)
    }

    #[allow(clippy::cast_precision_loss, reason = "values are floats in the language")]
    fn read(&self, text: &str) -> Result<f64, String> {
        match self.unit {
            UnwrapUnit::Number => {
                number::lenient(text).ok_or_else(|| format!("strconv.ParseFloat: parsing {text:?}: invalid syntax"))
            }
            UnwrapUnit::Bytes => {
                bytes::lenient(text).map(|size| size as f64).ok_or_else(|| format!("can't read {text:?} as a size"))
            }
            UnwrapUnit::Duration | UnwrapUnit::DurationSeconds => {
                duration::go(text).map(|nanos| nanos as f64 / 1e9).ok_or_else(|| duration::complaint(text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use icegate_series::Labels;
    use icegate_syntax::Place;

    #[test]
    fn labels_become_values_by_their_unit() {
        for (unit, text, expected) in [
            (UnwrapUnit::Number, "1.5e3", Some(1500.0)),
            (UnwrapUnit::Number, "+Inf", Some(f64::INFINITY)),
            (UnwrapUnit::Bytes, "2KiB", Some(2048.0)),
            (UnwrapUnit::Duration, "1m30s", Some(90.0)),
            (UnwrapUnit::DurationSeconds, "5ms", Some(0.005)),
            (UnwrapUnit::Number, "", None),
        ] {
            let unwrap = Unwrap { label: "v".to_owned(), unit, filters: Vec::new(), place: Place::default() };
            let mut labels = RowLabels::new(Labels::from_pairs([("v", text)]));
            assert_eq!(Unwrapping::new(&unwrap).unwrap().value(&mut labels), expected, "{text}");
            assert_eq!(labels.error, None);
        }
    }

    #[test]
    fn what_is_no_value_is_an_error_of_the_row() {
        for unit in [UnwrapUnit::Number, UnwrapUnit::Bytes, UnwrapUnit::Duration] {
            let unwrap = Unwrap { label: "v".to_owned(), unit, filters: Vec::new(), place: Place::default() };
            let mut labels = RowLabels::new(Labels::from_pairs([("v", "slow")]));
            assert_eq!(Unwrapping::new(&unwrap).unwrap().value(&mut labels), Some(0.0));
            assert_eq!(labels.error, Some(UNREADABLE));
        }
    }
}
