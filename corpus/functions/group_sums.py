"""Groups event["n"] rows of a pandas table and joins the sums back."""
import numpy
import pandas


def handler(event, context):
    generator = numpy.random.default_rng(3)
    n = event["n"]
    table = pandas.DataFrame({"key": generator.integers(0, 1000, n), "value": generator.random(n)})
    sums = table.groupby("key")["value"].agg(["sum", "mean", "max"]).reset_index()
    return {"rows": len(table.merge(sums, on="key"))}
