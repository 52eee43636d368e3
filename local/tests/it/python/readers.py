"""Counts the rows of versions of a table with DuckDB and with PyIceberg.

Each line of standard input is {"metadata": LOCATION, "options": {...}}; options are empty for files, else endpoint, access_key,
secret_key and region of an S3 server.  Each answer is one line:

  {"duckdb": {"rows": {TENANT: ROWS}, "different": N}, "pyiceberg": {...}}

where N counts the different send.id attributes.  A reader that fails answers {"error": TEXT} instead.
"""

import collections
import glob
import json
import sys
import sysconfig

import duckdb
from pyiceberg.table import StaticTable

COLUMNS = ("tenant_id", "record_attributes")


def duckdb_connection(options):
    connection = duckdb.connect()
    for extension in ("avro", "httpfs", "iceberg"):
        (path,) = glob.glob(f"{sysconfig.get_paths()['purelib']}/duckdb_extension_{extension}/extensions/*/{extension}.duckdb_extension")
        connection.execute(f"LOAD '{path}'")
    if options:
        host = options["endpoint"].split("://")[1]
        connection.execute(
            f"CREATE SECRET (TYPE s3, KEY_ID '{options['access_key']}', SECRET '{options['secret_key']}', ENDPOINT '{host}',"
            f" REGION '{options['region']}', URL_STYLE 'path', USE_SSL false)"
        )
    return connection


def with_duckdb(metadata, options):
    scan = f"SELECT tenant_id, record_attributes['send.id'] AS id FROM iceberg_scan('{metadata}')"
    connection = duckdb_connection(options)
    rows = dict(connection.execute(f"SELECT tenant_id, count(*) FROM ({scan}) GROUP BY ALL").fetchall())
    (different,) = connection.execute(f"SELECT count(DISTINCT id) FROM ({scan})").fetchone()
    return {"rows": rows, "different": different}


def with_pyiceberg(metadata, options):
    properties = {}
    if options:
        properties = {
            "s3.endpoint": options["endpoint"], "s3.access-key-id": options["access_key"],
            "s3.secret-access-key": options["secret_key"], "s3.region": options["region"],
        }
    table = StaticTable.from_metadata(metadata, properties).scan(selected_fields=COLUMNS).to_arrow()
    tenants = collections.Counter(table.column("tenant_id").to_pylist())
    ids = set()
    for attributes in table.column("record_attributes").to_pylist():
        ids.update(value for key, value in attributes or () if key == "send.id")
    return {"rows": dict(tenants), "different": len(ids)}


def attempt(read, request):
    try:
        return read(request["metadata"], request["options"])
    except Exception as error:  # whatever keeps a reader from reading is the answer
        return {"error": f"{type(error).__name__}: {error}"}


for line in sys.stdin:
    request = json.loads(line)
    answer = {"duckdb": attempt(with_duckdb, request), "pyiceberg": attempt(with_pyiceberg, request)}
    print(json.dumps(answer), flush=True)
