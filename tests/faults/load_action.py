"""Low results through record_result, in a process of its own.

python -m tests.faults.load_action LOG TREATMENT_ID...
"""

from datetime import datetime

import django

django.setup()

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from monitoring.actions.record_result import Report, record_result
from monitoring.models import Treatment
from tests.faults.load import DRAWN_AT, main


def through_the_action(number):
    count, drawn = {"anc": "420", "unit": "/uL"}, datetime.fromisoformat(DRAWN_AT)
    report = Report(source="load", accession=f"L{number}", drawn_at=drawn, count=count, version=1)
    try:
        treatment = Treatment.objects.select_related("patient", "clinic").get(pk=number)
        return record_result(treatment=treatment, report=report, by=None, now=timezone.now()).pk
    except (DatabaseError, InterfaceError):
        connection.close()
        return None


if __name__ == "__main__":
    main(through_the_action)
