"""Counts the primes up to event["n"] with a sieve."""


def handler(event, context):
    n = event["n"]
    composite = bytearray(n + 1)
    count = 0
    for number in range(2, n + 1):
        if composite[number]:
            continue
        count += 1
        for multiple in range(number * number, n + 1, number):
            composite[multiple] = 1
    return {"primes": count}
