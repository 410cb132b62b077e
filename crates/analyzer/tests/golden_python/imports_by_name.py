# Modules imported by names that the code holds elsewhere.
import importlib

REQUIRED = ("numpy", "pytz")
for name in REQUIRED:
    __import__(name)

for candidate in ["chardet", "charset_normalizer"]:
    try:
        found = importlib.import_module(candidate)
    except ImportError:
        pass

backend = "matplotlib.backends.agg"
importlib.import_module(backend)
backend = input()
importlib.import_module(backend)
# ---- expected ----
# __main__, input dependent: false
# ops 7.16e1 (7.02e1 to 7.93e1)
# init 7.16e1 (7.02e1 to 7.93e1)
# parallelism Serial
# io Filesystem input 1
# import importlib line 2 Static Unknown
# import numpy line 6 Static Unknown
# import pytz line 6 Static Unknown
# import chardet line 10 Optional Unknown
# import charset_normalizer line 10 Optional Unknown
# import matplotlib.backends.agg line 15 Static Unknown
# use import line 6 in <module>: Vectorised Releases ×1
# function <module> imports_by_name.py:1 depth 0 share 1.000 Unknown Some(Holds)
# loop <module> imports_by_name.py:8 depth 1 share 0.293 trips 2, Unknown Some(Holds)
# loop <module> imports_by_name.py:5 depth 1 share 0.222 trips 2, Unknown Some(Holds)
# warning no Python interpreter was found: what imports lead to is not known; name one with --python
