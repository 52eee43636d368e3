"""The S3 requests that functions counted of themselves, held against the cost model's."""

import pathlib
import sys
import time

sys.path.append(str(pathlib.Path(__file__).parent.parent))
import cost  # noqa: E402
from scenario import wait  # noqa: E402

REQUESTS = 40
TOLERANCE = 0.1
KINDS = {"put": "StoragePuts", "get": "StorageGets", "list": "StorageLists", "head": "StorageHeads"}


def body(number):
    record = f'{{"timeUnixNano":"{time.time_ns()}","body":{{"stringValue":"counted {number}"}}}}'
    return f'{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{record}]}}]}}]}}'.encode()


def total(invocations, function, metric):
    return sum(one.get(metric, 0) for one in invocations if one["function"] == function)


def compare(scenario):
    """Sends requests of one signal, waits until they are in their table, and compares; yields what differs."""
    before = len(scenario.invocations())
    for number in range(REQUESTS):
        status, text = scenario.api.call("POST", "/v1/logs", scenario.keys["writer"], body(number), {"Content-Type": "application/json"})
        if status != 200:
            yield f"a request was answered {status} {text}"
            return
    found = []

    def shifted():
        found[:] = scenario.invocations()[before:]
        return total(found, "shift", "ShiftSegments") == REQUESTS, total(found, "shift", "ShiftSegments")

    wait("counted requests are in their table", shifted)
    passes = [one for one in found if one["function"] == "shift"]
    committing = sum(one.get("ShiftSegments", 0) > 0 for one in passes)
    predicted = cost.storage_requests(REQUESTS, committing, len(passes) - committing)
    for kind, metric in KINDS.items():
        counted = sum(total(found, function, metric) for function in ("ingest", "shift"))
        print(f"    {kind}: {counted:g} counted, {predicted[kind]:g} by the cost model")
        if abs(counted - predicted[kind]) > TOLERANCE * max(counted, 1):
            yield f"{kind}: {counted:g} requests counted, the cost model says {predicted[kind]:g}"
    for one in passes:
        print("      ", {name: one.get(metric, 0) for name, metric in {**KINDS, "segments": "ShiftSegments", "delete": "StorageDeletes"}.items()})
