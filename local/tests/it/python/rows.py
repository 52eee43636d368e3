"""Counts the rows of IceGate's tables with PyIceberg and with DuckDB, at the newest snapshot that the catalog names.

  rows.py TABLES

TABLES is a JSON object: "catalog" is object_store, rest, glue or s3tables, with what that catalog needs beside it, and "s3", "region",
"key" and "secret" where the tables are on S3.  Prints {table: {"snapshot", "total", "pyiceberg", "duckdb"}}, where "total" is what the
snapshot's own summary says.
"""

import glob
import json
import os
import sys
import sysconfig

import boto3
import duckdb
from pyiceberg.catalog import load_catalog
from pyiceberg.table import StaticTable

TABLES = ("logs", "spans", "metrics", "events")


def s3_properties(at):
    if "s3" not in at:
        return {}
    return {
        "s3.endpoint": at["s3"], "s3.access-key-id": at["key"], "s3.secret-access-key": at["secret"], "s3.region": at["region"],
        "s3.force-virtual-addressing": "false", "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO",
    }


def newest_metadata(at, name):
    """Where the table's newest metadata lies."""
    if at["catalog"] == "object_store":
        return f"{at['warehouse']}/icegate/{name}/metadata/" + max(metadata_files(at, name), key=lambda file: int(file[1:].split(".")[0]))
    if at["catalog"] == "rest":
        catalog = load_catalog("rest", type="rest", uri=at["uri"], prefix=at["prefix"], **s3_properties(at))
        return catalog.load_table(("icegate", name)).metadata_location
    if at["catalog"] == "glue":
        keys = {"glue.endpoint": at["uri"], "glue.region": at["region"], "glue.access-key-id": at["key"], "glue.secret-access-key": at["secret"]}
        return load_catalog("glue", type="glue", **keys, **s3_properties(at)).load_table(("icegate", name)).metadata_location
    found = client(at, "s3tables", at["uri"]).get_table_metadata_location(tableBucketARN=at["bucket"], namespace="icegate", name=name)
    return found["metadataLocation"]


def metadata_files(at, name):
    if "s3" not in at:
        files = os.listdir(f"{at['warehouse']}/icegate/{name}/metadata")
    else:
        bucket, _, prefix = at["warehouse"].removeprefix("s3://").partition("/")
        pages = client(at, "s3", at["s3"]).get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/icegate/{name}/metadata/")
        files = [os.path.basename(entry["Key"]) for page in pages for entry in page["Contents"]]
    return [file for file in files if file.startswith("v") and file.endswith(".metadata.json")]


def client(at, service, endpoint):
    return boto3.client(
        service, endpoint_url=endpoint, region_name=at["region"], aws_access_key_id=at["key"], aws_secret_access_key=at["secret"]
    )


def duck(at):
    connection = duckdb.connect()
    for extension in ("avro", "httpfs", "iceberg"):
        (path,) = glob.glob(f"{sysconfig.get_paths()['purelib']}/duckdb_extension_{extension}/extensions/*/{extension}.duckdb_extension")
        connection.execute(f"LOAD '{path}'")
    if "s3" in at:
        scheme, host = at["s3"].split("://")
        connection.execute(
            f"CREATE SECRET (TYPE s3, KEY_ID '{at['key']}', SECRET '{at['secret']}', REGION '{at['region']}', ENDPOINT '{host}',"
            f" URL_STYLE 'path', USE_SSL {scheme == 'https'})"
        )
    return connection


def main():
    at = json.loads(sys.argv[1])
    connection, found = duck(at), {}
    for name in TABLES:
        metadata = newest_metadata(at, name)
        table = StaticTable.from_metadata(metadata, properties=s3_properties(at))
        snapshot = table.current_snapshot()
        if snapshot is None:
            found[name] = {"snapshot": None, "total": 0, "pyiceberg": 0, "duckdb": 0}
            continue
        (rows,) = connection.execute(f"SELECT count(tenant_id) FROM iceberg_scan('{metadata}')").fetchone()
        found[name] = {
            "snapshot": snapshot.snapshot_id,
            "total": int(snapshot.summary["total-records"]),
            "pyiceberg": table.scan(selected_fields=("tenant_id",)).to_arrow().num_rows,
            "duckdb": rows,
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
