use arrow::array::RecordBatch;
use icegate_traceql::{Predicate, Span, TraceId};

use super::decode::Decoder;
use super::drive::{Consume, drive};
use super::{Columns, TenantSpans, Window, pushdown};
use crate::TempoError;

/// Looks at spans one by one.
pub(crate) trait Visit: Send + 'static {
    /// Looks at one.
    fn span(&mut self, trace: TraceId, span: &Span) -> Result<(), TempoError>;
}

/// Hands every span that may fit and starts within the window to one of the visitors that `make` makes, and gives these back.
pub(crate) async fn visit<V: Visit>(
    spans: &TenantSpans,
    predicate: &Predicate,
    window: Window,
    columns: &Columns,
    make: impl Fn() -> Result<V, TempoError>,
) -> Result<Vec<V>, TempoError> {
    let scan = spans.open(window.range()).await?;
    let filters = pushdown::within(window).into_iter().chain(pushdown::filter(predicate)).collect();
    let frame = scan.frame(filters, columns)?;
    let make = || Ok(Visiting { window, decoder: Decoder::default(), visitor: make()? });
    Ok(drive(frame, make).await?.into_iter().map(|visiting| visiting.visitor).collect())
}

struct Visiting<V> {
    window: Window,
    decoder: Decoder,
    visitor: V,
}

impl<V: Visit> Consume for Visiting<V> {
    fn consume(&mut self, batch: &RecordBatch) -> Result<(), TempoError> {
        let (window, visitor) = (self.window, &mut self.visitor);
        self.decoder.each(batch, |start| window.holds(start), |decoded| visitor.span(decoded.trace, &decoded.span))
    }
}
