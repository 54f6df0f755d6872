"""The first page: the next test, what came of the last ones, and what they can tell us."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext

from monitoring.actions.drawing import DrawError, record_draw
from monitoring.reminding.own_page import HEIGHT, WIDTH, own_page_of
from monitoring.views.finding import address_of
from monitoring.views.own.door import Guest, own_page, shown
from patients import audit


@own_page
def own(request: HttpRequest, guest: Guest) -> HttpResponse:
    """A carer sees the day, the place and the check; results and tablets are the patient's own."""
    told = own_page_of(guest.treatment, now=guest.now)
    today = guest.now.astimezone(guest.treatment.clinic.zone).date()
    late = told.last_day is not None and told.last_day < today
    return shown(request, guest, "home", own=told, today=today, late=late, width=WIDTH, height=HEIGHT)


@own_page
def own_drawn(request: HttpRequest, guest: Guest) -> HttpResponse:
    """GET asks, POST notes that blood was drawn and the result is awaited."""
    if request.method != "POST":
        return shown(request, guest, "drawn")
    try:
        record_draw(treatment=guest.treatment, drawn_at=guest.now, by=None, now=guest.now, ip=address_of(request))
    except DrawError:
        messages.info(request, gettext("We know already. Thank you. There is nothing more to do."))
    else:
        audit.record(
            "patient_said_drawn", by=None, now=guest.now, clinic_id=guest.treatment.clinic_id,
            patient_id=guest.treatment.patient_id, ip=address_of(request), who=guest.person.key,
        )  # fmt: skip
        messages.success(request, gettext("Thank you. We now wait for the result."))
    return redirect("own", guest.token)
