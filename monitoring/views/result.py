"""Logging one result: typed, judged before it is saved, saved once."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from monitoring.actions.previewing import preview
from monitoring.actions.record_result import record_result
from monitoring.forms import ResultForm
from monitoring.models import Treatment
from monitoring.rules.errors import InputError
from monitoring.rules.units import PER_MICROLITRE
from monitoring.views.finding import address_of, staff_of, treatment_or_404
from monitoring.views.words import advice_card

UNIT_IN_WORDS = {
    1: "cells per microlitre, so a usual ANC is about 2000 to 7000",
    1000: "thousands per microlitre, so a usual ANC is about 2.0 to 7.0",
}


@login_required
def log_result(request: HttpRequest, patient_id: int) -> HttpResponse:
    """GET shows the form; POST shows the judgement first and saves only when that was confirmed."""
    treatment = treatment_or_404(request, patient_id, "record_result")
    with timezone.override(treatment.clinic.zone):
        form = ResultForm(request.POST or None, clinic=treatment.clinic, initial={"entry": str(uuid.uuid4())})
        if request.method != "POST" or not form.is_valid():
            return _page(request, treatment, form)
        return _answer(request, treatment, form)


def _answer(request: HttpRequest, treatment: Treatment, form: ResultForm) -> HttpResponse:
    now = timezone.now()
    try:
        if "save" not in request.POST:
            judgement = preview(treatment=treatment, report=form.report(), now=now)
            return _page(request, treatment, form, card=advice_card(judgement, treatment))
        record_result(treatment=treatment, report=form.report(), by=staff_of(request), now=now, ip=address_of(request))
    except InputError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return _page(request, treatment, form)
    messages.success(request, "The result is saved.")
    return redirect("patient", treatment.patient_id)


def _page(request: HttpRequest, treatment: Treatment, form: ResultForm, **more: object) -> HttpResponse:
    page = {
        "treatment": treatment,
        "patient": treatment.patient,
        "form": form,
        "unit": treatment.clinic.count_unit,
        "unit_in_words": UNIT_IN_WORDS[1 if treatment.clinic.count_unit in PER_MICROLITRE else 1000],
    }
    return render(request, "monitoring/log_result.html", page | more)
