"""Today: what waits for an answer, what is overdue, what is due."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from monitoring.doors import alerts_of, treatments_of
from monitoring.health import ailments
from monitoring.views.finding import staff_of
from patients.access import clinics_of, patients_of

ROWS = 200
DAYS_AHEAD = 7
FOUND = 25


@login_required
def today(request: HttpRequest) -> HttpResponse:
    """The worklist. Overdue is computed here and now, so a dead scheduler cannot hide it."""
    now, staff = timezone.now(), staff_of(request)
    treatments = treatments_of(staff)
    overdue = treatments.overdue(now)[: ROWS + 1]
    due = treatments.due_by(now, DAYS_AHEAD)[: ROWS + 1]
    words = request.GET.get("q", "").strip()
    page = {
        "now": now,
        "clinics": list(clinics_of(staff)),
        "alerts": list(alerts_of(staff).standing()[: ROWS + 1]),
        "overdue": [(treatment, treatment.days_late(now)) for treatment in overdue],
        "due": [(treatment, now.astimezone(treatment.clinic.zone).date()) for treatment in due],
        "rows": ROWS,
        "ailments": ailments(now=now),
        "mends_mail": clinics_of(staff, "retry_delivery").exists(),
        "q": words,
        "found": list(patients_of(staff).named(words)[:FOUND]) if words else None,
    }
    return render(request, "monitoring/today.html", page)
