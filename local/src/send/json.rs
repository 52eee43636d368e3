//! OTLP/JSON: ids in hexadecimal, enumerations as numbers, 64-bit integers as text, keys in lower camel case, bytes in base64.
//! A field that has its default is left out, but for the values of a `oneof` and of optional fields, whose presence says something.

mod logs;
mod metrics;
mod object;
mod traces;
mod value;

use super::payload::Payload;
use object::Object;

/// An export request as OTLP/JSON.
pub(crate) fn write(payload: &Payload) -> String {
    let mut text = String::new();
    Object::write(&mut text, |root| match payload {
        Payload::Logs(request) => root.objects("resourceLogs", &request.resource_logs, logs::resource),
        Payload::Traces(request) => root.objects("resourceSpans", &request.resource_spans, traces::resource),
        Payload::Metrics(request) => root.objects("resourceMetrics", &request.resource_metrics, metrics::resource),
    });
    text
}
