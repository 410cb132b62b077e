"""Sorts event["n"] records by two keys."""


def handler(event, context):
    state = 7
    records = []
    for number in range(event["n"]):
        state = state * 48271 % 0x7FFFFFFF
        records.append((state % 1000, str(state), number))
    records.sort(key=lambda record: (record[0], record[1]))
    return records[0]
