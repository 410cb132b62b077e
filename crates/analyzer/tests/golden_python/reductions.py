# What iterations share, where it is evident; unknown elsewhere.
def sums(values):
    total, product = 0, 1
    for i in range(100000):
        total += i * i
        product *= 3
    squares = [i * i + 1 for i in range(100000)]
    last = 0
    for value in squares:
        last = last * 31 + value
    for value in values:
        total += total * value
    return total, product, last


sums([1.5] * 1000)
# ---- expected ----
# __main__, input dependent: true
# ops 3.73e6 (2.87e6 to 6.53e6)
# init 3.73e6 (2.87e6 to 6.53e6)
# parallelism Serial
# function <module> reductions.py:1 depth 0 share 1.000 Unknown Some(Holds)
# function sums reductions.py:2 depth 0 share 1.000 Unknown Some(Holds)
# loop sums reductions.py:4 depth 1 share 0.338 trips 100000, Reduction Some(Holds) simd
# loop sums reductions.py:7 depth 1 share 0.234 trips 100000, Independent Some(Holds) simd
# loop sums reductions.py:9 depth 1 share 0.234 trips 100000, Unknown Some(Holds)
# loop sums reductions.py:11 depth 1 share 0.194 trips 7.00e4 (2.19e2 to 3.27e5) = len(values), Unknown Some(Holds)
# warning trip counts that the code does not tell: the operator count may lie anywhere from 2.9e6 to 6.5e6
