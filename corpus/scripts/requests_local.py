"""Requests to the server named on the command line."""
import sys

import requests

with requests.Session() as session:
    answer = session.get(sys.argv[1], params={"q": "a b"}, timeout=10)
    print(answer.status_code, answer.headers["content-type"], answer.json())
    print(session.post(sys.argv[1], json={"n": [1, 2]}, timeout=10).json())
