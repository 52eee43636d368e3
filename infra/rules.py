"""What must hold of the templates and cfn-lint doesn't look at. Each rule yields what is wrong, with values put in."""

import re

ALL = []
# Longest that a request through the HTTP API takes.
GATEWAY_SECONDS = 30
RATE = re.compile(r"rate\((?:1 (?:minute|hour|day)|(?!1 |0)\d+ (?:minutes|hours|days))\)")
CRON = re.compile(r"cron\(\S+ \S+ \S+ \S+ \S+ \S+\)")


def rule(check):
    ALL.append((check.__name__.replace("_", "-"), check))
    return check


class Made:
    """The resources of one template with one set of values."""

    def __init__(self, values):
        made = list(values.resources())
        self.resources = {name: (kind, resource.get("Properties", {})) for name, kind, resource in made}
        policies = ("DeletionPolicy", "UpdateReplacePolicy")
        self.kept = {name for name, _, resource in made if all(resource.get(one, "").startswith("Retain") for one in policies)}

    def of(self, kind):
        return [(name, properties) for name, (found, properties) in self.resources.items() if found == kind]

    def target(self, reference):
        """Name and properties of the resource that a `Ref` or `Fn::GetAtt` names."""
        if isinstance(reference, dict):
            named = reference.get("Ref") or reference.get("Fn::GetAtt")
            name = named[0] if isinstance(named, list) else str(named).split(".")[0]
            if name in self.resources:
                return name, self.resources[name][1]
        return None, {}


def seconds(value, otherwise):
    return int(value if value is not None else otherwise)


@rule
def a_large_batch_waits_for_events(made):
    for name, mapping in made.of("AWS::Lambda::EventSourceMapping"):
        if int(mapping.get("BatchSize", 10)) > 10 and int(mapping.get("MaximumBatchingWindowInSeconds", 0)) < 1:
            yield f"{name}: a BatchSize over 10 needs a MaximumBatchingWindowInSeconds of at least 1"


@rule
def a_bad_event_fails_alone(made):
    for name, mapping in made.of("AWS::Lambda::EventSourceMapping"):
        if "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", []):
            yield f"{name}: without ReportBatchItemFailures one bad event takes its whole batch to the dead-letter queue"


@rule
def an_event_stays_hidden_while_it_is_worked_on(made):
    for name, mapping in made.of("AWS::Lambda::EventSourceMapping"):
        queue, properties = made.target(mapping.get("EventSourceArn"))
        function, code = made.target(mapping.get("FunctionName"))
        least = 6 * seconds(code.get("Timeout"), 3) + int(mapping.get("MaximumBatchingWindowInSeconds", 0))
        visibility = seconds(properties.get("VisibilityTimeout"), 30)
        if visibility < least:
            yield f"{queue}: VisibilityTimeout {visibility} is less than six time-outs of {function} and the window of {name}, {least}"


@rule
def a_reservation_leaves_room_beside_the_pollers(made):
    for name, mapping in made.of("AWS::Lambda::EventSourceMapping"):
        function, code = made.target(mapping.get("FunctionName"))
        pollers = int(mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 1000))
        reserved = code.get("ReservedConcurrentExecutions")
        if reserved is not None and int(reserved) <= pollers:
            yield f"{function}: {reserved} reserved environments, and the pollers of {name} alone may take {pollers}"


@rule
def a_function_is_within_lambdas_bounds(made):
    for name, code in made.of("AWS::Lambda::Function"):
        bounds = {
            "EphemeralStorage": (int(code.get("EphemeralStorage", {}).get("Size", 512)), 512, 10240),
            "MemorySize": (int(code.get("MemorySize", 128)), 128, 10240),
            "Timeout": (seconds(code.get("Timeout"), 3), 1, 900),
        }
        for key, (value, least, most) in bounds.items():
            if not least <= value <= most:
                yield f"{name}: {key} is {value}, and has to be from {least} to {most}"


@rule
def a_function_writes_to_a_log_that_ends(made):
    groups = dict(made.of("AWS::Logs::LogGroup"))
    for name, code in made.of("AWS::Lambda::Function"):
        group, _ = made.target(code.get("LoggingConfig", {}).get("LogGroup"))
        if group not in groups:
            yield f"{name}: LoggingConfig names no log group of this template"
    for name, group in groups.items():
        if "RetentionInDays" not in group:
            yield f"{name}: a log group without RetentionInDays keeps everything for ever"


@rule
def a_function_sets_no_variable_of_lambda(made):
    for name, code in made.of("AWS::Lambda::Function"):
        for variable in code.get("Environment", {}).get("Variables", {}):
            if variable.startswith(("AWS_", "LAMBDA_", "_")):
                yield f"{name}: Lambda itself sets the variable {variable}"


@rule
def a_schedule_is_spelt_as_the_scheduler_reads_it(made):
    for name, schedule in made.of("AWS::Scheduler::Schedule"):
        expression = str(schedule.get("ScheduleExpression"))
        if not (RATE.fullmatch(expression) or CRON.fullmatch(expression)):
            yield f"{name}: {expression} is neither rate(1 minute), rate(5 minutes) … nor cron(…) of six fields"


@rule
def a_policy_names_actions_and_resources(made):
    for name, role in made.of("AWS::IAM::Role"):
        if role.get("ManagedPolicyArns"):
            yield f"{name}: a managed policy allows more than is named here"
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield from wildcards(f"{name}.{statement.get('Sid', '?')}", statement)


def wildcards(place, statement):
    if statement.get("Effect") != "Allow":
        return
    for unbounded in ("NotAction", "NotResource"):
        if unbounded in statement:
            yield f"{place}: {unbounded} allows what nobody named"
    for action in listed(statement.get("Action", [])):
        if "*" in action:
            yield f"{place}: the action {action} stands for several"
    for resource in listed(statement.get("Resource", [])):
        text = resource.get("Fn::Sub", "") if isinstance(resource, dict) else resource
        if text == "*" or re.fullmatch(r"arn:[^:]*:[a-z0-9]*:::?\*.*", text):
            yield f"{place}: the resource {text} stands for everything"


def listed(value):
    return value if isinstance(value, list) else [value]


@rule
def a_queue_parks_what_nobody_can_use(made):
    parked = set()
    for name, queue in made.of("AWS::SQS::Queue"):
        policy = queue.get("RedrivePolicy")
        if policy:
            target, dead = made.target(policy["deadLetterTargetArn"])
            parked.add(target)
            if seconds(dead.get("MessageRetentionPeriod"), 345600) <= seconds(queue.get("MessageRetentionPeriod"), 345600):
                yield f"{target}: a parked event keeps its age, so this queue has to keep events for longer than {name}"
    for name, queue in made.of("AWS::SQS::Queue"):
        if name not in parked and "RedrivePolicy" not in queue:
            yield f"{name}: no dead-letter queue"
        if queue.get("SqsManagedSseEnabled") is not True and "KmsMasterKeyId" not in queue:
            yield f"{name}: not encrypted"


@rule
def a_bucket_is_closed_encrypted_and_tidied(made):
    tls = {made.target(policy["Bucket"])[0] for _, policy in made.of("AWS::S3::BucketPolicy") if denies_plain_text(policy)}
    for name, bucket in made.of("AWS::S3::Bucket"):
        closed = bucket.get("PublicAccessBlockConfiguration", {})
        for key in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"):
            if closed.get(key) is not True:
                yield f"{name}: PublicAccessBlockConfiguration.{key} is not true"
        if "BucketEncryption" not in bucket:
            yield f"{name}: not encrypted"
        if name not in tls:
            yield f"{name}: no policy refuses requests without TLS"
        rules = bucket.get("LifecycleConfiguration", {}).get("Rules", [])
        if not any("AbortIncompleteMultipartUpload" in one for one in rules):
            yield f"{name}: uploads that nobody finished stay for ever"


def denies_plain_text(policy):
    return any(
        statement["Effect"] == "Deny" and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        and statement["Action"] == "s3:*" and len(listed(statement["Resource"])) == 2
        for statement in policy["PolicyDocument"]["Statement"]
    )


@rule
def a_bucket_expires_only_long_after_the_alarm(made):
    for name, bucket in made.of("AWS::S3::Bucket"):
        for one in bucket.get("LifecycleConfiguration", {}).get("Rules", []):
            if int(one.get("ExpirationInDays", 10_000)) < 7:
                yield f"{name}: {one.get('Id')} would remove acknowledged rows after {one['ExpirationInDays']} days"


@rule
def only_segments_wake_the_shift(made):
    for name, bucket in made.of("AWS::S3::Bucket"):
        for one in bucket.get("NotificationConfiguration", {}).get("QueueConfigurations", []):
            filters = one.get("Filter", {}).get("S3Key", {}).get("Rules", [])
            if {"Name": "suffix", "Value": ".parquet"} not in filters:
                yield f"{name}: without a filter on .parquet the leases that the shift writes would wake it again"


@rule
def a_route_asks_who_is_there(made):
    for name, route in made.of("AWS::ApiGatewayV2::Route"):
        kind = route.get("AuthorizationType", "NONE")
        if kind == "NONE" or (kind == "CUSTOM" and "AuthorizerId" not in route):
            yield f"{name}: {route['RouteKey']} is open to everyone"


@rule
def an_authorizer_is_asked_by_the_header_alone(made):
    for name, authorizer in made.of("AWS::ApiGatewayV2::Authorizer"):
        if authorizer.get("IdentitySource") != ["$request.header.Authorization"]:
            yield f"{name}: IdentitySource is not the header Authorization alone"
        if not 0 < int(authorizer.get("AuthorizerResultTtlInSeconds", 0)) <= 300:
            yield f"{name}: an answer has to be kept, and a revoked key for 300 s at most"


@rule
def an_access_log_holds_no_key(made):
    for name, stage in made.of("AWS::ApiGatewayV2::Stage"):
        form = stage.get("AccessLogSettings", {}).get("Format")
        if form is None:
            yield f"{name}: no access log"
        for secret in ("header", "querystring", "$context.authorizer.principalId", "$context.path"):
            if secret.lower() in (form or "").lower():
                yield f"{name}: the access log would hold {secret}"


@rule
def a_stage_throttles(made):
    for name, stage in made.of("AWS::ApiGatewayV2::Stage"):
        routes = [stage.get("DefaultRouteSettings", {}), *stage.get("RouteSettings", {}).values()]
        if not all("ThrottlingRateLimit" in one and "ThrottlingBurstLimit" in one for one in routes):
            yield f"{name}: a route has no limit of requests a second"


@rule
def the_gateway_waits_as_long_as_it_can(made):
    for name, integration in made.of("AWS::ApiGatewayV2::Integration"):
        if int(integration.get("TimeoutInMillis", 0)) != GATEWAY_SECONDS * 1000:
            yield f"{name}: TimeoutInMillis is not {GATEWAY_SECONDS * 1000}"


@rule
def the_gateway_may_call_what_it_is_pointed_at(made):
    allowed = [permission["FunctionName"] for _, permission in made.of("AWS::Lambda::Permission")]
    for name, integration in made.of("AWS::ApiGatewayV2::Integration"):
        if integration["IntegrationUri"] not in allowed:
            yield f"{name}: no permission for {integration['IntegrationUri']}"


@rule
def a_permission_names_who_may_call(made):
    for name, permission in made.of("AWS::Lambda::Permission"):
        if permission.get("Principal") != "*" and "SourceArn" not in permission and "SourceAccount" not in permission:
            yield f"{name}: any account's {permission.get('Principal')} may call"


@rule
def what_holds_data_outlives_the_stack(made):
    kinds = ("AWS::S3::Bucket", "AWS::S3Tables::TableBucket", "AWS::Glue::Database", "AWS::SecretsManager::Secret")
    for name, (kind, _) in made.resources.items():
        if kind in kinds and name not in made.kept:
            yield f"{name}: DeletionPolicy and UpdateReplacePolicy have to retain it"
