# Dense matrix multiplication in plain Python: every trip count follows from one constant.
N = 60


def matmul(a, b, n):
    c = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(n):
            s = 0.0
            for k in range(n):
                s += a[i][k] * b[k][j]
            c[i][j] = s
    return c


def fill(n):
    return [[float(i * j % 7) for j in range(n)] for i in range(n)]


if __name__ == "__main__":
    c = matmul(fill(N), fill(N), N)
    print(sum(sum(row) for row in c))

# ---- expected ----
# __main__, input dependent: false
# ops 3.82e6 (3.75e6 to 3.90e6)
# init 3.82e6 (3.75e6 to 3.90e6)
# parallelism Serial
# io Filesystem print 1
# function <module> matmul.py:1 depth 0 share 1.000 Unknown Some(Holds)
# function matmul matmul.py:5 depth 0 share 0.977 Unknown Some(Holds)
# loop matmul matmul.py:7 depth 1 share 0.977 trips 60 = n, Unknown Some(Holds)
# loop matmul matmul.py:8 depth 2 share 0.976 trips 60 = n, Unknown Some(Holds)
# loop matmul matmul.py:10 depth 3 share 0.960 trips 60 = n, Reduction Some(Holds)
# function fill matmul.py:16 depth 0 share 0.023 Unknown Some(Holds)
# loop fill matmul.py:17 depth 1 share 0.023 trips 60 = n, Unknown Some(Holds)
# loop fill matmul.py:17 depth 2 share 0.023 trips 60 = n, Independent Some(Holds)
