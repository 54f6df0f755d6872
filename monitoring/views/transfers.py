"""Transfers: those that wait, those that were answered, and asking for one."""

from collections.abc import Mapping

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from monitoring.actions.transferring import MovedOnError, open_transfer, request_transfer
from monitoring.doors import transfers_of
from monitoring.models import Treatment
from monitoring.rules.errors import InputError
from monitoring.rules.reasons import IN_WORDS
from monitoring.transfer_forms import RequestTransferForm
from monitoring.views.finding import address_of, staff_of, treatment_or_404
from monitoring.views.transfer_words import before_asking, row_of
from monitoring.views.two_steps import confirm_page, confirmed, typed
from patients.access import clinics_of

WAITING = 200
ANSWERED = 50
EVERY: Mapping[str, str] = {str(often): words for often, words in IN_WORDS.items()}
OPEN = {"accepted_at": None, "declined_at": None, "withdrawn_at": None}


@login_required
def transfers(request: HttpRequest) -> HttpResponse:
    """Both sides' list: what waits for us, what we wait for, what was answered (`?before=` an id: older ones)."""
    staff, now = staff_of(request), timezone.now()
    mine = {clinic.pk: clinic for clinic in clinics_of(staff, "transfer")}
    if not mine:
        raise Http404
    waiting = [row_of(row, mine, now=now) for row in transfers_of(staff).filter(**OPEN).order_by("pk")[:WAITING]]
    older = transfers_of(staff).exclude(**OPEN).order_by("-pk")
    if (before := request.GET.get("before", "")).isdecimal():
        older = older.filter(pk__lt=min(int(before), 2**62))
    answered = [row_of(row, mine, now=now) for row in older[: ANSWERED + 1]]
    page = {
        "incoming": [row for row in waiting if row.receives],
        "outgoing": [row for row in waiting if row.sends],
        "answered": answered[:ANSWERED],
        "next": answered[ANSWERED - 1].transfer.pk if len(answered) > ANSWERED else None,
        "zone": next(iter(mine.values())).zone,
    }
    return render(request, "monitoring/transfers.html", page)


@login_required
def ask_transfer(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Ask another clinic to take a patient over; the consequences are shown before."""
    treatment = treatment_or_404(request, patient_id, "transfer")
    if (waiting := open_transfer(treatment)) is not None:
        messages.info(request, f"A transfer to {waiting.to_clinic} waits for its answer already.")
        return redirect("transfer", waiting.pk)
    form = RequestTransferForm(request.POST or None, clinic=treatment.clinic)
    if typed(request, form):
        if not confirmed(request):
            return _confirm(request, treatment, form)
        try:
            transfer = request_transfer(
                treatment=treatment, by=staff_of(request), now=timezone.now(), ip=address_of(request),
                **form.cleaned_data,
            )  # fmt: skip
        except InputError as error:
            form.add_error(error.field, error.message)
        except MovedOnError as error:
            messages.error(request, f"Not done: {error}.")
            return redirect("transfers")
        else:
            messages.success(request, f"{transfer.to_clinic} is asked. Until it accepts, nothing changes here.")
            return redirect("transfer", transfer.pk)
    page = {"patient": treatment.patient, "treatment": treatment, "form": form}
    return render(request, "monitoring/ask_transfer.html", page)


def _confirm(request: HttpRequest, treatment: Treatment, form: RequestTransferForm) -> HttpResponse:
    to_clinic = form.cleaned_data["to_clinic"]
    return confirm_page(
        request,
        title=f"Ask {to_clinic} to take over {treatment.patient}?",
        form=form,
        consequences=before_asking(
            str(to_clinic),
            sender=str(treatment.clinic),
            days=treatment.clinic.policy("transfer_answer_days"),
            alerts=treatment.alerts.standing().count(),
            every=EVERY.get(treatment.frequency, "none yet"),
        ),
        go_on=f"Ask {to_clinic}",
        back=reverse("patient", args=[treatment.patient_id]),
        patient=treatment.patient,
    )
