def broken(x):
    for i in range(10)
        print(i)

# ---- expected ----
# syntax_error.py:2:23: Expected `:`, found newline
#     2 |     for i in range(10)
#       |                       ^
