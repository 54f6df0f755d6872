"""Logging one result: typed, judged before it is saved, saved once."""

import uuid
from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from monitoring.actions.drafting import stored_entries
from monitoring.actions.previewing import weigh
from monitoring.actions.record_result import record_result
from monitoring.forms import ResultForm
from monitoring.models import Treatment
from monitoring.models.limits import table_at
from monitoring.rules.errors import InputError
from monitoring.rules.slips import DoubtError
from monitoring.rules.units import PER_MICROLITRE
from monitoring.views.asking import colleague_choices, in_unit, said_of, unit_in_words, unit_shown
from monitoring.views.finding import address_of, staff_of, treatment_or_404
from monitoring.views.results import ResultRow, result_rows
from monitoring.views.second import sign_second
from monitoring.views.sheet_saved import Already, already
from patients import audit

LATELY = 6


@sensitive_post_parameters()
@login_required
def log_result(request: HttpRequest, patient_id: int) -> HttpResponse:
    """GET shows the form; POST shows the judgement first and saves only when that was confirmed."""
    treatment = treatment_or_404(request, patient_id, "record_result")
    colleagues = colleague_choices(staff_of(request), treatment.clinic)
    with timezone.override(treatment.clinic.zone):
        entry = {"entry": str(uuid.uuid4())}
        form = ResultForm(request.POST or None, clinic=treatment.clinic, colleagues=colleagues, initial=entry)
        if request.method != "POST" or not form.is_valid():
            return _page(request, treatment, form)
        return _answer(request, treatment, form)


def _answer(request: HttpRequest, treatment: Treatment, form: ResultForm) -> HttpResponse:
    now, staff = timezone.now(), staff_of(request)
    try:
        if was := _saved_as_other(request, treatment, form):
            return _page(request, treatment, form, already=was)
        if "save" not in request.POST:
            return _weighed(request, treatment, form)
        if not sign_second(form, request=request, patient=treatment.patient, by=staff, now=now):
            return _weighed(request, treatment, form)
        record_result(treatment=treatment, report=form.report(), by=staff, now=now, ip=address_of(request))
    except DoubtError:
        return _weighed(request, treatment, form)
    except InputError as error:
        form.refuse(error)
        return _page(request, treatment, form)
    messages.success(request, "The result is saved.")
    return redirect("patient", treatment.patient_id)


def _saved_as_other(request: HttpRequest, treatment: Treatment, form: ResultForm) -> Already | None:
    """What this form was saved as, where that answer was lost and something else is typed now."""
    staff, clinic = staff_of(request), treatment.clinic
    stored = stored_entries(clinic=clinic, rows=[{"entry": str(form.cleaned_data["entry"])}])
    versions = next(iter(stored.values()), None)
    was = already(versions, form.report(), treatment, clinic=clinic, staff=staff) if versions else None
    if was and was.patient:
        audit.opened(was.patient, by=staff, now=timezone.now(), ip=address_of(request))
    return was


def _weighed(request: HttpRequest, treatment: Treatment, form: ResultForm) -> HttpResponse:
    weighed = weigh(treatment=treatment, report=form.report(), by=staff_of(request), now=timezone.now())
    return _page(request, treatment, form, said=said_of(weighed, treatment))


def _lately(treatment: Treatment, now: datetime) -> list[tuple[ResultRow, str]]:
    """The last counts that stand, each as this clinic would type it: a slip is seen best beside them."""
    versions = list(treatment.every_result().select_related("staff", "integration"))
    rows = result_rows(versions, treatment, table_at(treatment, now))
    stands = [row for row in rows if row.stands][:LATELY]
    return [(row, "" if row.count is None else in_unit(row.count, treatment.clinic, row.bound)) for row in stands]


def _page(request: HttpRequest, treatment: Treatment, form: ResultForm, **more: object) -> HttpResponse:
    page = {
        "treatment": treatment,
        "lately": _lately(treatment, timezone.now()),
        "patient": treatment.patient,
        "form": form,
        "unit": unit_shown(treatment.clinic),
        "thousands": treatment.clinic.count_unit not in PER_MICROLITRE,
        "unit_in_words": unit_in_words(treatment.clinic),
    }
    return render(request, "monitoring/log_result.html", page | more)
