# handler: handler.process
"""A Lambda handler: what happens once is told apart from what happens for each event."""
import json
import os
from typing import TYPE_CHECKING

import boto3
import numpy as np

try:
    import orjson
except ImportError:
    orjson = None

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TABLE = [x * x for x in range(1000)]
s3 = boto3.client("s3")


def load(bucket, key):
    from PIL import Image

    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return np.frombuffer(body, dtype=np.uint8)


def process(event, context):
    results = []
    for record in event["Records"]:
        pixels = load(record["bucket"], record["key"])
        results.append(float(np.mean(pixels) + np.linalg.norm(pixels)))
    return json.dumps({"results": results, "table": sum(TABLE)})
# ---- expected ----
# process, input dependent: true
# ops 8.17e3 (6.62e3 to 1.45e4)
# init 7.06e3 (7.06e3 to 7.06e3)
# handler process in line 29: 1.11e3 (8.76e1 to 6.38e3)
# parallelism Threads
# io Network boto3.client 1
# io Network boto3.client.get_object 1.76e1 (1.07e0 to 1.03e2)
# io Network boto3.client.get_object.read 1.76e1 (1.07e0 to 1.03e2)
# import json line 3 Static Unknown
# import os line 4 Static Unknown
# import typing line 5 Static Unknown
# import boto3 line 7 Static Unknown
# import numpy line 8 Static Unknown
# import orjson line 11 Optional Unknown
# import mypy_boto3_s3 line 16 Never Unknown
# import PIL line 23 Lazy in load Unknown
# use boto3.client line 19 in <module>: Network Releases ×1
# use boto3.client.get_object line 25 in load: Network Releases ×1
# use boto3.client.get_object.read line 25 in load: Network Releases ×1
# use numpy.frombuffer line 26 in load: Vectorised Releases ×1
# use numpy.mean line 33 in process: Vectorised Releases ×1 in a loop
# use operator on numpy.mean line 33 in process: Vectorised Releases ×1 in a loop
# use numpy.linalg.norm line 33 in process: Vectorised Releases ×1 in a loop
# use json.dumps line 34 in process: Parsing Holds ×1
# use import line 11 in <module>: Parsing Holds ×1
# use import line 23 in load: Image Releases ×1
# function <module> handler.py:1 depth 0 share 0.830 Unknown Some(Depends)
# loop <module> handler.py:18 depth 1 share 0.824 trips 1000, Independent Some(Holds) simd
# function process handler.py:29 depth 0 share 0.170 Unknown Some(Depends) simd
# loop process handler.py:31 depth 1 share 0.167 trips 1.76e1 (1.07e0 to 1.03e2) = len(event["Records"]), Unknown Some(Releases) simd
# function load handler.py:22 depth 0 share 0.078 Unknown Some(Depends) simd
# warning trip counts that the code does not tell: the operator count may lie anywhere from 6.6e3 to 1.5e4
# warning what libraries do inside their own code is not counted
# warning no Python interpreter was found: what imports lead to is not known; name one with --python
