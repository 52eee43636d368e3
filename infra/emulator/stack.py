"""The stack of this repository on an account: `sam deploy` with functions that are built already."""

import pathlib
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile

ROOT = pathlib.Path(__file__).parent.parent.parent
FUNCTIONS = ("ingest", "shift", "maintain", "migrate", "loki", "tempo", "prometheus", "authorizer")
NAME = "icegate"
CODE = re.compile(r"CodeUri: functions/(\w+)")


def code(binaries, place):
    """An archive with `bootstrap` for each function, of `function-NAME` without symbols for debuggers."""
    place.mkdir()
    for function in FUNCTIONS:
        binary, bare = pathlib.Path(binaries) / f"function-{function}", place / function
        if not binary.is_file():
            raise SystemExit(f"{binary} is missing")
        subprocess.run(["strip", "-o", bare, binary], check=True)
        # Debug binaries are large, and nothing here hangs on the archive's size.
        with zipfile.ZipFile(place / f"{function}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            entry = zipfile.ZipInfo("bootstrap")
            entry.external_attr, entry.compress_type = 0o100755 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, bare.read_bytes())
        bare.unlink()
    return place


def deploy(account, built, place, parameters):
    """Deploys, and answers with the outputs. The templates are copied, with the folders of code in them."""
    shutil.copytree(ROOT / "infra", place / "infra", ignore=shutil.ignore_patterns("__pycache__"))
    template = CODE.sub(lambda found: f"CodeUri: {built / found[1]}.zip", (ROOT / "template.yaml").read_text())
    (place / "template.yaml").write_text(template)
    watch = place / "infra/watch.yaml"
    watch.write_text(without_metric_math(watch.read_text()))
    command = [
        pathlib.Path(sys.executable).parent / "sam", "deploy", "--template-file", place / "template.yaml", "--stack-name", NAME,
        "--resolve-s3", "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--no-confirm-changeset",
        "--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items()),
    ]
    done = subprocess.run(command, env=account.environment, cwd=place, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise SystemExit(f"sam deploy failed\n{done.stdout}\n{done.stderr}")
    (stack,) = account.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def without_metric_math(text):
    """The emulator has no alarms over several metrics: it deploys the others."""
    head, resources = text.split("\nResources:\n", 1)
    blocks = re.split(r"(?m)^(?=  \w+:$)", resources)
    return head + "\nResources:\n" + "".join(block for block in blocks if "\n      Metrics:\n" not in block)


class Api:
    """The HTTP API, at the address that the account gives it by the header Host."""

    def __init__(self, account, url):
        self.endpoint, self.host = account.endpoint, urllib.parse.urlparse(url).netloc

    def call(self, method, path, key=None, body=None, headers=None):
        """Status and text of the answer."""
        given = {"Host": self.host, **(headers or {})}
        if key is not None:
            given["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(self.endpoint + path, data=body, method=method, headers=given)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def get(self, path, key=None, headers=None, **parameters):
        return self.call("GET", f"{path}?{urllib.parse.urlencode(parameters)}" if parameters else path, key, headers=headers)
