"""Rows a second and peak memory of manage.py import_results.

python -m benchmarks.import_csv [--quick] [--rows N ...]
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from benchmarks.machine import database, say, table


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--rows", type=int, nargs="+", default=[2_000, 20_000])
    chosen = options.parse_args()
    rows = []
    with database():
        from django.db import connection

        from tests.cast import NOW, a_clinic, a_patient, a_treatment

        clinic = a_clinic()
        people = [a_treatment(clinic, patient=a_patient(clinic, mrn=f"P{number}")).pk for number in range(400)]
        connection.close()
        for count in [500] if chosen.quick else chosen.rows:
            with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
                file.write("mrn,date_of_birth,drawn_at,anc,unit,accession,status\n")
                for number in range(count):
                    at = NOW - timedelta(minutes=count - number)
                    file.write(
                        f"P{number % len(people)},1980-05-17,{at.isoformat()},2.4,10*9/L,C{count}-{number},final\n"
                    )
                file.flush()
                begun = time.monotonic()
                command = [sys.executable, "manage.py", "import_results", file.name, "--clinic", clinic.slug]
                subprocess.run(command, check=True, cwd=Path(__file__).parents[1], capture_output=True)
                took = time.monotonic() - begun
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            rows.append((count, f"{count / took:.0f}", f"{peak:.0f}"))
    say(", PostgreSQL durable, 400 patients")
    table(["rows", "rows/s", "peak MiB"], rows)


if __name__ == "__main__":
    main()
