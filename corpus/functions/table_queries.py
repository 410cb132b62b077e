"""Fills a table in memory with event["n"] rows and asks it questions."""
import sqlite3


def handler(event, context):
    database = sqlite3.connect(":memory:")
    database.execute("create table sales (day integer, shop integer, amount real)")
    rows = ((i % 365, i * 7 % 50, i * 31 % 1000 / 10) for i in range(event["n"]))
    database.executemany("insert into sales values (?, ?, ?)", rows)
    question = "select shop, sum(amount), count(*) from sales group by shop order by 2 desc"
    return database.execute(question).fetchone()
