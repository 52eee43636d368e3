use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{RecordBatch, StringViewArray};
use arrow::compute::kernels::cmp;
use arrow::datatypes::{DataType, Schema};
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use icegate_model::TenantId;

/// Whether a row is the tenant's (TENANT-1).
///
/// Says of itself that it is volatile, since that is what keeps an expression where it was put: an ordinary comparison would be
/// pushed into the Parquet reader and its filter dropped from the plan, and the reader skips a filter that it can't build.
#[derive(Debug, Clone)]
pub(crate) struct TenantIs {
    column: Arc<dyn PhysicalExpr>,
    tenant: TenantId,
}

impl TenantIs {
    /// `column` is the input's tenant column, of type Utf8View.
    pub(crate) fn new(column: Arc<dyn PhysicalExpr>, tenant: TenantId) -> Self {
        Self { column, tenant }
    }
}

impl PartialEq for TenantIs {
    fn eq(&self, other: &Self) -> bool {
        self.tenant == other.tenant && self.column.eq(&other.column)
    }
}

impl Eq for TenantIs {}

impl Hash for TenantIs {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.tenant.hash(state);
        self.column.hash(state);
    }
}

impl fmt::Display for TenantIs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.column, self.tenant)
    }
}

impl PhysicalExpr for TenantIs {
    fn data_type(&self, _input_schema: &Schema) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, input_schema: &Schema) -> Result<bool> {
        self.column.nullable(input_schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let tenants = self.column.evaluate(batch)?.into_array(batch.num_rows())?;
        let same = cmp::eq(&tenants, &StringViewArray::new_scalar(self.tenant.as_str()))?;
        Ok(ColumnarValue::Array(Arc::new(same)))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.column]
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let column = children.pop().unwrap_or_else(|| Arc::clone(&self.column));
        Ok(Arc::new(Self { column, tenant: self.tenant.clone() }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }

    fn is_volatile_node(&self) -> bool {
        true
    }
}
