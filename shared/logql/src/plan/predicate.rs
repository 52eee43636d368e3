use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::rows::TextColumn;

/// A test of a text, for DataFusion. NULL reads as "", bytes as hexadecimal digits; the result is never NULL.
struct TextPredicate {
    /// Says what is tested; predicates of one name are the same predicate.
    name: String,
    /// Few distinct values are expected, so results are kept while a batch lasts.
    few_values: bool,
    test: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    signature: Signature,
}

pub(crate) fn text_predicate(name: String, few_values: bool, test: impl Fn(&str) -> bool + Send + Sync + 'static) -> ScalarUDF {
    ScalarUDF::new_from_impl(TextPredicate {
        name,
        few_values,
        test: Arc::new(test),
        signature: Signature::any(1, Volatility::Immutable),
    })
}

impl fmt::Debug for TextPredicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextPredicate").field("name", &self.name).finish_non_exhaustive()
    }
}

impl PartialEq for TextPredicate {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && Arc::ptr_eq(&self.test, &other.test)
    }
}

impl Eq for TextPredicate {}

impl Hash for TextPredicate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for TextPredicate {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let [argument] = args.args.as_slice() else {
            return Err(DataFusionError::Internal(format!("{} takes one argument", self.name)));
        };
        let array = argument.to_array(rows)?;
        let results = match array.data_type() {
            DataType::Binary | DataType::BinaryView | DataType::LargeBinary => self.ids(&array)?,
            _ => self.texts(&array)?,
        };
        Ok(ColumnarValue::Array(Arc::new(results)))
    }
}

impl TextPredicate {
    fn ids(&self, array: &ArrayRef) -> Result<BooleanArray> {
        let views = arrow::compute::cast(array, &DataType::BinaryView)?;
        let views = views.as_binary_view();
        Ok((0..views.len())
            .map(|row| Some(if views.is_valid(row) { (self.test)(&hex::encode(views.value(row))) } else { (self.test)("") }))
            .collect())
    }

    fn texts(&self, array: &ArrayRef) -> Result<BooleanArray> {
        let column = TextColumn::new(array).map_err(|error| DataFusionError::External(Box::new(error)))?;
        let all = 0..array.len();
        if !self.few_values {
            return Ok(all.map(|row| Some((self.test)(column.text(row)))).collect());
        }
        let mut known: HashMap<String, bool> = HashMap::new();
        let mut last: Option<(&str, bool)> = None;
        let mut results = Vec::with_capacity(array.len());
        for row in all {
            let text = column.text(row);
            let result = match last {
                Some((value, result)) if value == text => result,
                _ => known.get(text).copied().unwrap_or_else(|| {
                    let result = (self.test)(text);
                    known.insert(text.to_owned(), result);
                    result
                }),
            };
            last = Some((text, result));
            results.push(result);
        }
        Ok(BooleanArray::from(results))
    }
}
