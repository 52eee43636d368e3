"""AWS on a port of this machine: S3, S3 Tables and Glue, by moto. Ends when standard input does.

moto takes any Glue update, whatever version it names. AWS refuses one that does not name the newest, and so does this.
moto looks whether a key is free and then writes it, each in its own time, so that of two creators both may succeed. S3 lets one.
Databases, namespaces and tables are the same to it, and the second of two takes the place of the first with all that is in it.
moto's reply to an update of S3 Tables is not of the form that AWS documents; here it is.
"""

import json
import os
import sys
import threading

# A test that wants a Glue of its own takes a region of its own.
os.environ["MOTO_ALLOW_NONEXISTENT_REGION"] = "true"

from moto.glue.exceptions import GlueClientError
from moto.glue.responses import GlueResponse
from moto.s3.responses import S3Response
from moto.s3tables.responses import S3TablesResponse
from moto.server import main

one_at_a_time = threading.Lock()
put_object = S3Response.put_object
update_without_looking = GlueResponse.update_table
update_location = S3TablesResponse.update_table_metadata_location


class ConcurrentModification(GlueClientError):
    def __init__(self):
        super().__init__("ConcurrentModificationException", "the table is of another version")


def put_object_one_at_a_time(self):
    if "If-None-Match" in self.headers or "If-Match" in self.headers:
        with one_at_a_time:
            return put_object(self)
    return put_object(self)


def update_table(self):
    with one_at_a_time:
        named = self.parameters.get("VersionId")
        table = self.glue_backend.get_table(self.parameters["DatabaseName"], self.parameters["TableInput"]["Name"])
        newest = max(int(version) for version in table.versions)
        if named is not None and int(named) != newest:
            raise ConcurrentModification()
        return update_without_looking(self)


def update_table_metadata_location(self):
    with one_at_a_time:
        status, headers, body = update_location(self)
    reply = json.loads(body)
    reply["namespace"] = [reply["namespace"]]
    reply["tableARN"] = reply.pop("tableArn")
    return status, headers, json.dumps(reply)


def at_once(kind, name):
    """Makes a call of moto look and write without another between."""
    call = getattr(kind, name)

    def locked(self):
        with one_at_a_time:
            return call(self)

    setattr(kind, name, locked)


def end_with_the_test():
    sys.stdin.buffer.read()
    os._exit(0)


S3Response.put_object = put_object_one_at_a_time
GlueResponse.update_table = update_table
for kind, name in [
    (GlueResponse, "create_database"), (GlueResponse, "create_table"),
    (S3TablesResponse, "create_namespace"), (S3TablesResponse, "create_table"),
]:
    at_once(kind, name)
S3TablesResponse.update_table_metadata_location = update_table_metadata_location
threading.Thread(target=end_with_the_test, daemon=True).start()
main(["-H", "127.0.0.1", "-p", sys.argv[1]])
