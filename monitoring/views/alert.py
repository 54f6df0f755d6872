"""One alert: what it says, its story, who saw it, and how it is answered."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from monitoring.actions import answering
from monitoring.actions.alerting import reachable
from monitoring.alert_forms import HandOverForm, NoteForm
from monitoring.alerts import returns_at
from monitoring.doors import alerts_of, alerts_with_past_of
from monitoring.forms import AcknowledgeForm, ResolveForm
from monitoring.models import Alert, Cause, Step
from monitoring.rules.eligibility import Milestone, after_the_last_tablet
from monitoring.views.finding import address_of, staff_of
from monitoring.views.rows import lasted
from patients import audit
from patients.access import may, staff_who_may
from patients.models import Staff

NEXT: dict[int, str] = {
    Step.OWNER: "the deputy is told, or on-call",
    Step.DEPUTY: "on-call is told",
    Step.ON_CALL: "an alarm stands on every page of the clinic's staff",
}


@login_required
def alert(request: HttpRequest, alert_id: int) -> HttpResponse:
    """The alert and its story; opening it is opening the patient, and the story says who has seen it."""
    found, now = get_object_or_404(alerts_with_past_of(staff_of(request)), pk=alert_id), timezone.now()
    audit.opened(found.treatment.patient, by=staff_of(request), now=now, ip=address_of(request))
    answering.mark_seen(alert=found, by=staff_of(request), now=now)
    return _page(request, found)


@login_required
@require_POST
def acknowledge(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Somebody has seen it and is on it."""
    found = get_object_or_404(alerts_of(staff_of(request), "acknowledge"), pk=alert_id)
    form = AcknowledgeForm(request.POST)
    if not form.is_valid():
        return _page(request, found, ack=form)
    return _answered(request, found, answering.acknowledge, ack=form)


@login_required
@require_POST
def resolve(request: HttpRequest, alert_id: int) -> HttpResponse:
    """It is done, and this is how."""
    found = get_object_or_404(alerts_of(staff_of(request), "resolve"), pk=alert_id)
    form = ResolveForm(request.POST)
    if not form.is_valid():
        return _page(request, found, end=form)
    return _answered(request, found, answering.resolve, end=form)


@login_required
@require_POST
def hand_over(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Somebody else owns it from now on."""
    found = get_object_or_404(alerts_of(staff_of(request), "hand_over"), pk=alert_id)
    form = HandOverForm(request.POST, people=_others(found))
    if not form.is_valid():
        return _page(request, found, hand=form)
    said = f"The alert is handed over to {form.cleaned_data['to']}, who is told now."
    return _answered(request, found, answering.hand_over, said=said, hand=form)


@login_required
@require_POST
def note(request: HttpRequest, alert_id: int) -> HttpResponse:
    """A line in the story; the alert stays as it is."""
    found = get_object_or_404(alerts_of(staff_of(request), "add_note"), pk=alert_id)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _page(request, found, line=form)
    answering.add_note(
        alert=found, text=form.cleaned_data["text"], by=staff_of(request), now=timezone.now(), ip=address_of(request)
    )
    messages.success(request, "The note is saved.")
    return redirect("alert", found.pk)


def _others(found: Alert) -> QuerySet[Staff]:
    """To whom it may be handed over."""
    return staff_who_may("see_patients", found.clinic_id).exclude(pk=found.owner_id or 0)


def _answered(
    request: HttpRequest, found: Alert, move: Callable[..., Alert], *, said: str = "", **form: Form
) -> HttpResponse:
    """Only what the page showed is answered. A refusal shows what the alert says now, and keeps what was typed."""
    staff, (typed,) = staff_of(request), form.values()
    try:
        moved = move(
            alert=found, by=staff, now=timezone.now(), basis=request.POST.get("basis", ""), ip=address_of(request),
            **typed.cleaned_data,
        )  # fmt: skip
    except answering.MoveError as error:
        current = get_object_or_404(alerts_with_past_of(staff), pk=found.pk)
        return _page(request, current, str(error), **form)
    except ValueError as error:
        typed.add_error("to" if "to" in typed.fields else "note", str(error))
        return _page(request, found, **form)
    messages.success(request, said or f"The alert is {moved.state}.")
    return redirect("alert", found.pk)


def _gap(found: Alert) -> Sequence[Milestone]:
    """What it means, day by day, when the tablets that the alert is about are the last."""
    if found.cause != Cause.SUPPLY_ENDS or found.deadline is None:
        return ()
    last = found.deadline.astimezone(found.clinic.zone).date() - timedelta(days=1)
    return after_the_last_tablet(found.treatment.protocol, last)


def _page(request: HttpRequest, found: Alert, refused: str = "", /, **forms: Form) -> HttpResponse:
    """The page, with a form that was not right as it was typed.

    Where an answer is refused and its form is there no longer, its note stands in the field for a line in the story.
    """
    staff = staff_of(request)
    told = list(found.notes.select_related("staff"))
    stands = found.state != "resolved"
    if request.POST.get("basis", found.basis) != found.basis:
        refused = answering.CHANGED
    offers = {
        "ack": found.state == "open" and may(staff, "acknowledge", found.clinic_id),
        "end": stands and may(staff, "resolve", found.clinic_id),
        "hand": stands and may(staff, "hand_over", found.clinic_id),
    }
    kept = request.POST.get("note", "") if not any(offers.get(name) for name in forms) else ""
    page = {
        "alert": found,
        "patient": found.treatment.patient,
        "zone": found.clinic.zone,
        "story": [line for line in told if line.verb != "seen"],
        "next_step": NEXT.get(found.step),
        "returns": returns_at(found.clinic, found.cause, found.severity, timezone.now()),
        "seen": [line for line in told if line.verb == "seen"],
        "stones": _gap(found),
        "reachable": found.owner is None or reachable(found.owner, found.clinic_id),
        "acknowledged_after": found.acknowledged_at and lasted(found.raised_at, found.acknowledged_at),
        "resolved_after": found.resolved_at and lasted(found.raised_at, found.resolved_at),
        "offers": offers,
        "may_note": may(staff, "add_note", found.clinic_id),
        "ack": AcknowledgeForm(),
        "end": ResolveForm(),
        "hand": HandOverForm(people=_others(found)),
        "line": NoteForm(initial={"text": kept}),
        "refused": refused,
    }
    return render(request, "monitoring/alert.html", page | forms, status=409 if refused else 200)
