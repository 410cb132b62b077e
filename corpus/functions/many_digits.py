"""Computes pi to event["n"] digits by Machin's formula in integers."""


def arctan_of_one_over(x, unity):
    term = unity // x
    total, n, sign = term, 3, -1
    while term:
        term //= x * x
        total += sign * (term // n)
        n, sign = n + 2, -sign
    return total


def handler(event, context):
    unity = 10 ** (event["n"] + 10)
    pi = 4 * (4 * arctan_of_one_over(5, unity) - arctan_of_one_over(239, unity)) // 10**10
    return {"last": pi % 1000}
