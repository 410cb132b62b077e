# Loops whose length the code does not tell, and a list that is filled as it goes.
import sys

n = int(sys.argv[1])
queue = []
queue.append(1)
while queue:
    item = queue.pop()
    if item < n:
        queue.append(item + 1)
for i in range(n):
    for j in range(0, n, 4):
        for k in range(i, n):
            pass
sizes = [10, 20, 30]
for size in sizes:
    for _ in range(size):
        print(size)
# ---- expected ----
# __main__, input dependent: true
# ops 5.10e5 (4.98e2 to 4.00e6)
# init 5.10e5 (4.98e2 to 4.00e6)
# parallelism Serial
# io Filesystem print 6.78e2 (5.93e0 to 4.08e3)
# import sys line 2 Static Unknown
# function <module> limits.py:1 depth 0 share 1.000 Unknown Some(Holds)
# loop <module> limits.py:11 depth 1 share 0.990 trips 1.86e2 (2.87e0 to 5.98e2) = n, Unknown Some(Holds)
# loop <module> limits.py:12 depth 2 share 0.987 trips 4.69e1 (1.28e0 to 1.50e2) = ceil(n / 4), Unknown Some(Holds)
# loop <module> limits.py:13 depth 3 share 0.675 trips 4.33e0 (1.00e0 to 1.42e1) = n - i, Unknown Some(Holds)
# loop <module> limits.py:16 depth 1 share 0.010 trips 3, Unknown Some(Holds)
# loop <module> limits.py:17 depth 2 share 0.010 trips 2.27e2 (1.98e0 to 1.36e3) = size, Unknown Some(Holds)
# loop <module> limits.py:7 depth 1 share 0.000 trips 8.42e0 (1.00e0 to 3.57e1), Unknown Some(Holds)
# warning trip counts that the code does not tell: the operator count may lie anywhere from 5.0e2 to 4.0e6
# warning no Python interpreter was found: what imports lead to is not known; name one with --python
