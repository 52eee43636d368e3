"""Counts the rows of the logs table with DuckDB and with PyIceberg, again and again.

  readers.py TABLES

TABLES is as rows.py takes it.  Each line of standard input is a snapshot id, or null for the newest snapshot; each answer is one
line of JSON:

  {"snapshot": ID, "total": ROWS, "duckdb": {"rows": {TENANT: ROWS}, "different": N}, "pyiceberg": {...}}

"total" is what the snapshot's own summary says, and N counts the different send.id attributes.  A failure is {"error": TEXT}.
"""

import collections
import json
import sys

from pyiceberg.table import StaticTable

from rows import client, duck, newest_metadata, s3_properties

COLUMNS = ("tenant_id", "record_attributes")


def with_duckdb(connection, metadata, snapshot):
    scan = (
        f"SELECT tenant_id, record_attributes['send.id'] AS id"
        f" FROM iceberg_scan('{metadata}', snapshot_from_id => {snapshot}::UBIGINT)"
    )
    counts = connection.execute(f"SELECT tenant_id, count(*), count(DISTINCT id) FROM ({scan}) GROUP BY ALL").fetchall()
    return {"rows": {tenant: rows for tenant, rows, _ in counts}, "different": sum(different for _, _, different in counts)}


def with_pyiceberg(table, snapshot):
    arrow = table.scan(snapshot_id=snapshot, selected_fields=COLUMNS).to_arrow()
    tenants = arrow.column("tenant_id").to_pylist()
    ids = set()
    for tenant, attributes in zip(tenants, arrow.column("record_attributes").to_pylist()):
        ids.update((tenant, value) for key, value in attributes or () if key == "send.id")
    return {"rows": dict(collections.Counter(tenants)), "different": len(ids)}


def metadata_of(at, newest, wanted):
    """The metadata beside the newest that has the wanted snapshot; the newest where none has."""
    bucket, _, key = newest.removeprefix("s3://").partition("/")
    s3 = client(at, "s3", at["s3"])
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key.rpartition("/")[0] + "/")
    files = [entry for page in pages for entry in page["Contents"] if entry["Key"].endswith(".metadata.json")]
    for entry in sorted(files, key=lambda entry: entry["LastModified"], reverse=True):
        metadata = json.load(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"])
        if any(snapshot["snapshot-id"] == wanted for snapshot in metadata.get("snapshots", ())):
            return f"s3://{bucket}/{entry['Key']}"
    return newest


def count(at, connection, wanted):
    metadata = newest_metadata(at, "logs")
    table = StaticTable.from_metadata(metadata, properties=s3_properties(at))
    snapshot = table.current_snapshot() if wanted is None else table.snapshot_by_id(wanted)
    if snapshot is None and wanted is None:
        nothing = {"rows": {}, "different": 0}
        return {"snapshot": None, "total": 0, "duckdb": nothing, "pyiceberg": nothing}
    if snapshot is None and at["catalog"] == "rest":
        # Nessie's newest metadata names the newest snapshot alone; older ones are in the metadata that was written for them.
        metadata = metadata_of(at, metadata, wanted)
        table = StaticTable.from_metadata(metadata, properties=s3_properties(at))
        snapshot = table.snapshot_by_id(wanted)
    if snapshot is None:
        return {"error": f"{metadata} has no snapshot {wanted}"}
    return {
        "snapshot": snapshot.snapshot_id,
        "total": int(snapshot.summary["total-records"]),
        "duckdb": with_duckdb(connection, metadata, snapshot.snapshot_id),
        "pyiceberg": with_pyiceberg(table, snapshot.snapshot_id),
    }


def main():
    at = json.loads(sys.argv[1])
    connection = duck(at)
    for line in sys.stdin:
        try:
            answer = count(at, connection, json.loads(line))
        except Exception as error:  # whatever keeps a reader from reading is the answer
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
