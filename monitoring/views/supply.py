"""May I dispense? One answer with its reasons; authorising, handing over and taking back."""

import uuid
from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from monitoring.actions.dispensing import (
    NotAuthorisedError,
    StaleError,
    authorise,
    hand_over,
    plan_of,
    verdict_of,
    void_dispense,
)
from monitoring.actions.overriding import bridges_left
from monitoring.forms_supply import AuthoriseForm, HandOverForm, OverrideForm, PlanForm, VoidForm
from monitoring.models import Override, Treatment
from monitoring.rules.eligibility import Verdict
from monitoring.rules.planning import Planned
from monitoring.supply import supply_clock
from monitoring.views.finding import address_of, staff_of, treatment_or_404
from patients import audit
from patients.access import may

ANSWERS = {
    "may_supply": ("calm", "✓", "May supply"),
    "prescriber_decides": ("warn", "?", "Prescriber must decide"),
    "do_not_supply": ("stop", "✕", "Do not supply"),
}
RIGHTS = {
    "may_book": "book_test",
    "may_dispense": "dispense",
    "may_confirm": "confirm_override",
    "may_ask": "ask_override",
    "may_review": "review_override",
}
ROWS = 20


@login_required
def supply(request: HttpRequest, patient_id: int) -> HttpResponse:
    """The card, for whoever may see the patient; opening it is opening the patient."""
    treatment, now = treatment_or_404(request, patient_id), timezone.now()
    audit.opened(treatment.patient, by=staff_of(request), now=now, ip=address_of(request))
    return page(request, treatment)


@login_required
@require_POST
def authorise_supply(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Leave to supply, on the state that the page showed; with a confirmed override where the rules say no."""
    treatment, now = treatment_or_404(request, patient_id, "dispense"), timezone.now()
    form = AuthoriseForm(request.POST)
    if not form.is_valid():
        return page(request, treatment, status=400)
    override = None
    if wanted := form.cleaned_data["override"]:
        override = get_object_or_404(Override, pk=wanted, treatment=treatment)
    try:
        given = authorise(
            treatment=treatment,
            entry=form.cleaned_data["entry"],
            basis=form.cleaned_data["basis"],
            override=override,
            by=staff_of(request),
            now=now,
            ip=address_of(request),
        )
    except StaleError as error:
        return page(request, treatment, verdict=error.verdict, refusal=str(error), status=409)
    except NotAuthorisedError as error:
        return page(request, treatment, verdict=error.verdict, refusal=str(error), status=409)
    until = given.expires_at.astimezone(treatment.clinic.zone)
    messages.success(request, f"Authorised: up to {given.days} days. Hand over before {until:%a %-d %b, %H:%M}.")
    return redirect("supply", patient_id)


@login_required
@require_POST
def hand_over_supply(request: HttpRequest, patient_id: int, authorisation_id: int) -> HttpResponse:
    """The tablets leave the counter; everything is checked again."""
    treatment = treatment_or_404(request, patient_id, "dispense")
    leave = get_object_or_404(treatment.authorisations, pk=authorisation_id)
    form = HandOverForm(request.POST)
    if not form.is_valid():
        return page(request, treatment, hand_over_form=form, status=400)
    try:
        dispense = hand_over(
            authorisation=leave, by=staff_of(request), now=timezone.now(), ip=address_of(request), **form.cleaned_data
        )
    except NotAuthorisedError as error:
        return page(request, treatment, verdict=error.verdict, refusal=str(error), status=409)
    except ValueError as error:
        return page(request, treatment, refusal=str(error), status=400)
    messages.success(request, f"Handed over. The tablets reach until {dispense.covers_until:%a %-d %b %Y}.")
    return redirect("supply", patient_id)


@login_required
@require_POST
def void_supply(request: HttpRequest, patient_id: int, dispense_id: int) -> HttpResponse:
    """A dispense that did not happen, with the reason."""
    treatment = treatment_or_404(request, patient_id, "dispense")
    dispense = get_object_or_404(treatment.dispenses, pk=dispense_id)
    form = VoidForm(request.POST)
    if form.is_valid():
        void_dispense(
            dispense=dispense, by=staff_of(request), now=timezone.now(), ip=address_of(request), **form.cleaned_data
        )
        messages.success(request, "Taken back. The row stays in the list, with your reason.")
    else:
        messages.error(request, "Not taken back: say why.")
    return redirect("supply", patient_id)


def page(
    request: HttpRequest,
    treatment: Treatment,
    *,
    verdict: Verdict | None = None,
    refusal: str = "",
    status: int = 200,
    hand_over_form: HandOverForm | None = None,
    override_form: OverrideForm | None = None,
) -> HttpResponse:
    """The card with everything around it; forms keep what was typed."""
    now, staff = timezone.now(), staff_of(request)
    treatment.refresh_from_db()
    verdict = verdict or verdict_of(treatment, now=now)
    tone, icon, answer = ANSWERS[verdict.answer]
    plan_form, plan = _plan(request, treatment, now)
    shown = {
        "treatment": treatment,
        "patient": treatment.patient,
        "zone": treatment.clinic.zone,
        "verdict": verdict,
        "tone": tone,
        "icon": icon,
        "answer": answer,
        "administrative": any(why.kind == "administrative" for why in verdict.why),
        "limits": [why for why in verdict.why if why.kind == "informational" and why.rule.startswith("supply.")],
        "plan_form": plan_form,
        "plan": plan,
        "refusal": refusal,
        "now": now,
        "entry": uuid.uuid4(),
        "clock": supply_clock(treatment, now=now),
        "booking": treatment.bookings.filter(ended_at=None).first(),
        "open": treatment.authorisations.filter(revoked_at=None, dispense=None, expires_at__gte=now),
        "dispenses": treatment.dispenses.select_related("handed_over_by", "voided_by")
        .order_by("-handed_over_at")[:ROWS],
        "overrides": _overrides(treatment, now),
        "bridges_left": bridges_left(treatment, now),
        "hand_over_form": hand_over_form or HandOverForm(initial={"days": verdict.days or None, "strength_mg": 100}),
        "override_form": override_form or OverrideForm(clinic=treatment.clinic),
        "void_form": VoidForm(),
    }  # fmt: skip
    rights = {name: may(staff, verb, treatment.clinic_id) for name, verb in RIGHTS.items()}
    return render(request, "monitoring/supply/card.html", shown | rights, status=status)


def _plan(request: HttpRequest, treatment: Treatment, now: datetime) -> tuple[PlanForm, Planned | None]:
    """What a day ahead that was asked about would mean; asking changes nothing."""
    form = PlanForm(request.GET if "collect_on" in request.GET else None)
    if not form.is_bound or not form.is_valid():
        return form, None
    try:
        return form, plan_of(treatment, now=now, **form.cleaned_data)
    except ValueError as error:
        text = str(error)
        form.add_error("collect_on", text[:1].upper() + text[1:] + ".")
        return form, None


def _overrides(treatment: Treatment, now: datetime) -> list[tuple[Override, str]]:
    """The latest, each with its state in words."""
    people = ("asked_by", "confirmed_by", "declined_by", "reviewed_by")
    rows = treatment.overrides.select_related(*people).order_by("-asked_at")[:ROWS]
    return [(row, row.state_at(now)) for row in rows]
