"""Audit events of cloud accounts in the form of AWS CloudTrail, one a line."""

import datetime
import json
import random
import uuid
from collections.abc import Iterator
from typing import Any

_CALLS = (("s3.amazonaws.com", "GetObject"), ("s3.amazonaws.com", "PutObject"), ("sts.amazonaws.com", "AssumeRole"),
          ("ec2.amazonaws.com", "DescribeInstances"), ("ec2.amazonaws.com", "RunInstances"), ("iam.amazonaws.com", "ListUsers"))
_REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1")
_AGENTS = ("aws-cli/2.15.30 Python/3.11.8", "Boto3/1.34.69", "console.amazonaws.com")
_START = datetime.datetime(2024, 3, 15, 9, tzinfo=datetime.UTC)
_EACH = 12


def cloudtrail(people: int, seed: int) -> Iterator[bytes]:
    """Twelve calls a person, mixed, over four hours: by users and in roles whose session is named by an e-mail address."""
    from faker import Faker

    fake, draw = Faker("en_US"), random.Random(seed)
    fake.seed_instance(seed)
    accounts = [f"{draw.randrange(10**11, 10**12)}" for _ in range(4)]
    users = [(f"{fake.user_name()}{number}", draw.choice(accounts), fake.ipv4_public(), f"AIDA{draw.randrange(10**16):016d}")
             for number in range(people)]
    count = _EACH * people
    for number in range(count):
        name, account, address, known = draw.choice(users)
        when = _START + datetime.timedelta(seconds=number * 4 * 3600 / count)
        source, call = draw.choice(_CALLS)
        key = "AKIA" + "".join(draw.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))
        role = draw.random() < 0.4
        identity: dict[str, Any] = {
            "type": "IAMUser", "principalId": known, "arn": f"arn:aws:iam::{account}:user/{name}",
            "accountId": account, "accessKeyId": key, "userName": name}  # fmt: skip
        if role:
            arn = f"arn:aws:sts::{account}:assumed-role/Admin/{name}@example.com"
            identity = {"type": "AssumedRole", "principalId": f"AROA{account}ADMIN:{name}@example.com", "arn": arn, "accountId": account,
                        "accessKeyId": key.replace("AKIA", "ASIA")}  # fmt: skip
        bucket = f"bucket-{draw.randrange(9)}"
        event: dict[str, Any] = {
            "eventVersion": "1.08", "userIdentity": identity, "eventTime": when.strftime("%Y-%m-%dT%H:%M:%SZ"), "eventSource": source,
            "eventName": call, "awsRegion": draw.choice(_REGIONS), "sourceIPAddress": address, "userAgent": draw.choice(_AGENTS),
            "requestParameters": {"bucketName": bucket, "key": f"home/{name}/report-{number}.csv"} if source.startswith("s3") else None,
            "responseElements": None, "requestID": str(uuid.UUID(int=draw.getrandbits(128), version=4)),
            "eventID": str(uuid.UUID(int=draw.getrandbits(128), version=4)), "readOnly": not call.startswith(("Put", "Run")),
            "eventType": "AwsApiCall", "managementEvent": not source.startswith("s3"), "recipientAccountId": account,
        }  # fmt: skip
        if source.startswith("s3"):
            event["resources"] = [{"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/home/{name}/report-{number}.csv"},
                                  {"accountId": account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"}]
        if draw.random() < 0.05:
            event["errorCode"] = "AccessDenied"
            event["errorMessage"] = f"User: {identity['arn']} is not authorized to perform: {call}"
        yield json.dumps(event, separators=(",", ":")).encode()

