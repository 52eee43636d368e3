//! One trace by its id, as OTLP messages.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::Schema;
use datafusion::logical_expr::col;
use futures::StreamExt;
use icegate_model::{Table, TimeRange};
use icegate_otlp::rebuild;
use icegate_schema::columns::{ACCOUNT_ID, ATTRIBUTES, SPAN_ID, TENANT_ID, TIMESTAMP, TIMESTAMP_NANOS};
use icegate_traceql::TraceId;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use prost::Message;

use crate::TempoError;
use crate::spans::TenantSpans;

/// What a trace's rows don't need: whose they are, and the merged view of what they also have apart.
const LEFT_OUT: [&str; 3] = [TENANT_ID, ACCOUNT_ID, ATTRIBUTES];

/// All spans of a trace, grouped by resource and scope, in each group by time; `None` where there are none.
///
/// Lossless but for how the spans came together: each span, resource and scope equals the one that was sent (LOSSLESS-1).
pub(crate) async fn whole_trace(
    spans: &TenantSpans,
    id: TraceId,
    range: TimeRange,
    max_bytes: usize,
) -> Result<Option<Vec<ResourceSpans>>, TempoError> {
    let scan = spans.open(range).await?;
    let schema = icegate_schema::arrow_schema(Table::Spans);
    let fields = schema.fields().iter().filter(|field| !LEFT_OUT.contains(&field.name().as_str()));
    let schema = Arc::new(Schema::new(fields.cloned().collect::<Vec<_>>()));
    let sorted = [TIMESTAMP, TIMESTAMP_NANOS, SPAN_ID].map(|column| col(column).sort(true, true));
    let frame = scan.rows_of(id)?.sort(sorted.to_vec())?;
    let columns: Vec<_> = schema.fields().iter().map(|field| col(field.name())).collect();
    let mut rows = frame.select(columns)?.execute_stream().await?;
    let mut memory = scan.memory();
    let mut groups = Groups::default();
    let mut bytes = 0;
    while let Some(batch) = rows.next().await {
        let batch = as_stored(&batch?, &schema)?;
        for one in rebuild::spans(&[batch])?.resource_spans {
            bytes += one.encoded_len();
            if bytes > max_bytes {
                return Err(TempoError::TraceTooLarge { max: max_bytes });
            }
            memory.grow(one.encoded_len())?;
            groups.add(one);
        }
    }
    Ok((!groups.all.is_empty()).then_some(groups.all))
}

/// With the types of the table's definition.
fn as_stored(batch: &RecordBatch, schema: &Arc<Schema>) -> Result<RecordBatch, TempoError> {
    let cast = |(column, field): (&Arc<dyn Array>, &Arc<arrow::datatypes::Field>)| {
        arrow::compute::cast(column, field.data_type()).map_err(datafusion::error::DataFusionError::from)
    };
    let columns = batch.columns().iter().zip(schema.fields()).map(cast).collect::<Result<_, _>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns).map_err(datafusion::error::DataFusionError::from)?)
}

/// Resources and their scopes, each once, in the order in which they came. Equal bytes are equal messages, NaN included.
#[derive(Default)]
struct Groups {
    all: Vec<ResourceSpans>,
    resources: HashMap<Vec<u8>, usize>,
    scopes: HashMap<(usize, Vec<u8>), usize>,
}

impl Groups {
    fn add(&mut self, mut more: ResourceSpans) {
        let scopes = std::mem::take(&mut more.scope_spans);
        let at = *self.resources.entry(more.encode_to_vec()).or_insert(self.all.len());
        if at == self.all.len() {
            self.all.push(more);
        }
        let Some(resource) = self.all.get_mut(at) else { return };
        for mut scope in scopes {
            let spans = std::mem::take(&mut scope.spans);
            let known = &mut resource.scope_spans;
            let at = *self.scopes.entry((at, scope.encode_to_vec())).or_insert(known.len());
            if at == known.len() {
                known.push(scope);
            }
            known[at].spans.extend(spans);
        }
    }
}

/// An id as a path has it: up to 32 hexadecimal digits, shorter ones with zeros in front.
pub(crate) fn trace_id(text: &str) -> Result<TraceId, TempoError> {
    let refused = |message: String| Err(TempoError::Parameters(message));
    if let Some((at, found)) = text.chars().enumerate().find(|(_, c)| !c.is_ascii_hexdigit()) {
        let (found, position) = (found.escape_debug(), at + 1);
        return refused(format!("trace IDs can only contain hex characters: invalid character '{found}' at position {position}"));
    }
    let bytes = hex::decode(format!("{text:0>32}")).ok().and_then(|bytes| bytes.try_into().ok());
    match bytes {
        Some(bytes) => Ok(TraceId(bytes)),
        None => refused("trace IDs can't be larger than 128 bits".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_hexadecimal_and_at_most_128_bits() {
        assert_eq!(trace_id("1F").unwrap().0[15], 0x1f);
        assert_eq!(trace_id(&"ab".repeat(16)).unwrap().0, [0xab; 16]);
        for (text, message) in [
            ("nope", "trace IDs can only contain hex characters: invalid character 'n' at position 1"),
            (&"a".repeat(33), "trace IDs can't be larger than 128 bits"),
        ] {
            assert_eq!(trace_id(text).unwrap_err().to_string(), message);
        }
    }
}
