"""Searches texts with Python's re.

Reads JSON lines and answers one for each but the first: {"texts": [...]}, then
{"pattern"} -> {"matched": [indices], "cpu_us"}. A pattern that Python warns of is an error.
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
        began = time.process_time()
        matched = [index for index, text in enumerate(texts) if pattern.search(text)]
        cpu_us = (time.process_time() - began) * 1e6
        print(json.dumps({"matched": matched, "cpu_us": cpu_us}), flush=True)


main()
