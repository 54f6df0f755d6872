"""One transfer: what each side may know of it, and how it is answered."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from monitoring.actions.moving import preview_move
from monitoring.actions.transferring import (
    MovedOnError,
    accept_transfer,
    decline_transfer,
    note_looked_at,
    withdraw_transfer,
)
from monitoring.alerts import ADVICE_IN_WORDS
from monitoring.doors import transfers_of
from monitoring.models import Transfer
from monitoring.rules.errors import InputError
from monitoring.transfer_forms import AcceptTransferForm, DeclineTransferForm
from monitoring.views.finding import address_of, staff_of
from monitoring.views.stale import StaleError, basis_of, changed, unchanged
from monitoring.views.transfer_words import before_accepting, row_of
from monitoring.views.two_steps import confirmed, typed
from patients import audit
from patients.access import clinics_of


@login_required
def transfer(request: HttpRequest, transfer_id: int) -> HttpResponse:
    """The request; reading who it is about is noted in the trails of both clinics."""
    found = get_object_or_404(transfers_of(staff_of(request)), pk=transfer_id)
    return _page(request, found, AcceptTransferForm(clinic=found.to_clinic), DeclineTransferForm())


@login_required
@require_POST
def accept(request: HttpRequest, transfer_id: int) -> HttpResponse:
    """Take the patient over: shown first, then done on the verdict that was shown."""
    found = _ours_to_answer(request, transfer_id)
    form = AcceptTransferForm(request.POST, clinic=found.to_clinic)
    if found.state != "requested":
        return _moved_on(request, found)
    if not typed(request, form):
        return _page(request, found, form, DeclineTransferForm())
    if not confirmed(request):
        page = _before(found, form) | {"basis": basis_of(found.treatment, now=timezone.now())}
        return render(request, "monitoring/confirm.html", page)
    now = timezone.now()
    try:
        with unchanged(found.treatment, request.POST, now=now):
            treatment = accept_transfer(
                transfer=found, by=staff_of(request), now=now, ip=address_of(request), **form.cleaned_data
            )
    except StaleError as stale:
        found.refresh_from_db()
        if found.state != "requested":
            return _moved_on(request, found)
        return changed(request, stale, "monitoring/confirm.html", _before(found, form) | {"brief": True})
    except MovedOnError:
        return _moved_on(request, found)
    except InputError as error:
        form.add_error(error.field, error.message)
        return _page(request, found, form, DeclineTransferForm())
    messages.success(request, f"{treatment.patient} is a patient of {treatment.clinic} now.")
    return redirect("patient", treatment.patient_id)


@login_required
@require_POST
def decline(request: HttpRequest, transfer_id: int) -> HttpResponse:
    """Leave the patient where they are, with a reason that the sender reads."""
    found = _ours_to_answer(request, transfer_id)
    form = DeclineTransferForm(request.POST)
    if found.state != "requested":
        return _moved_on(request, found)
    if not form.is_valid():
        return _page(request, found, AcceptTransferForm(clinic=found.to_clinic), form)
    try:
        decline_transfer(
            transfer=found, by=staff_of(request), now=timezone.now(), ip=address_of(request), **form.cleaned_data
        )
    except MovedOnError:
        return _moved_on(request, found)
    else:
        messages.success(request, f"Declined. {found.from_clinic} has an alert with your reason.")
    return redirect("transfers")


@login_required
@require_POST
def withdraw(request: HttpRequest, transfer_id: int) -> HttpResponse:
    """The sender asks no longer."""
    found = get_object_or_404(transfers_of(staff_of(request)), pk=transfer_id)
    if found.from_clinic not in clinics_of(staff_of(request), "transfer"):
        raise Http404
    try:
        withdraw_transfer(transfer=found, by=staff_of(request), now=timezone.now(), ip=address_of(request))
    except MovedOnError:
        return _moved_on(request, found)
    else:
        messages.success(request, "Withdrawn. The patient stays here.")
    return redirect("transfers")


def _ours_to_answer(request: HttpRequest, transfer_id: int) -> Transfer:
    """A transfer to a clinic of this person."""
    found = get_object_or_404(transfers_of(staff_of(request)), pk=transfer_id)
    if found.to_clinic not in clinics_of(staff_of(request), "transfer"):
        raise Http404
    return found


def _moved_on(request: HttpRequest, found: Transfer) -> HttpResponse:
    found.refresh_from_db()
    messages.error(request, f"Not done: the transfer was {found.state} already.")
    return redirect("transfer", found.pk)


def _before(found: Transfer, form: AcceptTransferForm) -> dict[str, object]:
    """What accepting will do, for the confirming page."""
    treatment, clinician = found.treatment, form.cleaned_data["clinician"]
    judgement = preview_move(treatment, clinic=found.to_clinic, now=timezone.now())
    return {
        "title": f"Take over {treatment.patient}?",
        "patient": treatment.patient,
        "form": form,
        "consequences": before_accepting(
            found,
            judgement,
            clinician=str(clinician or ""),
            mrn=form.cleaned_data["new_mrn"],
            alerts=treatment.alerts.standing().exclude(cause="transfer").count(),
            protocol=treatment.protocol.title,
        ),
        "go_on": "Take the patient over",
        "back": reverse("transfer", args=[found.pk]),
    }


def _page(
    request: HttpRequest, found: Transfer, accepting: AcceptTransferForm, declining: DeclineTransferForm
) -> HttpResponse:
    staff, now = staff_of(request), timezone.now()
    mine = {clinic.pk: clinic for clinic in clinics_of(staff, "transfer")}
    row, waits = row_of(found, mine, now=now), found.state == "requested"
    if row.named and found.treatment.clinic_id in mine:
        audit.opened(found.treatment.patient, by=staff, now=now, ip=address_of(request))
    elif row.named:
        note_looked_at(found, by=staff, now=now, ip=address_of(request))
    page = {
        "row": row,
        "transfer": found,
        "patient": found.treatment.patient,
        "advice": ADVICE_IN_WORDS.get(found.treatment.advice, "none yet"),
        "zone": (mine.get(found.to_clinic_id) or mine[found.from_clinic_id]).zone,
        "accepting": accepting if waits and row.receives else None,
        "declining": declining,
        "may_withdraw": waits and row.sends,
        "theirs": found.treatment.clinic_id in mine,
    }
    return render(request, "monitoring/transfer.html", page)
