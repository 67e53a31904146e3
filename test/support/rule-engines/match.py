"""Searches texts with Python's re.

Reads JSON lines and answers one for each but the first: {"texts": [...]}, then
{"pattern"} -> {"matched": [indices], "us"}. A pattern that Python warns of is an error.
"""

import json
import re
import sys
import time
import warnings

warnings.simplefilter("error")


def main() -> None:
    texts = json.loads(next(sys.stdin))["texts"]
    for line in sys.stdin:
        pattern = re.compile(json.loads(line)["pattern"])
        began = time.perf_counter()
        matched = [index for index, text in enumerate(texts) if pattern.search(text)]
        us = (time.perf_counter() - began) * 1e6
        print(json.dumps({"matched": matched, "us": us}), flush=True)


main()
