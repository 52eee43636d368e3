"""Reads IceGate's tables with DuckDB and with PyIceberg and compares every row with the OTLP that was sent.

  audit.py WAREHOUSE TENANT FILE...

WAREHOUSE is the folder of the tables, FILE an OTLP file: protobuf (.pb, one request), length-prefixed protobuf (.lp, u32 little
endian before each request), JSON (.json) or JSON lines (.jsonl).  Which signal a file carries is read from its content (JSON) or
its name (logs, trace, metrics).  The expected rows are made here from the protobuf messages alone.  Prints one JSON object with
the rows of each table; exits with 1 and the first differences where a reader disagrees with what was sent.
"""

import base64
import collections
import glob
import json
import math
import os
import struct
import sys
import sysconfig

import duckdb
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pyiceberg.table import StaticTable

REQUESTS = {"logs": ExportLogsServiceRequest, "traces": ExportTraceServiceRequest, "metrics": ExportMetricsServiceRequest}
IDS = {"traceId": 32, "spanId": 16, "parentSpanId": 16}


# ---- what was sent ----


def requests_of(path):
    """(signal, request) of each request in a file."""
    data = open(path, "rb").read()
    if path.endswith((".json", ".jsonl")):
        texts = data.splitlines() if path.endswith(".jsonl") else [data]
        for text in filter(None, (t.strip() for t in texts)):
            document = hex_ids_to_base64(json.loads(text))
            signal = {"resourceLogs": "logs", "resourceSpans": "traces", "resourceMetrics": "metrics"}[next(iter(document))]
            yield signal, json_format.ParseDict(document, REQUESTS[signal](), ignore_unknown_fields=True)
        return
    name = os.path.basename(path)
    signal = "logs" if "log" in name else "traces" if "trace" in name else "metrics"
    if path.endswith(".lp"):
        at = 0
        while at < len(data):
            (size,) = struct.unpack_from("<I", data, at)
            yield signal, REQUESTS[signal].FromString(data[at + 4 : at + 4 + size])
            at += 4 + size
    else:
        yield signal, REQUESTS[signal].FromString(data)


def hex_ids_to_base64(node):
    """OTLP/JSON writes ids in hexadecimal where protobuf's JSON writes base64."""
    if isinstance(node, list):
        return [hex_ids_to_base64(item) for item in node]
    if not isinstance(node, dict):
        return node
    out = {}
    for key, value in node.items():
        if key in IDS and isinstance(value, str) and len(value) == IDS[key]:
            out[key] = base64.b64encode(bytes.fromhex(value)).decode()
        else:
            out[key] = hex_ids_to_base64(value)
    return out


def plain(value):
    """A value as plain Python, lists and maps inside."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: plain(pair.value) for pair in value.kvlist_value.values}
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return getattr(value, kind)


def typed(value):
    """(type, value) as the tables' columns say it, text and type column together."""
    kind = value.WhichOneof("value")
    name = {
        None: "empty", "string_value": "string", "int_value": "int", "double_value": "double", "bool_value": "bool",
        "bytes_value": "bytes", "array_value": "json", "kvlist_value": "json",
    }[kind]
    return name, number_text(plain(value)) if name != "json" else json.dumps(plain(value), sort_keys=True)


def number_text(value):
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    return repr(float(value)) if isinstance(value, float) else str(value)


def attributes(pairs):
    out = {}
    for pair in pairs:
        out.setdefault(pair.key, typed(pair.value))
    return tuple(sorted(out.items(), key=lambda item: item[0]))


def parts(resource, scope, record_attributes):
    return (
        attributes(resource.attributes), scope.name or None, scope.version or None, attributes(scope.attributes),
        attributes(record_attributes),
    )


def sent_rows(files):
    rows = {"logs": [], "spans": [], "metrics": [], "events": []}
    for path in files:
        for signal, request in requests_of(path):
            {"logs": sent_logs, "traces": sent_spans, "metrics": sent_metrics}[signal](request, rows)
    return rows


def sent_logs(request, rows):
    for resource in request.resource_logs:
        for scope in resource.scope_logs:
            for r in scope.log_records:
                time = r.time_unix_nano or r.observed_time_unix_nano
                body = typed(r.body) if r.HasField("body") else None
                row = (
                    time or None, r.observed_time_unix_nano or None, r.severity_number or None, r.severity_text or None, body,
                    r.trace_id.hex() or None, r.span_id.hex() or None, r.flags or None, r.dropped_attributes_count, r.event_name or None,
                ) + parts(resource.resource, scope.scope, r.attributes)
                rows["logs"].append(row)
                named = dict(attributes(r.attributes)).get("event.name")
                name = r.event_name or (named and named[1])
                if name:
                    domain = dict(attributes(r.attributes)).get("event.domain")
                    rows["events"].append((time or None, domain[1] if domain else name.split(".")[0], name, r.trace_id.hex() or None))


def sent_spans(request, rows):
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for s in scope.spans:
                events = tuple((e.time_unix_nano, e.name, attributes(e.attributes), e.dropped_attributes_count) for e in s.events)
                links = tuple((k.trace_id.hex(), k.span_id.hex(), attributes(k.attributes)) for k in s.links)
                rows["spans"].append((
                    s.trace_id.hex(), s.span_id.hex(), s.parent_span_id.hex() or None, s.start_time_unix_nano, s.end_time_unix_nano,
                    s.end_time_unix_nano - s.start_time_unix_nano, s.name, s.kind, s.status.code, s.status.message or None,
                    s.trace_state or None, s.flags or None, events, links,
                ) + parts(resource.resource, scope.scope, s.attributes))


def sent_metrics(request, rows):
    temporality = {0: "unspecified", 1: "delta", 2: "cumulative"}
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            for m in scope.metrics:
                kind = m.WhichOneof("data")
                data = getattr(m, kind)
                for p in data.data_points:
                    row = [
                        m.name, kind, m.description or None, m.unit or None,
                        temporality[data.aggregation_temporality] if hasattr(data, "aggregation_temporality") else None,
                        data.is_monotonic if kind == "sum" else None, p.time_unix_nano, p.start_time_unix_nano or None, p.flags or None,
                    ]
                    if kind in ("gauge", "sum"):
                        value = p.WhichOneof("value")
                        row += [p.as_double if value == "as_double" else None, p.as_int if value == "as_int" else None]
                    else:
                        row += [p.count]
                    if kind == "histogram":
                        row += [given(p, "sum"), given(p, "min"), given(p, "max"), tuple(p.bucket_counts), tuple(p.explicit_bounds)]
                    if kind == "exponential_histogram":
                        row += [given(p, "sum"), given(p, "min"), given(p, "max"), p.scale, p.zero_count]
                        row += [tuple(p.positive.bucket_counts), p.positive.offset, tuple(p.negative.bucket_counts), p.negative.offset]
                    if kind == "summary":
                        row += [p.sum, tuple((q.quantile, q.value) for q in p.quantile_values)]
                    rows["metrics"].append(tuple(row) + parts(resource.resource, scope.scope, p.attributes))


def given(message, field):
    return getattr(message, field) if message.HasField(field) else None


# ---- what the tables hold ----


def nanos(row, name):
    micros = row[name]
    return None if micros is None else micros * 1000 + (row[name + "_nanos"] or 0)


def stored_attributes(values, types):
    values, types = dict(values or {}), dict(types or {})
    return tuple(sorted(((key, stored_value(text, types.get(key))) for key, text in values.items()), key=lambda item: item[0]))


def stored_value(text, kind):
    if kind is None:
        return "string", text
    if kind == "json" or kind.startswith("otlp:"):
        return "json", json.dumps(json.loads(text), sort_keys=True)
    if kind == "double":
        return kind, repr(float(text.replace("Infinity", "inf")))
    return kind, text == "true" if kind == "bool" else text


def stored_parts(row):
    return (
        stored_attributes(row["resource_attributes"], row["resource_attribute_types"]), row["scope_name"], row["scope_version"],
        stored_attributes(row["scope_attributes"], row["scope_attribute_types"]),
        stored_attributes(row["record_attributes"], row["record_attribute_types"]),
    )


def hexed(value):
    return None if value is None else bytes(value).hex()


def unsigned(value, bits):
    return None if value is None else value % (1 << bits)


def stored_log(row):
    absent = row["absent_times"] or 0
    body = None if row["body"] is None and row["body_type"] is None else stored_value(row["body"], row["body_type"])
    return (
        None if absent == 3 else nanos(row, "timestamp"), None if absent & 2 else nanos(row, "observed_timestamp"),
        row["severity_number"], row["severity_text"], body, hexed(row["trace_id"]), hexed(row["span_id"]), unsigned(row["flags"], 32),
        row["dropped_attributes_count"], row["event_name"],
    ) + stored_parts(row)


def stored_event(row):
    return nanos(row, "timestamp"), row["event_domain"], row["event_name"], hexed(row["trace_id"])


def stored_span(row):
    events = tuple(
        (nanos(e, "timestamp"), e["name"], stored_attributes(e["attributes"], e["attribute_types"]), e["dropped_attributes_count"] or 0)
        for e in row["events"] or ()
    )
    links = tuple(
        (hexed(k["trace_id"]) or "", hexed(k["span_id"]) or "", stored_attributes(k["attributes"], k["attribute_types"])) for k in row["links"] or ()
    )
    return (
        hexed(row["trace_id"]), hexed(row["span_id"]), hexed(row["parent_span_id"]), nanos(row, "timestamp"), nanos(row, "end_timestamp"),
        row["duration_micros"] * 1000 + (row["duration_nanos"] or 0), row["name"], row["kind"] or 0, row["status_code"] or 0,
        row["status_message"], row["trace_state"], unsigned(row["flags"], 32), events, links,
    ) + stored_parts(row)


def stored_metric(row):
    kind = row["metric_type"]
    out = [
        row["metric_name"], kind, row["description"], row["unit"], row["aggregation_temporality"], row["is_monotonic"],
        nanos(row, "timestamp"), nanos(row, "start_timestamp"), unsigned(row["flags"], 32),
    ]
    numbers = lambda name: tuple(row[name] or ())
    if kind in ("gauge", "sum"):
        out += [row["value_double"], row["value_int"]]
    else:
        out += [row["count"]]
    if kind == "histogram":
        out += [row["sum"], row["min"], row["max"], numbers("bucket_counts"), numbers("explicit_bounds")]
    if kind == "exponential_histogram":
        out += [row["sum"], row["min"], row["max"], row["scale"], row["zero_count"] or 0]
        out += [numbers("positive_bucket_counts"), row["positive_offset"] or 0, numbers("negative_bucket_counts"), row["negative_offset"] or 0]
    if kind == "summary":
        out += [row["sum"], tuple((q["quantile"], q["value"]) for q in row["quantile_values"] or ())]
    return tuple(out) + stored_parts(row)


STORED = {"logs": stored_log, "spans": stored_span, "metrics": stored_metric, "events": stored_event}


def newest_metadata(warehouse, table):
    found = glob.glob(f"{warehouse}/icegate/{table}/metadata/v*.metadata.json")
    return max(found, key=lambda path: int(os.path.basename(path)[1:].split(".")[0]))


def with_pyiceberg(metadata, tenant):
    arrow = StaticTable.from_metadata(metadata).scan(row_filter=f"tenant_id = '{tenant}'").to_arrow()
    return as_micros(arrow).to_pylist(maps_as_pydicts="lossy")


def with_duckdb(metadata, tenant):
    connection = duckdb.connect()
    for extension in ("avro", "httpfs", "iceberg"):
        (path,) = glob.glob(f"{sysconfig.get_paths()['purelib']}/duckdb_extension_{extension}/extensions/*/{extension}.duckdb_extension")
        connection.execute(f"LOAD '{path}'")
    connection.execute("SET TimeZone = 'UTC'")
    arrow = connection.execute(f"SELECT * FROM iceberg_scan('{metadata}') WHERE tenant_id = ?", [tenant]).arrow()
    return as_micros(arrow.read_all() if hasattr(arrow, "read_all") else arrow).to_pylist(maps_as_pydicts="lossy")


def as_micros(arrow):
    """Timestamps as integers, so that none passes through a type that rounds."""
    import pyarrow as pa

    def integers(kind):
        if pa.types.is_timestamp(kind):
            return pa.int64()
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            return pa.list_(integers(kind.value_type))
        if pa.types.is_struct(kind):
            return pa.struct([pa.field(f.name, integers(f.type)) for f in kind])
        return kind

    return pa.table({f.name: recast(arrow.column(f.name).combine_chunks(), integers(f.type)) for f in arrow.schema})


def recast(array, kind):
    import pyarrow as pa

    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_timestamp(array.type):
        return array.cast(pa.timestamp("us", array.type.tz)).cast(pa.int64())
    if pa.types.is_struct(kind):
        fields = [recast(array.field(i), kind.field(i).type) for i in range(kind.num_fields)]
        return pa.StructArray.from_arrays(fields, fields=list(kind), mask=array.is_null())
    if pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
        flat = recast(array.flatten(), kind.value_type)
        sizes = array.value_lengths().fill_null(0).to_pylist()
        offsets, at = [], 0
        for size, is_null in zip(sizes, array.is_null().to_pylist()):
            offsets.append(None if is_null else at)
            at += size
        return pa.ListArray.from_arrays(pa.array(offsets + [at], pa.int32()), flat)
    return array


def canonical(row):
    """A row as text: NaN equals NaN, and rows of different shapes sort."""
    return repr(tuple("nan" if isinstance(v, float) and math.isnan(v) else v for v in row))


def main():
    warehouse, tenant, files = sys.argv[1], sys.argv[2], sys.argv[3:]
    counts, differences = {}, []
    for table, rows in sent_rows(files).items():
        expected = collections.Counter(map(canonical, rows))
        counts[table] = len(rows)
        metadata = newest_metadata(warehouse, table)
        for reader, read in (("duckdb", with_duckdb), ("pyiceberg", with_pyiceberg)):
            found = collections.Counter(canonical(STORED[table](row)) for row in read(metadata, tenant))
            missing, extra = expected - found, found - expected
            if missing or extra:
                differences.append(f"{table} by {reader}: {missing.total()} sent rows not found, {extra.total()} rows not sent")
                differences += [f"  sent  {row[:2000]}" for row in list(missing)[:2]] + [f"  found {row[:2000]}" for row in list(extra)[:2]]
    print(json.dumps(counts))
    if differences:
        sys.exit("\n".join(differences))


main()
