"""Makes a table bucket of S3 Tables and prints its ARN.

  table_bucket.py ENDPOINT NAME
"""

import sys

import boto3

client = boto3.client(
    "s3tables", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
)
print(client.create_table_bucket(name=sys.argv[2])["arn"])
