"""A client under load: records one low result for each treatment it was given, and notes what was acknowledged.

python -m tests.faults.load LOG TREATMENT_ID...
"""

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import django

django.setup()

from django.db import DatabaseError, InterfaceError, connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from monitoring.actions.record_result import Report, record_result  # noqa: E402
from monitoring.models import Treatment  # noqa: E402

SLOWLY = float(os.environ.get("CLOZATRACK_LOAD_PAUSE", "0.05"))


def main(log, ids):
    with Path(log).open("a") as notes:
        for number in ids:
            report = Report(
                source="load",
                accession=f"L{number}",
                drawn_at=datetime(2026, 9, 14, 11, tzinfo=UTC),
                count={"anc": "420", "unit": "/uL"},
                version=1,
            )
            while True:
                try:
                    treatment = Treatment.objects.select_related("patient", "clinic").get(pk=number)
                    result = record_result(treatment=treatment, report=report, by=None, now=timezone.now())
                    break
                except (DatabaseError, InterfaceError):
                    connection.close()
                    time.sleep(0.1)
            note = {"accession": report.accession, "result": result.pk, "at": time.time()}
            notes.write(json.dumps(note) + "\n")
            notes.flush()
            os.fsync(notes.fileno())
            time.sleep(SLOWLY)


if __name__ == "__main__":
    main(sys.argv[1], [int(number) for number in sys.argv[2:]])
