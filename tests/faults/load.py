"""A client under load: repeats each treatment's low result until it is acknowledged, and notes what was.

At its deadline (CLOZATRACK_LOAD_UNTIL, seconds since 1970) it fails.
"""

import json
import os
import sys
import time
from pathlib import Path

DRAWN_AT = os.environ["CLOZATRACK_LOAD_DRAWN_AT"]


def main(once):
    """`once` records the result of one treatment and returns its id, or None when it is to be tried again."""
    slowly, until = (float(os.environ[f"CLOZATRACK_LOAD_{name}"]) for name in ("PAUSE", "UNTIL"))
    begun = time.time()
    with Path(sys.argv[1]).open("a") as notes:
        for turn, number in enumerate(sys.argv[2:], start=1):
            while (result := once(int(number))) is None:
                if time.time() > until:
                    sys.exit(f"L{number} was not acknowledged in time")
                time.sleep(0.1)
            notes.write(json.dumps({"accession": f"L{number}", "result": result}) + "\n")
            notes.flush()
            os.fsync(notes.fileno())
            # By the clock, so that whoever was held up catches up.
            time.sleep(max(0.0, begun + turn * slowly - time.time()))
