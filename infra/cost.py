"""What IceGate costs on AWS, from the requests that it makes.

  infra/cost.py [--rate MB_A_SECOND] [--catalog CATALOG]

Prints dollars per TB of OTLP taken in, for batches of 64 KB, 1 MB and 4 MB before compression, what a TB costs while it is kept,
what a query costs, and what a month costs in which nothing happens.  Everything is counted from the tables below; infra/try.py holds the
requests of a run of the functions against them.
"""

import argparse
import math

# Dollars, us-east-1, first tier, without free tiers: what the pages beside them listed, written down on 2026-11-27 from notes and not
# from the pages themselves.  Look there before you rely on a figure.
PRICES = {
    "api request of 512 KB": 1.00 / 1e6,  # aws.amazon.com/api-gateway/pricing, HTTP APIs
    "lambda request": 0.20 / 1e6,  # aws.amazon.com/lambda/pricing
    "lambda GB-second": 0.0000133334,  # the same, Arm
    "s3 put or list": 0.005 / 1e3,  # aws.amazon.com/s3/pricing, S3 Standard; deletes cost nothing
    "s3 get": 0.0004 / 1e3,
    "s3 GB-month": 0.023,
    "s3tables GB-month": 0.0265,  # the same page, S3 Tables
    "s3tables object-month": 0.025 / 1e3,
    "s3tables compaction object": 0.002 / 1e3,
    "s3tables compaction GB": 0.005,
    "sqs request": 0.40 / 1e6,  # aws.amazon.com/sqs/pricing, standard queues
    "glue request": 1.00 / 1e6,  # aws.amazon.com/glue/pricing, Data Catalog
    "log GB": 0.50,  # aws.amazon.com/cloudwatch/pricing
    "metric-month": 0.30,
    "alarm metric-month": 0.10,
    "secret-month": 0.40,  # aws.amazon.com/secrets-manager/pricing
    "schedule call": 1.00 / 1e6,  # aws.amazon.com/eventbridge/pricing
}

# S3 requests of a request of one signal, which is one segment, and of the shift of one table on the catalog object_store, which makes
# the most; heads count as gets.  As the functions counted them on the emulator; an
# environment's first look at a table takes one list and two gets more.
REQUESTS = {
    "request": {"put": 1},
    "segment that is shifted": {"get": 1},
    "shift that commits": {"put": 9, "get": 12, "list": 5},
    "other table of a sweep": {"get": 1, "list": 1},
    "sweep that finds nothing": {"get": 4, "list": 5},
}

# Measured by the benchmark of the README: CPU from OTLP to the tables, half of it before the acknowledgement.
INGEST_BYTES_A_CPU_SECOND = SHIFT_BYTES_A_CPU_SECOND = 2 * 26.6e6
# The same benchmark: bytes of a row of OTLP, CPU of a line filter over a million rows, and what tables hold of OTLP's bytes.
ROW_BYTES, QUERY_CPU_SECONDS_A_ROW, TABLE_SHARE = 700, 0.37e-6, 0.25
# MB of memory of one CPU, and what the template gives each function.
CPU_MB, INGEST_MB, SHIFT_MB, QUERY_MB = 1769, 512, 1769, 3008
# Assumed: how zstd shrinks OTLP on its way, the time of a PUT, the lines of an invocation.
COMPRESSION, PUT_SECONDS, LOG_BYTES = 4, 0.03, 2500
# The template's: seconds that events are gathered, rows of a data file's group that a query fetches at once.
WINDOW_SECONDS, FETCH_BYTES = 30, 8e6
# Metrics of each function (functions/host/src/emf.rs) at its usual work, and those of AWS's own that alarms look at.
METRICS = {"ingest": 4, "shift": 8, "maintain": 4, "loki": 3}
ALARM_METRICS = 27
TB, GB, MONTH_SECONDS = 1e12, 1e9, 30 * 86400


def storage_requests(requests=0, shifts=0, others=0, sweeps=0):
    """S3 requests of this many requests of one signal each that this many shifts brought into their table."""
    times = {
        "request": requests, "segment that is shifted": requests, "shift that commits": shifts, "other table of a sweep": others,
        "sweep that finds nothing": sweeps,
    }
    return {kind: sum(REQUESTS[what].get(kind, 0) * number for what, number in times.items()) for kind in ("put", "get", "list")}


def lambda_dollars(invocations, seconds, memory_mb):
    return invocations * PRICES["lambda request"] + invocations * seconds * memory_mb / 1024 * PRICES["lambda GB-second"]


def s3_dollars(requests):
    return (requests["put"] + requests["list"]) * PRICES["s3 put or list"] + requests["get"] * PRICES["s3 get"]


def ingested(batch, rate, catalog):
    """Dollars by part for a TB of OTLP in batches of this many bytes, which come with this many bytes a second."""
    requests = TB / batch
    # Events wake the shift once a window, or as often as segments come.
    passes = min(TB / rate / WINDOW_SECONDS, requests)
    ingest_seconds = PUT_SECONDS + batch / (INGEST_BYTES_A_CPU_SECOND * INGEST_MB / CPU_MB)
    shift_seconds = TB / passes / SHIFT_BYTES_A_CPU_SECOND + 1
    dollars = {
        "api": requests * math.ceil(batch / COMPRESSION / (512 * 1024)) * PRICES["api request of 512 KB"],
        "ingest": lambda_dollars(requests, ingest_seconds, INGEST_MB),
        "shift": lambda_dollars(passes, shift_seconds, SHIFT_MB),
        "s3 requests": s3_dollars(storage_requests(requests, passes)),
        # S3 sends each event; they are received and deleted ten at a time.
        "sqs": requests * 1.2 * PRICES["sqs request"],
        "logs": (requests + passes) * LOG_BYTES / GB * PRICES["log GB"],
    }
    if catalog == "glue":
        dollars["catalog"] = passes * 3 * PRICES["glue request"]
    if catalog == "s3tables":
        files = passes
        dollars["catalog"] = files * PRICES["s3tables compaction object"] + TB * TABLE_SHARE / GB * PRICES["s3tables compaction GB"]
    return dollars


def kept(catalog):
    """Dollars a month for what was a TB of OTLP."""
    return TB * TABLE_SHARE / GB * PRICES["s3tables GB-month" if catalog == "s3tables" else "s3 GB-month"]


def queried(rows):
    """Dollars of a line filter over this many rows, the bodies of which are read."""
    seconds = 0.1 + rows * QUERY_CPU_SECONDS_A_ROW / (QUERY_MB / CPU_MB)
    gets = 4 + rows * ROW_BYTES * TABLE_SHARE / FETCH_BYTES
    return PRICES["api request of 512 KB"] + lambda_dollars(1, seconds, QUERY_MB) + gets * PRICES["s3 get"]


def idle():
    """Dollars of a month in which nothing comes, by part."""
    sweeps = MONTH_SECONDS / 300
    return {
        "sweeps of the shift": lambda_dollars(sweeps, 0.3, SHIFT_MB) + s3_dollars(storage_requests(sweeps=sweeps))
        + sweeps * PRICES["schedule call"],
        # Five pollers that wait 20 s each time.
        "the queue's pollers": 5 * MONTH_SECONDS / 20 * PRICES["sqs request"],
        "the secret of keys": PRICES["secret-month"],
    }


def table(rate, catalog):
    batches = {"64 KB": 64e3, "1 MB": 1e6, "4 MB": 4e6}
    columns = {name: ingested(batch, rate, catalog) for name, batch in batches.items()}
    yield "Dollars for a TB of OTLP, at " + f"{rate / 1e6:g} MB a second, catalog {catalog}"
    yield "| part | " + " | ".join(columns) + " |"
    yield "|---|" + "---:|" * len(columns)
    for part in next(iter(columns.values())):
        yield f"| {part} | " + " | ".join(f"{column[part]:.2f}" for column in columns.values()) + " |"
    yield "| taken in | " + " | ".join(f"{sum(column.values()):.2f}" for column in columns.values()) + " |"
    yield ""
    yield f"Kept, a month: {kept(catalog):.2f}. A line filter over a million rows: {queried(1e6):.6f}, over all rows of a TB: {queried(TB / ROW_BYTES):.2f}."
    yield "A month without anything: " + ", ".join(f"{part} {dollars:.2f}" for part, dollars in idle().items()) + "."
    watched = ALARM_METRICS * PRICES["alarm metric-month"]
    yield f"A month with anything in every hour: metrics {sum(METRICS.values()) * PRICES['metric-month']:.2f}. With Watch=true: alarms {watched:.2f}."


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rate", type=float, default=1, help="MB of OTLP a second")
    arguments.add_argument("--catalog", choices=["object_store", "glue", "s3tables"], default="object_store")
    given = arguments.parse_args()
    print("\n".join(table(given.rate * 1e6, given.catalog)))


if __name__ == "__main__":
    main()
