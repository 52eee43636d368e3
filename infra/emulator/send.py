"""Sends logs, spans and metrics with the real OpenTelemetry SDK over HTTP, with a key.

  send.py ENDPOINT HOST KEY COUNT

COUNT log records and spans and one counter, of the service `shop`.  Exits with 1 where an export fails: the exporters only log
failures, so their log is what is looked at.
"""

import logging
import sys

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

endpoint, host, key, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
failures = []


class Failures(logging.Handler):
    def emit(self, record):
        failures.append(record.getMessage())


logging.getLogger("opentelemetry").addHandler(Failures(level=logging.WARNING))


def exporter(kind, path):
    headers = {"Host": host, "Authorization": f"Bearer {key}"}
    return kind(endpoint=endpoint + path, headers=headers, compression=Compression.Gzip, timeout=60)


resource = Resource.create({"service.name": "shop"})
traces = TracerProvider(resource=resource)
traces.add_span_processor(BatchSpanProcessor(exporter(OTLPSpanExporter, "/v1/traces")))
reader = PeriodicExportingMetricReader(exporter(OTLPMetricExporter, "/v1/metrics"), export_interval_millis=600_000)
meters = MeterProvider(resource=resource, metric_readers=[reader])
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(exporter(OTLPLogExporter, "/v1/logs")))

tracer, meter, logger = traces.get_tracer("shop"), meters.get_meter("shop"), logs.get_logger("shop")
orders = meter.create_counter("orders")
for number in range(count):
    with tracer.start_as_current_span("order"):
        orders.add(1)
        logger.emit(LogRecord(body=f"order {number}", severity_text="INFO", severity_number=SeverityNumber.INFO))
for provider in (traces, meters, logs):
    provider.shutdown()
if failures:
    sys.exit("\n".join(failures))
