"""Reads the tables with DuckDB: the lines of each tenant, and how many rows each table has.

  read.py TABLES

TABLES is as local/tests/it/python/rows.py takes it.  Prints {"lines": {TENANT: [TEXT…]}, "rows": {TABLE: ROWS}}.
"""

import json
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parent.parent.parent / "local/tests/it/python"))
from rows import TABLES, duck, newest_metadata  # noqa: E402

at = json.loads(sys.argv[1])
connection = duck(at)
scans = {table: f"iceberg_scan('{newest_metadata(at, table)}')" for table in TABLES}
rows, lines = {}, {}
for table, scan in scans.items():
    try:
        (rows[table],) = connection.execute(f"SELECT count(tenant_id) FROM {scan}").fetchone()
    except Exception as error:
        # A table without a snapshot has nothing to scan.
        if "snapshot" not in str(error).lower():
            raise
        rows[table] = 0
if rows["logs"]:
    for tenant, body in connection.execute(f"SELECT tenant_id, body FROM {scans['logs']}").fetchall():
        lines.setdefault(tenant, []).append(body)
print(json.dumps({"lines": lines, "rows": rows}))
