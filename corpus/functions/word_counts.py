"""Counts how often each of event["n"] pseudo-random words comes."""
from collections import Counter


def words(count):
    state = 11
    for _ in range(count):
        state = state * 48271 % 0x7FFFFFFF
        yield "w" + str(state % 5000)


def handler(event, context):
    return Counter(words(event["n"])).most_common(3)
