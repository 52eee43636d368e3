"""MiniStack on 127.0.0.1, with S3 Tables' optimistic lock.

  GATEWAY_PORT=PORT serve.py

MiniStack answers each swap of a table's pointer with success, whatever version token it is based on, so that commits would be lost
and nothing would say so.  Here a swap is refused as AWS refuses it, and a table that is made without metadata has none, and a
bucket of its own.

Numbers of a template that come from a parameter reach it as text, where CloudFormation makes them numbers.
"""

import os
import threading
import uuid

PORT = os.environ["GATEWAY_PORT"]
os.environ.update({
    "BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1", "IOT_MTLS_ENABLED": "0", "MINISTACK_ACCOUNT_ID": "123456789012",
    # What the functions' clients speak to.
    "AWS_ENDPOINT_URL": f"http://127.0.0.1:{PORT}",
})

from ministack.app import main  # noqa: E402
from ministack.core.responses import error_response_json, json_response  # noqa: E402
from ministack.services import lambda_svc, s3, s3tables  # noqa: E402

LOCK = threading.Lock()


def record(bucket_arn, namespace, name):
    bucket = s3tables._existing_bucket_arn(bucket_arn)
    return s3tables._tables.get(s3tables._table_key(bucket, namespace, name))


def missing(name):
    return error_response_json("NotFoundException", f"Table {name} not found", 404)


def create(bucket_arn, namespace, data, original=s3tables._create_table):
    answer = original(bucket_arn, namespace, data)
    if answer[0] == 200 and "metadata" not in data:
        table = record(bucket_arn, namespace, data["name"])
        bucket = f"{uuid.uuid4()}--table-s3"
        s3._create_bucket(bucket, b"")
        table["metadataLocation"], table["warehouseLocation"] = None, f"s3://{bucket}"
    return answer


def look(bucket_arn, namespace, name):
    table = record(bucket_arn, namespace, name)
    if table is None:
        return missing(name)
    known = ("versionToken", "metadataLocation", "warehouseLocation")
    return json_response({key: table[key] for key in known if table.get(key)})


def swap(bucket_arn, namespace, name, data):
    with LOCK:
        table = record(bucket_arn, namespace, name)
        if table is None:
            return missing(name)
        if data.get("versionToken") != table["versionToken"]:
            return error_response_json("ConflictException", "The version token is not the table's", 409)
        table["metadataLocation"], table["versionToken"] = data["metadataLocation"], uuid.uuid4().hex
        found = {key: table[key] for key in ("name", "tableARN", "namespace", "versionToken", "metadataLocation")}
    return json_response(found)


def pollers(mapping, *rest, original=lambda_svc._sqs_esm_concurrency):
    scaling = {key: int(value) for key, value in (mapping.get("ScalingConfig") or {}).items()}
    return original({**mapping, "ScalingConfig": scaling}, *rest)


lambda_svc._sqs_esm_concurrency = pollers
s3tables._create_table, s3tables._get_table_metadata_location, s3tables._update_table_metadata_location = create, look, swap

if __name__ == "__main__":
    main()
