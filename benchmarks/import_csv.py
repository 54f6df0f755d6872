"""Rows a second and peak memory of an import: by the command, as the page does it, and of rows that name nobody.

python -m benchmarks.import_csv [--quick] [--rows N ...] [--patients N] [--way command page strangers]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from django.db import connection

from benchmarks.machine import database, say, table
from tests.cast import NOW, a_clinic, a_patient, a_person, a_treatment

WAYS = ("command", "page", "strangers")
MEASURED = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], capture_output=True).returncode
print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--rows", type=int, nargs="+", default=[2_000, 20_000])
    options.add_argument("--patients", type=int, default=400)
    options.add_argument("--way", nargs="+", choices=WAYS, default=WAYS)
    chosen = options.parse_args()
    rows = []
    with database():
        clinic = a_clinic()
        nurse = a_person(clinic, "nurse")
        for number in range(chosen.patients):
            a_treatment(clinic, patient=a_patient(clinic, mrn=f"P{number}"))
        connection.close()
        for count in [500] if chosen.quick else chosen.rows:
            for way in chosen.way:
                took, peak = measured(way, count, NOW, clinic, nurse, chosen.patients)
                rows.append((f"{count:,}", way, f"{count / took:.0f}", f"{peak:.0f}"))
    say(f", PostgreSQL durable, {chosen.patients:,} patients")
    table(["rows", "way", "rows/s", "peak MiB"], rows)


def measured(way, count, now, clinic, nurse, patients):
    """Seconds, and the peak of the import's own process. The page's way keeps a file and its counters row by row."""
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("mrn,date_of_birth,drawn_at,anc,unit,accession,status\n")
        for number in range(count):
            at = now - timedelta(minutes=count - number)
            mrn = f"{'X' if way == 'strangers' else 'P'}{number % patients}"
            file.write(f"{mrn},1980-05-17,{at.isoformat()},2.4,10*9/L,{way}{count}-{number},final\n")
        file.flush()
        command = [sys.executable, "manage.py", "import_results", file.name, "--clinic", clinic.slug]
        command += ["--quarantine", nurse.username, "--source", "page"] if way == "page" else []
        begun = time.monotonic()
        run = [sys.executable, "-c", MEASURED, *command]
        said = subprocess.run(run, check=True, cwd=Path(__file__).parents[1], capture_output=True, text=True).stdout
        took = time.monotonic() - begun
    status, peak = said.split()
    assert status == ("1" if way == "strangers" else "0"), said
    return took, int(peak) / 1024


if __name__ == "__main__":
    main()
