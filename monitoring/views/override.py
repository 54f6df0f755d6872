"""The two keys: one person asks for a supply, another confirms or declines."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from monitoring.actions import overriding
from monitoring.actions.dispensing import StaleError
from monitoring.forms_supply import AnswerForm, ConfirmForm, OverrideForm
from monitoring.views.finding import address_of, staff_of, treatment_or_404
from monitoring.views.supply import page


@login_required
@require_POST
def ask_override(request: HttpRequest, patient_id: int) -> HttpResponse:
    """The first key."""
    treatment = treatment_or_404(request, patient_id, "ask_override")
    form = OverrideForm(request.POST, clinic=treatment.clinic)
    if not form.is_valid():
        return page(request, treatment, override_form=form, status=400)
    try:
        overriding.ask_override(
            treatment=treatment, by=staff_of(request), now=timezone.now(), ip=address_of(request), **form.cleaned_data
        )
    except ValueError as error:
        form.add_error(None, str(error))
        return page(request, treatment, override_form=form, status=400)
    messages.success(request, "Asked. A prescriber or another pharmacist must confirm before anything is supplied.")
    return redirect("supply", patient_id)


@login_required
@require_POST
def answer_override(request: HttpRequest, patient_id: int, override_id: int) -> HttpResponse:
    """The second key, or a no with its reason."""
    treatment = treatment_or_404(request, patient_id, "confirm_override")
    override = get_object_or_404(treatment.overrides, pk=override_id)
    now, by, ip = timezone.now(), staff_of(request), address_of(request)
    try:
        if "confirm" in request.POST:
            basis = ConfirmForm(request.POST)
            shown = basis.cleaned_data["basis"] if basis.is_valid() else 0
            overriding.confirm_override(override=override, basis=shown, by=by, now=now, ip=ip)
            messages.success(request, "Confirmed. The pharmacist can authorise it now.")
        else:
            form = AnswerForm(request.POST)
            answer = form.cleaned_data["answer"] if form.is_valid() else ""
            overriding.decline_override(override=override, by=by, now=now, answer=answer, ip=ip)
            messages.success(request, "Declined.")
    except StaleError as error:
        return page(request, treatment, verdict=error.verdict, refusal=str(error), status=409)
    except ValueError as error:
        messages.error(request, f"Not answered: {error}.")
    return redirect("supply", patient_id)


@login_required
@require_POST
def review_override(request: HttpRequest, patient_id: int, override_id: int) -> HttpResponse:
    """Somebody who had no part in it looks at it afterwards."""
    treatment = treatment_or_404(request, patient_id, "review_override")
    override = get_object_or_404(treatment.overrides, pk=override_id)
    form = AnswerForm(request.POST)
    words = form.cleaned_data["answer"] if form.is_valid() else ""
    try:
        overriding.review_override(
            override=override, by=staff_of(request), now=timezone.now(), words=words, ip=address_of(request)
        )
        messages.success(request, "Marked as reviewed.")
    except ValueError as error:
        messages.error(request, f"Not marked: {error}.")
    return redirect("supply", patient_id)
