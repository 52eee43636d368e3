"""What has to happen on a deployed stack, from a collector with a key to a row that another reader finds."""

import base64
import hashlib
import json
import os
import pathlib
import secrets
import subprocess
import time

from stack import Api

FOLDER = pathlib.Path(__file__).parent
LINES = 120
# Seconds that something may take that nobody does by hand.
PATIENCE = 180
PARAMETERS = {
    "Schedules": "DISABLED",  # only events may wake the shift
    "ShiftVisibilitySeconds": 4, "ShiftWindowSeconds": 1, "ShiftTries": 3, "LargeQueries": "true", "Watch": "true",
}


class Failed(Exception):
    """What was seen instead of what was to be seen."""


def expect(what, seen, wanted):
    if seen != wanted:
        raise Failed(f"{what}: {str(seen)[:600]}, not {str(wanted)[:300]}")
    print(f"    {what}", flush=True)


def wait(what, look):
    """Looks again until it is so."""
    end, seen = time.monotonic() + PATIENCE, None
    while time.monotonic() < end:
        found, seen = look()
        if found:
            print(f"    {what}", flush=True)
            return seen
        time.sleep(1)
    raise Failed(f"{what}: not within {PATIENCE} s, last seen {str(seen)[:600]}")


def new_key(name, tenants, scopes, **more):
    key = f"ig_{name}_{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip('=')}"
    entry = {"id": name, "hash": f"sha256:{hashlib.sha256(key.encode()).hexdigest()}", "tenants": tenants, "scopes": scopes, **more}
    return key, entry


class Scenario:
    def __init__(self, account, outputs, catalog, python):
        self.account, self.outputs, self.catalog, self.python = account, outputs, catalog, python
        self.api = Api(account, outputs["Url"])
        made = {
            "writer": new_key("writer", ["a"], ["write"]), "reader": new_key("reader", ["a"], ["read"]),
            "other": new_key("other", ["b"], ["read", "write"]), "revoked": new_key("revoked", ["a"], ["read", "write"], revoked=True),
        }
        self.keys = {name: key for name, (key, _) in made.items()}
        self.document = {"keys": [entry for _, entry in made.values()]}

    def run(self):
        self.put_keys()
        self.strangers_are_refused()
        self.poison()
        self.send()
        self.rows_come_into_the_tables()
        self.loki_answers()
        self.tempo_answers()
        self.prometheus_answers()
        self.the_large_url_answers()
        self.the_poison_is_parked()
        self.no_log_holds_a_key()

    def put_keys(self):
        client = self.account.client("secretsmanager")
        client.put_secret_value(SecretId=self.outputs["KeysSecret"], SecretString=json.dumps(self.document))

    def query(self, key, tenant=None, **more):
        headers = {} if tenant is None else {"X-Scope-OrgID": tenant}
        now = time.time_ns()
        parameters = {"query": '{service_name="shop"}', "limit": 1000, "start": now - 3600 * 10**9, "end": now + 60 * 10**9, **more}
        return self.api.get("/loki/api/v1/query_range", key, headers, **parameters)

    def strangers_are_refused(self):
        body, json_type = b'{"resourceLogs":[]}', {"Content-Type": "application/json"}
        write = lambda key, **more: self.api.call("POST", "/v1/logs", key, body, {**json_type, **more})[0]
        read = lambda key, tenant=None: self.query(key, tenant)[0]
        wrong = "ig_writer_" + "A" * 43
        expect("without a key 401", (write(None), read(None)), (401, 401))
        expect("a wrong key 403", (write(wrong), read(wrong), write("letmein")), (403, 403, 403))
        expect("a revoked key 403", (write(self.keys["revoked"]), read(self.keys["revoked"])), (403, 403))
        expect("a key for reading writes nothing", write(self.keys["reader"]), 403)
        expect("a key for writing reads nothing", read(self.keys["writer"]), 403)
        expect("another tenant's name in a header 403", (read(self.keys["reader"], "b"), write(self.keys["writer"], **{"X-Scope-OrgID": "b"})), (403, 403))
        expect("two tenants in a header 403", read(self.keys["reader"], "a|b"), 403)
        expect("a key that is let in 200", (write(self.keys["writer"]), read(self.keys["reader"])), (200, 200))

    def send(self):
        command = [self.python, FOLDER / "send.py", self.api.endpoint, self.api.host, self.keys["writer"], str(LINES)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        sent = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        expect("the SDK's exports are acknowledged", (sent.returncode, sent.stderr), (0, ""))

    def tables(self):
        place = {"region": "us-east-1", "key": "test", "secret": "test", "s3": self.account.endpoint, "uri": self.account.endpoint}
        where = {"catalog": self.catalog, "warehouse": self.outputs["Tables"].rstrip("/"), "bucket": self.outputs["Tables"], **place}
        read = subprocess.run([self.python, FOLDER / "read.py", json.dumps(where)], capture_output=True, text=True, timeout=120)
        if read.returncode:
            raise Failed(f"DuckDB: {read.stderr[-2000:]}")
        return json.loads(read.stdout)

    def rows_come_into_the_tables(self):
        wanted = {"logs": LINES, "spans": LINES, "metrics": 1, "events": 0}
        look = lambda: (lambda found: (found["rows"] == wanted, found))(self.tables())
        found = wait("the event-driven shift brings every row into the tables, once", look)
        expect("DuckDB reads the lines that were sent", {tenant: sorted(lines) for tenant, lines in found["lines"].items()},
               {"a": sorted(f"order {number}" for number in range(LINES))})

    def loki_answers(self):
        wanted = sorted(f"order {number}" for number in range(LINES))
        expect("Loki's API answers the same lines", lines(self.query(self.keys["reader"])), wanted)
        expect("and nothing to another tenant", lines(self.query(self.keys["other"])), [])
        counted = self.query(self.keys["reader"], query='sum(count_over_time({service_name="shop"}[2h]))', step=3600)
        values = {value for series in json.loads(counted[1])["data"]["result"] for _, value in series["values"]}
        expect("a metric query counts them", str(LINES) in values, True)
        status, text = self.api.get("/loki/api/v1/label/service_name/values", self.keys["reader"])
        expect("labels are there", (status, json.loads(text)["data"]), (200, ["shop"]))

    def tempo_answers(self):
        now = int(time.time())
        asked = {"q": '{ resource.service.name = "shop" && name = "order" }', "start": now - 3600, "end": now + 60, "limit": 2 * LINES}
        status, text = self.api.get("/tempo/api/search", self.keys["reader"], **asked)
        traces = [trace["traceID"] for trace in json.loads(text)["traces"]] if status == 200 else text
        expect("Tempo's API finds each span's trace", (status, len(traces)), (200, LINES))
        status, text = self.api.get(f"/tempo/api/traces/{traces[0]}", self.keys["reader"])
        expect("and answers a trace by its id", (status, text.count('"name":"order"')), (200, 1))
        expect("which another tenant hasn't", self.api.get(f"/tempo/api/traces/{traces[0]}", self.keys["other"])[0], 404)

    def prometheus_answers(self):
        asked = lambda key: self.api.get("/prometheus/api/v1/query", key, query="sum by (job) (orders_total)")
        status, text = asked(self.keys["reader"])
        series = json.loads(text)["data"]["result"] if status == 200 else text
        found = [(one["metric"], one["value"][1]) for one in series]
        expect("Prometheus' API answers what was counted", found, [({"job": "shop"}, str(LINES))])
        expect("and nothing to another tenant", json.loads(asked(self.keys["other"])[1])["data"]["result"], [])

    def the_large_url_answers(self):
        large = Api(self.account, self.outputs["LargeQueriesUrl"])
        at = self.api
        self.api = large
        try:
            expect("the function URL answers the same lines", len(lines(self.query(self.keys["reader"]))), LINES)
            expect("and asks for a key itself", (self.query(None)[0], self.query(self.keys["writer"])[0]), (401, 403))
        finally:
            self.api = at

    def poison(self):
        self.poisoned = ["not json", json.dumps({"Records": "x" * 1000}), '{"Records": [{"eventSource": "aws:s3"']
        client = self.account.client("sqs")
        for body in self.poisoned:
            client.send_message(QueueUrl=self.outputs["WalEventsUrl"], MessageBody=body)

    def the_poison_is_parked(self):
        client, parked = self.account.client("sqs"), {}

        def look():
            answer = client.receive_message(QueueUrl=self.outputs["ParkedEventsUrl"], MaxNumberOfMessages=10)
            parked.update({message["MessageId"]: message["Body"] for message in answer.get("Messages", [])})
            return sorted(parked.values()) == sorted(self.poisoned), list(parked.values())

        wait("bad events are parked, and nothing else", look)
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        left = client.get_queue_attributes(QueueUrl=self.outputs["WalEventsUrl"], AttributeNames=names)["Attributes"]
        expect("no event is left", {int(left[name]) for name in names}, {0})

    def log_lines(self):
        """Of all functions, as CloudWatch has them."""
        client = self.account.client("logs")
        for group in client.describe_log_groups()["logGroups"]:
            for page in client.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
                yield from (event["message"] for event in page["events"])

    def no_log_holds_a_key(self):
        secret = [key.split("_", 2)[2] for key in self.keys.values()]
        texts = [*self.log_lines(), pathlib.Path(self.account.log).read_text(errors="replace")]
        expect("no log holds a key", [text for text in texts if any(one in text for one in secret)], [])

    def invocations(self):
        """What the functions counted of themselves: a line of metrics an invocation."""
        return [found for line in self.log_lines() for found in metrics(line)]


def metrics(text):
    for line in text.splitlines():
        if line.startswith("{") and '"Invocations"' in line:
            yield json.loads(line)


def lines(answer):
    status, text = answer
    if status != 200:
        raise Failed(f"{status} {text[:500]}")
    return sorted(line for stream in json.loads(text)["data"]["result"] for _, line in stream["values"])
