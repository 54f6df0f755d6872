"""One patient: what to do, until when, why, and the results behind it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from monitoring.actions.judging import judge
from monitoring.doors import alerts_of
from monitoring.views.acts.merges import merged
from monitoring.views.acts.table import acts_for
from monitoring.views.finding import address_of, staff_of, treatment_or_404
from monitoring.views.words import advice_card, result_rows
from patients import audit
from patients.access import may


@login_required
def patient(request: HttpRequest, patient_id: int) -> HttpResponse:
    """The judgement is made for this moment, from the stored results; opening the page is audited."""
    treatment, now, staff = treatment_or_404(request, patient_id), timezone.now(), staff_of(request)
    audit.opened(treatment.patient, by=staff, now=now, ip=address_of(request))
    versions = list(treatment.every_result().order_by("-drawn_at", "-version"))
    judgement = judge(treatment, versions[::-1], as_of=now)
    page = {
        "treatment": treatment,
        "patient": treatment.patient,
        "card": advice_card(judgement, treatment),
        "results": result_rows(versions, treatment),
        "events": [event for event in treatment.every_event().order_by("-at") if event.stands()],
        "alerts": alerts_of(staff).standing().filter(treatment_id__in=treatment.records),
        "ben": treatment.ben_statuses.order_by("-confirmed_at").first(),
        "acts": acts_for(treatment, staff),
        "may_record": may(staff, "record_result", treatment.clinic_id),
    }
    return render(request, "monitoring/patient.html", page | merged(treatment))
