"""Each mistake below, put into a copy of the templates, has to be found by the rule that it is there for."""

import pathlib
import re
import shutil
import sys
import tempfile

import check

FOLDER = pathlib.Path(__file__).parent.parent
MAIN, API, ROLES, WATCH = "template.yaml", "infra/api.yaml", "infra/roles.yaml", "infra/watch.yaml"

# Where, what is written there, what is written instead, and what has to find it: a rule of cfn-lint or of ours.
MISTAKES = [
    (MAIN, "Runtime: provided.al2023", "Runtime: provided.al2022", "E3030"),
    (MAIN, "      Timeout: 900\n      LoggingConfig: { LogFormat: Text, LogGroup: !Ref MaintainLog }",
     "      Timeout: 901\n      LoggingConfig: { LogFormat: Text, LogGroup: !Ref MaintainLog }", "a-function-is-within-lambdas-bounds"),
    (MAIN, "DependsOn: WalEventsPolicy", "DependsOn: WalEventPolicy", "E3005"),
    (MAIN, "SqsManagedSseEnabled: true\n      RedrivePolicy", "SqsManagedSse: true\n      RedrivePolicy", "E3002"),
    (MAIN, "!GetAtt Roles.Outputs.Shift", "!GetAtt Roles.Outputs.Shifter", "a-nested-template-is-called-as-it-declares"),
    (MAIN, "        WalEvents: !GetAtt WalEvents.Arn\n", "        WalEvent: !GetAtt WalEvents.Arn\n", "a-nested-template-is-called-as-it-declares"),
    (MAIN, "!Ref LogLevel", "!Ref LogLevels", "E1020"),
    (MAIN, "  Maintain:\n    Type: AWS::Serverless::Function\n", "  Maintain:\n    Type: AWS::Serverless::Functions\n", "E3006"),
    (MAIN, "            Queue: !GetAtt WalEvents.Arn\n            BatchSize: 1000", "            Queue: !GetAtt WalEvents.Arn\n            BatchSize: 10001",
     "E3034"),
    (ROLES, "[s3:PutObject, s3:AbortMultipartUpload], Resource: !Sub \"${Wal}/*.parquet\"",
     "[s3:PutObjekt, s3:AbortMultipartUpload], Resource: !Sub \"${Wal}/*.parquet\"", "W3037"),
    (API, "RouteKey: POST /v1/traces", "RouteKeys: POST /v1/traces", "E3002"),
    (WATCH, "ComparisonOperator: GreaterThanThreshold\n      Threshold: 3600", "ComparisonOperator: GreaterThen\n      Threshold: 3600", "E3030"),
    (WATCH, "EvaluationPeriods: 3", "EvaluationPeriods: three", "E3012"),
    (MAIN, "            MaximumBatchingWindowInSeconds: !Ref ShiftWindowSeconds\n", "", "a-large-batch-waits-for-events"),
    (MAIN, "            FunctionResponseTypes: [ReportBatchItemFailures]\n", "", "a-bad-event-fails-alone"),
    (MAIN, "    Default: 1830\n", "    Default: 1799\n", "an-event-stays-hidden-while-it-is-worked-on"),
    ("samconfig.toml", "\"ShiftConcurrency=10\"", "\"ShiftConcurrency=8\"", "a-reservation-leaves-room-beside-the-pollers"),
    (MAIN, "EphemeralStorage: { Size: 4096 }", "EphemeralStorage: { Size: 20000 }", "a-function-is-within-lambdas-bounds"),
    ("samconfig.toml", "\"Environment=prod\",", "\"Environment=prod\", \"ShiftMemory=100\",", "a-function-is-within-lambdas-bounds"),
    (MAIN, "      LoggingConfig: { LogFormat: Text, LogGroup: !Ref ShiftLog }\n", "", "a-function-writes-to-a-log-that-ends"),
    (API, ", RetentionInDays: !Ref LogRetentionDays", "", "a-function-writes-to-a-log-that-ends"),
    (MAIN, "        RUST_LOG: !Ref LogLevel", "        AWS_REGION: !Ref AWS::Region", "a-function-sets-no-variable-of-lambda"),
    (MAIN, "rate(5 minutes)", "rate(5 minute)", "a-schedule-is-spelt-as-the-scheduler-reads-it"),
    (MAIN, "rate(1 hour)", "cron(0 * * * *)", "a-schedule-is-spelt-as-the-scheduler-reads-it"),
    (ROLES, "[logs:CreateLogStream, logs:PutLogEvents]\n                Resource: !Sub \"arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${Logs}/shift:*\"",
     "[logs:CreateLogStream, logs:PutLogEvents]\n                Resource: \"*\"", "a-policy-names-actions-and-resources"),
    (ROLES, "[sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes]", "[sqs:*]", "a-policy-names-actions-and-resources"),
    (ROLES, "Action: [secretsmanager:GetSecretValue], Resource: !Ref Keys }\n\nOutputs", "Action: [secretsmanager:GetSecretValue], NotResource: !Ref Keys }\n\nOutputs",
     "a-policy-names-actions-and-resources"),
    (MAIN, "      RedrivePolicy: { deadLetterTargetArn: !GetAtt ParkedEvents.Arn, maxReceiveCount: !Ref ShiftTries }\n", "",
     "a-queue-parks-what-nobody-can-use"),
    (MAIN, "MessageRetentionPeriod: 1209600", "MessageRetentionPeriod: 345600", "a-queue-parks-what-nobody-can-use"),
    (MAIN, "RestrictPublicBuckets: true }\n      OwnershipControls: { Rules: [{ ObjectOwnership: BucketOwnerEnforced }] }\n      # The shift",
     "RestrictPublicBuckets: false }\n      OwnershipControls: { Rules: [{ ObjectOwnership: BucketOwnerEnforced }] }\n      # The shift",
     "a-bucket-is-closed-encrypted-and-tidied"),
    (MAIN, "      Bucket: !Ref Warehouse\n      PolicyDocument", "      Bucket: !Ref Wal\n      PolicyDocument", "a-bucket-is-closed-encrypted-and-tidied"),
    ("samconfig.toml", "\"Environment=prod\",", "\"Environment=prod\", \"WalExpirationDays=1\",", "a-bucket-expires-only-long-after-the-alarm"),
    (MAIN, "Value: .parquet", "Value: .json", "only-segments-wake-the-shift"),
    (API, "      RouteKey: ANY /tempo/{proxy+}\n      Target: !Sub \"integrations/${TempoIntegration}\"\n      AuthorizationType: !If [KeysAreUsed, CUSTOM, AWS_IAM]",
     "      RouteKey: ANY /tempo/{proxy+}\n      Target: !Sub \"integrations/${TempoIntegration}\"\n      AuthorizationType: NONE", "a-route-asks-who-is-there"),
    (API, "[$request.header.Authorization]", "[$request.header.Authorization, $request.header.X-Scope-OrgID]",
     "an-authorizer-is-asked-by-the-header-alone"),
    (API, "AuthorizerResultTtlInSeconds: 300", "AuthorizerResultTtlInSeconds: 3600", "an-authorizer-is-asked-by-the-header-alone"),
    (API, "\"ip\":\"$context.identity.sourceIp\"", "\"key\":\"$request.header.Authorization\"", "an-access-log-holds-no-key"),
    (API, ", ThrottlingRateLimit: !Ref ReadRate", "", "a-stage-throttles"),
    (API, "      IntegrationUri: !Ref Loki\n      PayloadFormatVersion: \"2.0\"\n      TimeoutInMillis: 30000",
     "      IntegrationUri: !Ref Loki\n      PayloadFormatVersion: \"2.0\"\n      TimeoutInMillis: 3000", "the-gateway-waits-as-long-as-it-can"),
    (API, "      FunctionName: !Ref Prometheus", "      FunctionName: !Ref Tempo", "the-gateway-may-call-what-it-is-pointed-at"),
    (API, "      SourceArn: !Sub \"arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/authorizers/${KeyAuthorizer}\"\n", "",
     "a-permission-names-who-may-call"),
    (MAIN, "    DependsOn: WalEventsPolicy\n    DeletionPolicy: RetainExceptOnCreate\n    UpdateReplacePolicy: Retain\n", "    DependsOn: WalEventsPolicy\n",
     "what-holds-data-outlives-the-stack"),
]


def found(mistake):
    """The lines that name the rule, of a check of a copy that has the mistake."""
    path, written, instead, rule = mistake
    with tempfile.TemporaryDirectory() as scratch:
        copy = pathlib.Path(scratch)
        shutil.copytree(FOLDER / "infra", copy / "infra", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        for name in ("template.yaml", "samconfig.toml"):
            shutil.copy(FOLDER / name, copy)
        text = (copy / path).read_text()
        if text.count(written) != 1:
            raise SystemExit(f"{path} holds {text.count(written)} times: {written}")
        (copy / path).write_text(text.replace(written, instead))
        # Each half of the check takes seconds.
        half = check.lint if re.fullmatch("[EW][0-9]{4}", rule) else check.own
        return [line for line in half(copy) if line.split(" ", 1)[0] == rule]


def main():
    failed = 0
    for mistake in MISTAKES:
        lines = found(mistake)
        failed += not lines
        print(f"{'found' if lines else 'NOT FOUND'}  {mistake[3]}  {lines[0].split(' ', 1)[1][:150] if lines else mistake[2][:150]!r}")
    seeded = {mistake[3] for mistake in MISTAKES}
    for name, _ in check.rules.ALL:
        if name not in seeded:
            failed += 1
            print(f"NOT TRIED  {name}")
    print(f"{len(MISTAKES) - failed} passed, {failed} failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
