"""AWS on a port of this machine: S3, S3 Tables and Glue, by moto. Ends when standard input does.

moto takes any Glue update, whatever version it names. AWS refuses one that does not name the newest, and so does this.
"""

import os
import sys
import threading

# A test that wants a Glue of its own takes a region of its own.
os.environ["MOTO_ALLOW_NONEXISTENT_REGION"] = "true"

from moto.glue.exceptions import GlueClientError
from moto.glue.responses import GlueResponse
from moto.server import main

one_at_a_time = threading.Lock()
update_without_looking = GlueResponse.update_table


class ConcurrentModification(GlueClientError):
    def __init__(self):
        super().__init__("ConcurrentModificationException", "the table is of another version")


def update_table(self):
    with one_at_a_time:
        named = self.parameters.get("VersionId")
        table = self.glue_backend.get_table(self.parameters["DatabaseName"], self.parameters["TableInput"]["Name"])
        newest = max(int(version) for version in table.versions)
        if named is not None and int(named) != newest:
            raise ConcurrentModification()
        return update_without_looking(self)


def end_with_the_test():
    sys.stdin.buffer.read()
    os._exit(0)


if "stock" not in sys.argv[2:]:
    GlueResponse.update_table = update_table
threading.Thread(target=end_with_the_test, daemon=True).start()
main(["-H", "127.0.0.1", "-p", sys.argv[1]])
