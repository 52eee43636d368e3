"""The S3 requests that functions counted of themselves, held against the cost model's."""

import pathlib
import sys
import time

sys.path.append(str(pathlib.Path(__file__).parent.parent))
import cost  # noqa: E402
from scenario import Failed, wait  # noqa: E402

# Enough that what an environment reads when it starts is small beside it.
REQUESTS = 150
TOLERANCE = 0.1
# As S3 bills them.
CLASSES = {"put or list": ["StoragePuts", "StorageLists"], "get": ["StorageGets", "StorageHeads"]}


def body(number):
    record = f'{{"timeUnixNano":"{time.time_ns()}","body":{{"stringValue":"counted {number}"}}}}'
    return f'{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{record}]}}]}}]}}'.encode()


def total(invocations, function, metric):
    return sum(one.get(metric, 0) for one in invocations if one["function"] == function)


def batch(scenario, requests):
    """Sends requests of one signal while no event wakes the shift, then asks it twice, of which the second time finds nothing; answers
    with what the functions counted of themselves."""
    functions, queue = scenario.account.client("lambda"), scenario.account.client("sqs")
    shift = scenario.outputs["ShiftFunction"]
    (mapping,) = functions.list_event_source_mappings(FunctionName=shift)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    known = {one["request_id"] for one in scenario.invocations()}
    for number in range(requests):
        expect_taken(scenario.api.call("POST", "/v1/logs", scenario.keys["writer"], body(number), {"Content-Type": "application/json"}))
    for _ in range(2):
        functions.invoke(FunctionName=shift, Payload=b"{}")
    queue.purge_queue(QueueUrl=scenario.outputs["WalEventsUrl"])
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    def written():
        found = [one for one in scenario.invocations() if one["request_id"] not in known]
        return total(found, "shift", "Invocations") >= 2, found

    return wait(f"{requests} counted requests were shifted", written)


def expect_taken(answer):
    if answer[0] != 200:
        raise Failed(f"a request was answered {answer}")


def compare(scenario):
    """Where what was counted differs from what the cost model says."""
    found = batch(scenario, REQUESTS)
    if total(found, "shift", "ShiftSegments") != REQUESTS:
        yield f"{total(found, 'shift', 'ShiftSegments'):g} segments of {REQUESTS} were shifted"
    predicted = cost.storage_requests(REQUESTS, shifts=1, others=3, sweeps=1)
    predicted = {"put or list": predicted["put"] + predicted["list"], "get": predicted["get"]}
    for name, metrics in CLASSES.items():
        counted = sum(total(found, function, metric) for function in ("ingest", "shift") for metric in metrics)
        print(f"    {name}: {counted:g} counted, {predicted[name]:g} by the cost model")
        if abs(counted - predicted[name]) > TOLERANCE * counted:
            yield f"{name}: {counted:g} requests counted, the cost model says {predicted[name]:g}"
