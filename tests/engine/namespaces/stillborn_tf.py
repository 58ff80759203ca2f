"""Dies as it is imported."""

import os
import sys

print("no such instruction on this machine", file=sys.stderr, flush=True)
os._exit(9)
