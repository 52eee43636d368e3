"""Looks for mistakes in the templates: cfn-lint on what SAM makes of them, then infra/rules.py with the values of each environment.

  infra/check.py [FOLDER]      the folder that holds template.yaml, samconfig.toml and infra/; prints what is wrong
"""

import json
import logging
import pathlib
import re
import shutil
import sys
import tempfile

import cfnlint.api
import cfnlint.config
import cfnlint.core
import cfnlint.runner

import rules
from template import NESTED, REGION, Values, environments, read, transformed

# SAM's translator says on its way out that it sent no telemetry.
logging.disable(logging.WARNING)

CATALOGS = ("object_store", "glue", "s3tables")
# W3002: a local path of a nested template, which `sam deploy` uploads.
IGNORED = ["W3002"]


def lint(folder):
    """What cfn-lint says of the transformed template and of the nested ones, as it lies beside them."""
    with tempfile.TemporaryDirectory() as scratch:
        place = pathlib.Path(scratch)
        shutil.copytree(folder / "infra", place / "infra", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        (place / "template.json").write_text(json.dumps(transformed(folder / "template.yaml"), indent=1))
        nested = [str(place / path) for path in nested_templates(folder)]
        arguments = ["--regions", REGION, "--ignore-checks", *IGNORED, "--template", str(place / "template.json"), *nested]
        config = cfnlint.config.ConfigMixIn(arguments)
        config.template_files = [str(place / "template.json"), *nested]
        for match in cfnlint.runner.Runner(config).run():
            name = pathlib.Path(match.filename).relative_to(place)
            yield f"{match.rule.id} {name}:{match.linenumber}: {match.message}"


def nested_templates(folder):
    """Paths of the nested templates, as the template names them."""
    resources = read(folder / "template.yaml")["Resources"].values()
    return [one["Properties"]["TemplateURL"] for one in resources if one["Type"] == NESTED]


def own(folder):
    """What the rules say, for each environment and catalog, once each."""
    template = transformed(folder / "template.yaml")
    nested = {path: read(folder / path) for path in nested_templates(folder)}
    said = {}
    for environment, parameters in environments(folder / "samconfig.toml").items():
        for catalog in CATALOGS:
            for options in ({}, {"Authorization": "iam"}, {"LargeQueries": "true", "Watch": "true"}):
                values = Values(template, {**parameters, "Catalog": catalog, **options})
                for rule, message in broken(nested, values):
                    said.setdefault(f"{rule} {message}", environment)
    return [f"{message} (environment {environment})" for message, environment in said.items()]


def broken(templates, values):
    made = rules.Made(values)
    for name, check in rules.ALL:
        for message in check(made):
            yield name, message
    for name, nested in made.of(NESTED):
        path = nested["TemplateURL"]
        template = templates[path]
        yield from mismatches(name, nested["Parameters"], template, values.template)
        given = {name: value if isinstance(value, (str, int)) else f"<{name}>" for name, value in nested["Parameters"].items()}
        known = {name: value for name, value in given.items() if name in template["Parameters"]}
        for rule, message in broken(templates, Values(template, known)):
            yield rule, f"{path}: {message}"


def mismatches(name, given, template, outer):
    """Where a nested template and the one that names it don't fit."""
    rule, declared = "a-nested-template-is-called-as-it-declares", template["Parameters"]
    for parameter in sorted(set(given) - set(declared)):
        yield rule, f"{name}: it has no parameter {parameter}"
    for parameter in sorted(one for one in set(declared) - set(given) if "Default" not in declared[one]):
        yield rule, f"{name}: its parameter {parameter} is not given"
    for output in sorted(set(re.findall(rf'"{name}(?:", "|\.)Outputs\.(\w+)', json.dumps(outer)))):
        if output not in template.get("Outputs", {}):
            yield rule, f"{name}: it has no output {output}"


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    found = [*lint(folder), *own(folder)]
    print("\n".join(found) or "no mistake found")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
