"""One alert: what it says, its story, and how it is answered."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from monitoring.actions import answering
from monitoring.doors import alerts_of, alerts_with_past_of
from monitoring.forms import AcknowledgeForm, ResolveForm
from monitoring.models import Alert
from monitoring.views.finding import address_of, staff_of
from patients import audit
from patients.access import may


@login_required
def alert(request: HttpRequest, alert_id: int) -> HttpResponse:
    """The alert and its story; opening it is opening the patient."""
    found = get_object_or_404(alerts_with_past_of(staff_of(request)), pk=alert_id)
    audit.opened(found.treatment.patient, by=staff_of(request), now=timezone.now(), ip=address_of(request))
    return _page(request, found, AcknowledgeForm(), ResolveForm())


@login_required
@require_POST
def acknowledge(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Somebody has seen it and is on it."""
    found = get_object_or_404(alerts_of(staff_of(request), "acknowledge"), pk=alert_id)
    form = AcknowledgeForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form, ResolveForm())
    return _answered(
        request,
        found,
        lambda: answering.acknowledge(
            alert=found,
            by=staff_of(request),
            now=timezone.now(),
            note=form.cleaned_data["note"],
            ip=address_of(request),
        ),
    )


@login_required
@require_POST
def resolve(request: HttpRequest, alert_id: int) -> HttpResponse:
    """It is done, and this is how."""
    found = get_object_or_404(alerts_of(staff_of(request), "resolve"), pk=alert_id)
    form = ResolveForm(request.POST)
    if not form.is_valid():
        return _page(request, found, AcknowledgeForm(), form)
    return _answered(
        request,
        found,
        lambda: answering.resolve(
            alert=found, by=staff_of(request), now=timezone.now(), ip=address_of(request), **form.cleaned_data
        ),
    )


def _answered(request: HttpRequest, found: Alert, move: Callable[[], Alert]) -> HttpResponse:
    try:
        moved = move()
    except ValueError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"The alert is {moved.state}.")
    return redirect("alert", found.pk)


def _page(request: HttpRequest, found: Alert, ack: AcknowledgeForm, end: ResolveForm) -> HttpResponse:
    staff = staff_of(request)
    page = {
        "alert": found,
        "patient": found.treatment.patient,
        "zone": found.clinic.zone,
        "notes": found.notes.select_related("staff"),
        "ack": ack,
        "end": end,
        "may_acknowledge": found.state == "open" and may(staff, "acknowledge", found.clinic_id),
        "may_resolve": found.state != "resolved" and may(staff, "resolve", found.clinic_id),
    }
    return render(request, "monitoring/alert.html", page)
