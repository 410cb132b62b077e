"""A database in a file, written in transactions by two connections."""
import sqlite3

first = sqlite3.connect("rows.db", isolation_level=None)
first.execute("pragma journal_mode = wal")
first.execute("create table rows (n integer primary key, text)")
first.execute("begin")
first.executemany("insert into rows values (?, ?)", ((n, "x" * (n % 50)) for n in range(5000)))
second = sqlite3.connect("rows.db", timeout=0.05)
print(second.execute("select count(*) from rows").fetchone())
try:
    second.execute("insert into rows values (-1, '')")
except sqlite3.OperationalError as error:
    print(error)
first.execute("commit")
print(second.execute("select count(*), sum(length(text)) from rows").fetchone())
second.close()
first.execute("pragma journal_mode = delete")
