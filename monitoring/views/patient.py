"""One patient: what to do, until when, why, and the results behind it."""

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from monitoring.actions.judging import judge
from monitoring.models import Merge, Treatment
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
        "alerts": treatment.alerts.standing(),
        "ben": treatment.ben_statuses.order_by("-confirmed_at").first(),
        "acts": acts_for(treatment, staff),
        "may_record": may(staff, "record_result", treatment.clinic_id),
    }
    return render(request, "monitoring/patient.html", page | merged(treatment))


def merged(treatment: Treatment) -> dict[str, object]:
    """Into which record this one was merged, and which were merged into it. A merged record offers no acts."""
    rows = Merge.objects.filter(Q(kept=treatment) | Q(merged=treatment), undone_at=None)
    standing = list(rows.select_related("kept__patient", "merged__patient", "by"))
    into = next((row for row in standing if row.merged_id == treatment.pk), None)
    found: dict[str, object] = {"merged_into": into, "merged_here": [row for row in standing if row is not into]}
    return found | ({"acts": [], "may_record": False} if into else {})
