"""Whether the account's catalogs refuse a swap that is based on what is not the newest: an emulator that takes it loses commits, and
then a try on it shows nothing.

Writers swap a pointer at the same time, each from the number that it has read to the next.  Where the lock is right, the last number is
how many swaps were answered with success.
"""

import concurrent.futures

from botocore.exceptions import ClientError

WRITERS, SWAPS = 4, 5


class Glue:
    def __init__(self, account):
        self.client = account.client("glue")
        self.client.create_database(DatabaseInput={"Name": "locks"})
        self.client.create_table(DatabaseName="locks", TableInput=self.table(0))

    @staticmethod
    def table(number):
        return {"Name": "pointer", "Parameters": {"number": str(number)}}

    def read(self):
        table = self.client.get_table(DatabaseName="locks", Name="pointer")["Table"]
        return int(table["Parameters"]["number"]), table["VersionId"]

    def swap(self, number, token):
        self.client.update_table(DatabaseName="locks", TableInput=self.table(number), VersionId=token, SkipArchive=True)


class S3Tables:
    def __init__(self, account):
        self.client = account.client("s3tables")
        arn = self.client.create_table_bucket(name="locks")["arn"]
        self.client.create_namespace(tableBucketARN=arn, namespace=["locks"])
        self.where = {"tableBucketARN": arn, "namespace": "locks", "name": "pointer"}
        self.client.create_table(**self.where, format="ICEBERG")

    def read(self):
        found = self.client.get_table_metadata_location(**self.where)
        return int(found.get("metadataLocation", "0").rpartition("/")[2]), found["versionToken"]

    def swap(self, number, token):
        self.client.update_table_metadata_location(**self.where, versionToken=token, metadataLocation=f"s3://locks/{number}")


CATALOGS = {"glue": Glue, "s3tables": S3Tables}


def race(account, catalog):
    """How many swaps were answered with success, how many were refused, and the last number."""
    pointer = CATALOGS[catalog](account)

    def writer(_):
        done = refused = 0
        while done < SWAPS:
            number, token = pointer.read()
            try:
                pointer.swap(number + 1, token)
                done += 1
            except ClientError as error:
                if error.response["Error"]["Code"] not in ("ConcurrentModificationException", "ConflictException"):
                    raise
                refused += 1
        return done, refused

    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        written = list(pool.map(writer, range(WRITERS)))
    return sum(done for done, _ in written), sum(refused for _, refused in written), pointer.read()[0]
