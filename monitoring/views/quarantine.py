"""Rows that name nobody surely: whose are they? Matched to a patient, or refused, by a person who says why."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.db.models.functions import Upper
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from monitoring.actions.previewing import preview
from monitoring.doors import treatments_of
from monitoring.feeds import quarantine as rows
from monitoring.feeds.matching import disagreements, report_of
from monitoring.feeds.quarantine import VERB, rows_of, waiting_rows
from monitoring.import_forms import MatchForm, ReasonForm
from monitoring.models import QuarantinedRow, Treatment
from monitoring.rules.errors import InputError
from monitoring.views.finding import address_of, staff_of
from monitoring.views.words import AdviceCard, advice_card
from patients import audit
from patients.access import MAY, clinics_of, patients_of
from patients.models import Patient, Staff, parse_date_or_none

ROWS = 200
ANSWERED = 20
FOUND = 25


def _found(request: HttpRequest, row_id: int) -> QuarantinedRow:
    known = rows_of(staff_of(request)).exclude(end_reason=rows.REFUSED_LINE)
    return get_object_or_404(known, pk=row_id)


@login_required
def quarantine(request: HttpRequest) -> HttpResponse:
    """What waits, the longest first, and what was answered last."""
    staff, now = staff_of(request), timezone.now()
    if not clinics_of(staff, VERB).exists():
        raise Http404
    known = rows_of(staff).exclude(end_reason=rows.REFUSED_LINE)
    page = {
        "now": now,
        "waiting": waiting_rows(staff, now),
        "rows": list(known.filter(ended_at=None).order_by("answer_by", "pk")[:ROWS]),
        "answered": known.exclude(ended_at=None).select_related("ended_by").order_by("-ended_at")[:ANSWERED],
        "staff": staff,
    }
    return render(request, "monitoring/quarantine.html", page)


@login_required
def waiting_row(request: HttpRequest, row_id: int) -> HttpResponse:
    """One row, and the patients that it may be meant for."""
    return _row_page(request, _found(request, row_id), ReasonForm())


def _row_page(request: HttpRequest, row: QuarantinedRow, refusing: ReasonForm) -> HttpResponse:
    words = request.GET.get("q", "").strip()
    found = list(_candidates(staff_of(request), row, words)[: FOUND + 1]) if row.ended_at is None else []
    page = {
        "row": row,
        "now": timezone.now(),
        "q": words,
        "found": found[:FOUND],
        "more_found": len(found) > FOUND,
        "most_found": FOUND,
        "refusing": refusing,
        "colleagues": _colleagues(row).exclude(pk=row.owner_id or 0),
    }
    return render(request, "monitoring/waiting_row.html", page)


def _candidates(staff: Staff, row: QuarantinedRow, words: str) -> "QuerySet[Patient]":
    """Those who were searched for; else those who share the row's MRN or date of birth."""
    there = patients_of(staff, VERB).filter(clinic=row.clinic_id)
    if words:
        return there.named(words)
    likely = Q(number=row.fields["mrn"].upper())
    if born := parse_date_or_none(row.fields["date_of_birth"]):
        likely |= Q(date_of_birth=born)
    return there.annotate(number=Upper("mrn")).filter(likely).order_by("family_name", "given_name", "pk")


def _colleagues(row: QuarantinedRow) -> "QuerySet[Staff]":
    """Who may answer rows of this clinic."""
    may = Q(memberships__clinic=row.clinic_id, memberships__active=True, memberships__role__in=MAY[VERB])
    return Staff.objects.filter(may, is_active=True).distinct().order_by("last_name", "first_name", "username")


@login_required
def match_row(request: HttpRequest, row_id: int, patient_id: int) -> HttpResponse:
    """Row and patient side by side and what the result would mean; POST records it for this patient."""
    row, staff, now = _found(request, row_id), staff_of(request), timezone.now()
    treatment = get_object_or_404(treatments_of(staff, VERB), patient=patient_id, clinic=row.clinic_id)
    differences = disagreements(row.fields, treatment)
    form = MatchForm(request.POST or None, disagrees=bool(differences))
    if request.method == "POST" and form.is_valid():
        try:
            rows.match_row(
                row=row, treatment=treatment, reason=form.cleaned_data["reason"], by=staff, now=now,
                ip=address_of(request),
            )  # fmt: skip
        except (InputError, ValueError) as error:
            messages.error(request, f"Not recorded: {getattr(error, 'message', error)}.")
        else:
            messages.success(request, f"Recorded for {treatment.patient}.")
            return redirect("quarantine")
    elif request.method == "GET":
        audit.opened(treatment.patient, by=staff, now=now, ip=address_of(request))
    card, problem = _meaning(row, treatment)
    page = {
        "row": row, "treatment": treatment, "patient": treatment.patient, "form": form, "differences": differences,
        "card": card, "problem": problem,
    }  # fmt: skip
    return render(request, "monitoring/match_row.html", page)


def _meaning(row: QuarantinedRow, treatment: Treatment) -> tuple[AdviceCard | None, str]:
    """What the rules would say with this result, or why it cannot be recorded."""
    try:
        report = report_of(row.fields, row.imported.laboratory.source)
        return advice_card(preview(treatment=treatment, report=report, now=timezone.now()), treatment), ""
    except InputError as error:
        return None, error.message


@login_required
@require_POST
def refuse_row(request: HttpRequest, row_id: int) -> HttpResponse:
    """It is nobody's here."""
    row, form = _found(request, row_id), ReasonForm(request.POST)
    if not form.is_valid():
        return _row_page(request, row, form)
    try:
        rows.refuse_row(
            row=row, reason=form.cleaned_data["reason"], by=staff_of(request), now=timezone.now(),
            ip=address_of(request),
        )  # fmt: skip
    except ValueError as error:
        messages.error(request, str(error))
        return redirect("waiting_row", row.pk)
    messages.success(request, f"Row {row.number} is refused.")
    return redirect("quarantine")


@login_required
@require_POST
def hand_over_row(request: HttpRequest, row_id: int) -> HttpResponse:
    """Somebody else answers it."""
    row = _found(request, row_id)
    form = forms.Form(request.POST)
    form.fields["to"] = forms.ModelChoiceField(_colleagues(row))
    if not form.is_valid():
        messages.error(request, "Choose who is to answer the row.")
        return redirect("waiting_row", row.pk)
    to: Staff = form.cleaned_data["to"]
    try:
        rows.hand_over_row(row=row, to=to, by=staff_of(request), now=timezone.now(), ip=address_of(request))
    except ValueError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Row {row.number} is handed over to {to}.")
    return redirect("waiting_row", row.pk)
