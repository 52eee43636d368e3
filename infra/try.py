"""Deploys the stack on an emulator on this machine and uses it, once for each catalog.

  infra/try.py FOLDER [CATALOG...]      FOLDER holds the binaries function-ingest, function-shift …; all catalogs without any named

With a Python that has infra/requirements.txt; ICEGATE_PYTHON names one that has local/tests/it/python/requirements.txt, for the
OpenTelemetry SDK and DuckDB.
"""

import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "emulator"))

import counts  # noqa: E402
import locks  # noqa: E402
from account import Account  # noqa: E402
from scenario import PARAMETERS, Failed, Scenario, expect  # noqa: E402
from stack import code, deploy  # noqa: E402

CATALOGS = ("object_store", "glue", "s3tables")


def one(catalog, built, python, scratch):
    began = time.monotonic()
    place = scratch / catalog
    place.mkdir()
    print(f"{catalog}", flush=True)
    with Account(scratch / f"{catalog}.log") as account:
        try:
            if catalog in locks.CATALOGS:
                done, refused, last = locks.race(account, catalog)
                expect(f"the emulator's lock is right: {done} swaps, {refused} refused", last, done)
            outputs = deploy(account, built, place, {"Catalog": catalog, **PARAMETERS})
            print(f"    deployed ({time.monotonic() - began:.0f} s)", flush=True)
            scenario = Scenario(account, outputs, catalog, python)
            scenario.run()
            if catalog == "object_store":
                expect("S3 requests are within a tenth of the cost model's", list(counts.compare(scenario)), [])
        except Failed as failed:
            print(f"    FAILED {failed}\n--- the end of the emulator's log")
            print(pathlib.Path(account.log).read_text(errors="replace")[-6000:])
            return False
    print(f"    done ({time.monotonic() - began:.0f} s)", flush=True)
    return True


def main():
    if len(sys.argv) < 2 or set(sys.argv[2:]) - set(CATALOGS):
        sys.exit(__doc__)
    python = os.environ.get("ICEGATE_PYTHON")
    if not python:
        sys.exit("ICEGATE_PYTHON names no Python")
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        built = code(sys.argv[1], scratch / "code")
        worked = [one(catalog, built, python, scratch) for catalog in sys.argv[2:] or CATALOGS]
    print(f"{sum(worked)} passed, {len(worked) - sum(worked)} failed")
    sys.exit(not all(worked))


if __name__ == "__main__":
    main()
