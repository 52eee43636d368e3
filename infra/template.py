"""The templates as CloudFormation sees them: transformed by SAM, and with the values of parameters put in."""

import json
import pathlib
import tomllib

import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

NESTED = "AWS::CloudFormation::Stack"
REGION = "us-east-1"
PSEUDO = {
    "AWS::AccountId": "123456789012", "AWS::Region": REGION, "AWS::Partition": "aws", "AWS::StackName": "icegate",
    "AWS::URLSuffix": "amazonaws.com", "AWS::StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/icegate/1",
}
NO_VALUE = object()


def read(path):
    """A template with its short forms (`!Ref`) written out."""
    return yaml_parse(pathlib.Path(path).read_text())


def transformed(path):
    """What `sam deploy` hands to CloudFormation, with a place on S3 for the code of each function."""
    template = read(path)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    if "Transform" not in template or "Serverless" not in str(template["Transform"]):
        return template
    # Without values: what depends on parameters stays so. As JSON and back, since the translator shares parts between resources, and
    # nothing below may change two of them at once.
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    return json.loads(json.dumps(translator.translate(template, {})))


def environments(samconfig):
    """The parameters that each environment of samconfig.toml sets."""
    config = tomllib.loads(pathlib.Path(samconfig).read_text())
    found = {}
    for name, commands in config.items():
        if isinstance(commands, dict):
            overrides = commands.get("deploy", {}).get("parameters", {}).get("parameter_overrides", [])
            found[name] = dict(one.split("=", 1) for one in overrides)
    return found


class Values:
    """A template with parameters put in: conditions decided, references to parameters replaced."""

    def __init__(self, template, parameters):
        self.template = template
        defaults = {name: one.get("Default", "") for name, one in template.get("Parameters", {}).items()}
        unknown = set(parameters) - set(defaults)
        if unknown:
            raise ValueError(f"no parameter is named {', '.join(sorted(unknown))}")
        self.parameters = {**defaults, **parameters}

    def resources(self):
        """Logical id, type and resource of what would be made."""
        for name, resource in self.template["Resources"].items():
            if not isinstance(resource, dict) or "Type" not in resource:
                continue
            condition = resource.get("Condition")
            if condition is None or self.holds(condition):
                yield name, resource["Type"], self.resolve(resource)

    def holds(self, name):
        return self.condition(self.template["Conditions"][name])

    def condition(self, expression):
        (function, operands), = expression.items()
        match function:
            case "Fn::Equals":
                left, right = (str(self.resolve(one)) for one in operands)
                return left == right
            case "Fn::Not":
                return not self.condition(operands[0])
            case "Fn::And":
                return all(self.condition(one) for one in operands)
            case "Fn::Or":
                return any(self.condition(one) for one in operands)
            case "Condition":
                return self.holds(operands)
        raise ValueError(f"condition function {function}")

    def resolve(self, value):
        if isinstance(value, list):
            resolved = [self.resolve(one) for one in value]
            return [one for one in resolved if one is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (function, operand), = value.items()
            if function == "Ref" and operand == "AWS::NoValue":
                return NO_VALUE
            if function == "Ref" and operand in self.parameters:
                return self.parameters[operand]
            if function == "Ref" and operand in PSEUDO:
                return PSEUDO[operand]
            if function == "Fn::If":
                name, then, otherwise = operand
                return self.resolve(then if self.holds(name) else otherwise)
            if function == "Fn::FindInMap" and all(isinstance(one, (str, dict)) for one in operand):
                mapping, first, second = (self.resolve(one) for one in operand)
                found = self.template.get("Mappings", {}).get(mapping, {}).get(first, {}).get(second)
                if found is not None:
                    return found
        resolved = {name: self.resolve(one) for name, one in value.items()}
        return {name: one for name, one in resolved.items() if one is not NO_VALUE}

