# A triangular nest, a counting while loop, recursion on a constant, and loops over literals.
def nest(n):
    total = 0
    for i in range(n):
        for j in range(i):
            total += i * j
    return total


def count(limit):
    i = 0
    while i < limit:
        i += 2
    return i


def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


def letters():
    out = {}
    for name in ("a", "b", "c", "d"):
        for step in range(10, 0, -3):
            out[name] = step
    return [x for x in "abcdef" if x != "c"]


print(nest(100), count(1000), fib(15), letters())
# ---- expected ----
# __main__, input dependent: false
# ops 7.59e4 (7.44e4 to 7.74e4)
# init 7.59e4 (7.44e4 to 7.74e4)
# parallelism Serial
# io Filesystem print 1
# function <module> triangular.py:1 depth 0 share 1.000 Unknown Some(Holds)
# function fib triangular.py:17 depth 0 share 1.000 Unknown Some(Holds)
# function nest triangular.py:2 depth 0 share 0.599 Unknown Some(Holds)
# loop nest triangular.py:4 depth 1 share 0.599 trips 100 = n, Unknown Some(Holds)
# loop nest triangular.py:5 depth 2 share 0.587 trips 49.5 = i, Reduction Some(Holds)
# function count triangular.py:10 depth 0 share 0.059 Unknown Some(Holds)
# loop count triangular.py:12 depth 1 share 0.059 trips 500 = ceil((limit - i) / 2), Unknown Some(Holds)
