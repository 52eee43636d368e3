"""An AWS account on this machine: MiniStack as a process, and the clients that speak to it."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import boto3

FOLDER = pathlib.Path(__file__).parent
REGION, KEY = "us-east-1", "test"
PATIENCE = 90


class Account:
    """Runs while the block does."""

    def __init__(self, log):
        self.log = log

    def __enter__(self):
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        # What the emulator unpacks of each function it leaves behind when it ends.
        self.folder = tempfile.TemporaryDirectory(prefix="icegate-emulator-", ignore_cleanup_errors=True)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ICEGATE_", "SAM_"))},
            "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": KEY, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": self.endpoint,
            "SAM_CLI_TELEMETRY": "0", "GATEWAY_PORT": str(self.port),
            "TMPDIR": self.folder.name,
        }
        with open(self.log, "wb") as log:
            # A group of its own, so that the functions that it starts end with it.
            self.process = subprocess.Popen(
                [sys.executable, str(FOLDER / "serve.py")], env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        try:
            self.wait_until_it_answers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for how in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, how)
                self.process.wait(5)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass
        self.folder.cleanup()

    def wait_until_it_answers(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=5)
                return
            except OSError:
                time.sleep(0.2)
        raise SystemExit(f"the emulator does not start, see {self.log}")

    def client(self, service):
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=REGION, aws_access_key_id=KEY, aws_secret_access_key=KEY
        )


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
