"""Looks for mistakes in the templates: cfn-lint on what SAM makes of them, then infra/rules.py with the values of each environment.

  infra/check.py [FOLDER]      the folder that holds template.yaml, samconfig.toml and infra/; prints what is wrong
"""

import contextlib
import io
import json
import pathlib
import shutil
import sys
import tempfile

import cfnlint.api
import cfnlint.config
import cfnlint.core
import cfnlint.runner

import rules
from template import NESTED, REGION, Values, environments, read, transformed

CATALOGS = ("object_store", "glue", "s3tables")
# W3002: a local path of a nested template, which `sam deploy` uploads.
IGNORED = ["W3002"]


def lint(folder):
    """What cfn-lint says of the transformed template and of the nested ones, as it lies beside them."""
    with tempfile.TemporaryDirectory() as scratch:
        place = pathlib.Path(scratch)
        shutil.copytree(folder / "infra", place / "infra", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        (place / "template.json").write_text(json.dumps(transformed(folder / "template.yaml"), indent=1))
        nested = sorted(str(path) for path in nested_templates(folder, place))
        arguments = ["--regions", REGION, "--ignore-checks", *IGNORED, "--template", str(place / "template.json"), *nested]
        config = cfnlint.config.ConfigMixIn(arguments)
        config.template_files = [str(place / "template.json"), *nested]
        for match in cfnlint.runner.Runner(config).run():
            name = pathlib.Path(match.filename).relative_to(place)
            yield f"{match.rule.id} {name}:{match.linenumber}: {match.message}"


def nested_templates(folder, place):
    for resource in read(folder / "template.yaml")["Resources"].values():
        if resource["Type"] == NESTED:
            yield place / resource["Properties"]["TemplateURL"]


def own(folder):
    """What the rules say, for each environment and catalog, once each."""
    template = transformed(folder / "template.yaml")
    said = {}
    for environment, parameters in environments(folder / "samconfig.toml").items():
        for catalog in CATALOGS:
            for options in ({}, {"Authorization": "iam"}, {"LargeQueries": "true", "Watch": "true"}):
                values = Values(template, {**parameters, "Catalog": catalog, **options})
                for rule, message in broken(folder, values):
                    said.setdefault(f"{rule} {message}", environment)
    return [f"{message} (environment {environment})" for message, environment in said.items()]


def broken(folder, values):
    made = rules.Made(values)
    for name, check in rules.ALL:
        for message in check(made):
            yield name, message
    for _, nested in made.of(NESTED):
        path = nested["TemplateURL"]
        given = {name: value if isinstance(value, (str, int)) else f"<{name}>" for name, value in nested["Parameters"].items()}
        for rule, message in broken(folder, Values(read(folder / path), given)):
            yield rule, f"{path}: {message}"


def mistakes(folder):
    with contextlib.redirect_stderr(io.StringIO()) as errors:
        try:
            found = [*lint(folder), *own(folder)]
        except Exception as error:  # the transform's own refusals, of many kinds
            return [f"transform {type(error).__name__}: {error}"]
    return found + [line for line in errors.getvalue().splitlines() if "ERROR" in line]


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    found = mistakes(folder)
    print("\n".join(found) or "no mistake found")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
