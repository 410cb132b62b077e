# Libraries of every kind, imported in every way.
import asyncio
import gzip
import hashlib
import importlib
import sqlite3
import sys
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pool
from urllib.request import urlopen

torch = importlib.import_module("torch")
yaml = __import__("yaml")

if sys.platform == "win32":
    import winreg
elif sys.version_info < (3, 8):
    import importlib_metadata


def digest(data):
    for _ in range(1000):
        data = hashlib.sha256(data).digest()
    return zlib.compress(data)


def fetch(url):
    with urlopen(url) as reply:
        return gzip.decompress(reply.read())


def infer(x):
    model = torch.nn.Linear(100, 10)
    return torch.matmul(model(x), x)


def square(x):
    return x * x


async def tick():
    await asyncio.sleep(1)


with ThreadPoolExecutor(max_workers=4) as pool:
    futures = [pool.submit(digest, b"x") for _ in range(8)]
worker = threading.Thread(target=fetch, args=("http://example.org",))
with Pool(4) as processes:
    squares = processes.map(square, range(500))
connection = sqlite3.connect(":memory:")
connection.execute("select 1")
asyncio.run(tick())

# ---- expected ----
# __main__, input dependent: false
# ops 9.99e4 (9.79e4 to 1.02e5)
# init 9.99e4 (9.79e4 to 1.02e5)
# parallelism Threads
# io Poll asyncio.sleep 0
# io Threads concurrent.futures.ThreadPoolExecutor 1
# io Threads concurrent.futures.ThreadPoolExecutor.submit 8
# io Process multiprocessing.Pool 1
# io Process multiprocessing.Pool.map 1
# io Filesystem sqlite3.connect 1
# io Filesystem sqlite3.connect.execute 1
# io Threads threading.Thread 1
# io NeuralNetwork torch.matmul 0
# io NeuralNetwork torch.nn.Linear 0
# io Network urllib.request.urlopen 0
# io Network urllib.request.urlopen.read 0
# import asyncio line 2 Static Unknown
# import gzip line 3 Static Unknown
# import hashlib line 4 Static Unknown
# import importlib line 5 Static Unknown
# import sqlite3 line 6 Static Unknown
# import sys line 7 Static Unknown
# import threading line 8 Static Unknown
# import zlib line 9 Static Unknown
# import concurrent.futures line 10 Static Unknown
# import multiprocessing line 11 Static Unknown
# import urllib.request line 12 Static Unknown
# import torch line 14 Static Unknown
# import yaml line 15 Static Unknown
# import winreg line 18 Never Unknown
# import importlib_metadata line 20 Conditional Unknown
# use hashlib.sha256 line 25 in digest: Crypto Depends ×1 in a loop
# use hashlib.sha256.digest line 25 in digest: Crypto Depends ×1 in a loop
# use zlib.compress line 26 in digest: Compression Releases ×1
# use urllib.request.urlopen line 30 in fetch: Network Releases ×1
# use gzip.decompress line 31 in fetch: Compression Releases ×1
# use urllib.request.urlopen.read line 31 in fetch: Network Releases ×1
# use torch.nn.Linear line 35 in infer: Tensor Releases ×1
# use torch.matmul line 36 in infer: Tensor Releases ×1
# use asyncio.sleep line 44 in tick: Asyncio Holds ×1
# use concurrent.futures.ThreadPoolExecutor line 47 in <module>: Thread Releases ×1
# use concurrent.futures.ThreadPoolExecutor.submit line 48 in <module>: Thread Releases ×1 in a loop
# use threading.Thread line 49 in <module>: Thread Releases ×1
# use multiprocessing.Pool line 50 in <module>: Process Releases ×1
# use multiprocessing.Pool.map line 51 in <module>: Process Releases ×1
# use sqlite3.connect line 52 in <module>: Database Releases ×1
# use sqlite3.connect.execute line 53 in <module>: Database Releases ×1
# use asyncio.run line 54 in <module>: Asyncio Holds ×1
# contention gil libraries.py:47
# contention gil libraries.py:48
# contention gil libraries.py:49
# function <module> libraries.py:1 depth 0 share 1.000 Unknown Some(Depends) threads
# loop <module> libraries.py:48 depth 1 share 0.963 trips 8, Unknown Some(Releases) threads
# function digest libraries.py:23 depth 0 share 0.962 Unknown Some(Depends) crypto
# loop digest libraries.py:24 depth 1 share 0.961 trips 1000, Unknown Some(Depends) crypto
# loop <module> libraries.py:51 depth 1 share 0.035 trips 500, Unknown Some(Holds)
# function square libraries.py:39 depth 0 share 0.025 Unknown Some(Holds)
# warning what libraries do inside their own code is not counted
# warning no Python interpreter was found: what imports lead to is not known; name one with --python
