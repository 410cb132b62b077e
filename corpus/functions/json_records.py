"""Writes event["n"] records as JSON, reads them back, and adds up a field."""
import json


def handler(event, context):
    total = 0
    for start in range(0, event["n"], 1000):
        records = [{"id": start + i, "name": f"name {i}", "tags": ["a", "b"], "price": i * 0.25} for i in range(1000)]
        total += sum(record["price"] for record in json.loads(json.dumps(records)))
    return {"total": total}
