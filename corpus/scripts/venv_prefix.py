"""Says which environment it runs in, and imports from it."""
import importlib.metadata
import os
import sys

print(sys.prefix != sys.base_prefix, sys.prefix, os.path.basename(sys.executable), sys.argv[0])
print(importlib.metadata.version("requests") > "2")
