"""Mutation tests of the clinical rules: a mutant that no test kills is a sentence that no test holds.

python -m tests.mutants [mutmut's arguments]
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main(arguments):
    """Run mutmut over monitoring/rules with the rule tests alone (they need no services), then list the survivors."""
    environment = os.environ | {"CLOZATRACK_TEST_SERVICES": "none needed"}
    mutmut = [sys.executable, "-m", "mutmut"]
    ran = subprocess.run([*mutmut, "run", *arguments], cwd=ROOT, env=environment, check=False)
    subprocess.run([*mutmut, "results"], cwd=ROOT, env=environment, check=False)
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
