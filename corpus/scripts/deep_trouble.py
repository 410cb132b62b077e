"""Ends with a chained traceback that names notes, causes and repeated frames."""
import logging
import warnings

logging.basicConfig(level=logging.INFO)
logging.getLogger("corpus").warning("about to fail")
warnings.warn("deprecated", DeprecationWarning)


def recurse(n):
    return recurse(n + 1)


try:
    recurse(0)
except RecursionError as error:
    raise RuntimeError("gave up") from error
