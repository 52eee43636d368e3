"""Counts the rows of one table with DuckDB and with PyIceberg.

  count.py METADATA

METADATA is a metadata file of the table. Prints one JSON object with each reader's count of the rows that it has read.
"""

import glob
import json
import sys
import sysconfig

import duckdb
from pyiceberg.table import StaticTable

metadata = sys.argv[1]
connection = duckdb.connect()
for extension in ("avro", "httpfs", "iceberg"):
    (path,) = glob.glob(f"{sysconfig.get_paths()['purelib']}/duckdb_extension_{extension}/extensions/*/{extension}.duckdb_extension")
    connection.execute(f"LOAD '{path}'")
print(
    json.dumps(
        {
            # A sum over a column reads the files, a count alone may be answered by the manifests.
            "duckdb": connection.sql(f"SELECT count(body) FROM iceberg_scan('{metadata}')").fetchone()[0],
            "pyiceberg": StaticTable.from_metadata(metadata).scan().to_arrow().num_rows,
        }
    )
)
