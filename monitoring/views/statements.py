"""Eligibility statements of a patient: what the next one would say, those that were issued, and their papers."""

import uuid

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from monitoring.actions import statements as papers
from monitoring.actions.dispensing import NotAuthorisedError, verdict_of
from monitoring.forms_supply import StatementForm, VoidForm
from monitoring.models import Statement, Treatment
from monitoring.papers.statement import printed
from monitoring.rules.eligibility import Verdict
from monitoring.views.finding import address_of, staff_of, treatment_or_404
from patients import audit
from patients.access import may

ROWS = 50


@login_required
def statements(request: HttpRequest, patient_id: int) -> HttpResponse:
    """What the next statement would say, and those that were issued; opening it is opening the patient."""
    treatment, now = treatment_or_404(request, patient_id), timezone.now()
    audit.opened(treatment.patient, by=staff_of(request), now=now, ip=address_of(request))
    return _page(request, treatment)


@login_required
@require_POST
def issue_statement(request: HttpRequest, patient_id: int) -> HttpResponse:
    """A new statement, on the state that the page showed."""
    treatment = treatment_or_404(request, patient_id, "issue_statement")
    form = StatementForm(request.POST)
    if not form.is_valid():
        return _page(request, treatment, form=form, status=400)
    by, now, ip = staff_of(request), timezone.now(), address_of(request)
    try:
        papers.issue_statement(treatment=treatment, by=by, now=now, ip=ip, **form.cleaned_data)
    except NotAuthorisedError as error:
        return _page(request, treatment, form=form, verdict=error.verdict, refusal=str(error), status=409)
    messages.success(request, "Issued. Open the paper to print it.")
    return redirect("statements", patient_id)


@login_required
def statement_paper(request: HttpRequest, patient_id: int, statement_id: int) -> HttpResponse:
    """The PDF of one that still holds; what has ended is not printed again."""
    treatment, now = treatment_or_404(request, patient_id, "issue_statement"), timezone.now()
    statement = get_object_or_404(treatment.statements, pk=statement_id)
    audit.opened(treatment.patient, by=staff_of(request), now=now, ip=address_of(request))
    if not papers.standing_of(statement, now=now).valid:
        messages.error(request, "This statement is not valid any more, so it is not printed. Issue a new one.")
        return redirect("statements", patient_id)
    return paper(statement)


def paper(statement: Statement) -> HttpResponse:
    """The PDF under a name that tells a download folder nothing of the patient."""
    answer = HttpResponse(printed(statement, base_url=settings.BASE_URL), content_type="application/pdf")
    name = f"eligibility-statement-{statement.issued_at:%Y-%m-%d}-{statement.pk}.pdf"
    answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return answer


@login_required
@require_POST
def revoke_statement(request: HttpRequest, patient_id: int, statement_id: int) -> HttpResponse:
    """Take one back, with the reason."""
    treatment = treatment_or_404(request, patient_id, "issue_statement")
    statement = get_object_or_404(treatment.statements, pk=statement_id)
    form = VoidForm(request.POST)
    if form.is_valid():
        by, now, ip = staff_of(request), timezone.now(), address_of(request)
        papers.revoke_statement(statement=statement, by=by, now=now, ip=ip, **form.cleaned_data)
        messages.success(request, "Taken back. Whoever scans its code reads that it is not valid.")
    else:
        messages.error(request, "Not taken back: say why.")
    return redirect("statements", patient_id)


def _page(
    request: HttpRequest,
    treatment: Treatment,
    *,
    form: StatementForm | None = None,
    verdict: Verdict | None = None,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    treatment.refresh_from_db()
    verdict = verdict or verdict_of(treatment, now=now)
    rows = treatment.statements.select_related("staff", "integration", "revoked").order_by("-issued_at", "-pk")[:ROWS]
    page = {
        "treatment": treatment,
        "patient": treatment.patient,
        "zone": treatment.clinic.zone,
        "verdict": verdict,
        "valid_until": papers.valid_until(treatment, verdict),
        "entry": uuid.uuid4(),
        "refusal": refusal,
        "form": form or StatementForm(),
        "rows": papers.standings(treatment, list(rows), now=now),
        "may_issue": may(staff_of(request), "issue_statement", treatment.clinic_id),
    }
    return render(request, "monitoring/supply/statements.html", page, status=status)
