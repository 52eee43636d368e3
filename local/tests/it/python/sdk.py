"""Sends all three signals with the real OpenTelemetry SDK.

  sdk.py http|grpc ENDPOINT COUNT [KEY]

COUNT log records, spans and counter additions, of service `sdk-http` or `sdk-grpc`, tenant `sdk`, or that of the API key.  Exits with 1 where an export
fails: the exporters only log failures, so their log is what is looked at.
"""

import logging
import sys

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

transport, endpoint, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
headers = {"authorization": f"Bearer {sys.argv[4]}"} if len(sys.argv) > 4 else {"x-scope-orgid": "sdk"}
failures = []


class Failures(logging.Handler):
    def emit(self, record):
        failures.append(record.getMessage())


logging.getLogger("opentelemetry").addHandler(Failures(level=logging.WARNING))

if transport == "http":
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    def exporter(kind, path):
        return kind(endpoint=endpoint + path, headers=headers, compression=Compression.Gzip)
else:
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    def exporter(kind, _path):
        return kind(endpoint=endpoint, headers=headers, insecure=True)


resource = Resource.create({"service.name": f"sdk-{transport}"})
traces = TracerProvider(resource=resource)
traces.add_span_processor(BatchSpanProcessor(exporter(OTLPSpanExporter, "/v1/traces")))
reader = PeriodicExportingMetricReader(exporter(OTLPMetricExporter, "/v1/metrics"), export_interval_millis=600_000)
meters = MeterProvider(resource=resource, metric_readers=[reader])
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(exporter(OTLPLogExporter, "/v1/logs")))

tracer, meter, logger = traces.get_tracer("sdk"), meters.get_meter("sdk"), logs.get_logger("sdk")
latency, requests = meter.create_histogram("latency", unit="ms"), meter.create_counter("requests")
for number in range(count):
    with tracer.start_as_current_span("work", attributes={"number": number}):
        latency.record(number, {"path": "/"})
        requests.add(1, {"path": "/"})
        logger.emit(LogRecord(body=f"line {number}", severity_text="INFO", severity_number=SeverityNumber.INFO, attributes={"number": number}))
for provider in (traces, meters, logs):
    provider.shutdown()
if failures:
    sys.exit("\n".join(failures))
