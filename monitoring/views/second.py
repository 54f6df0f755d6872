"""A second person signs in beside the first, for one entry: their own password, at that moment, and no session."""

from datetime import datetime

from django.contrib.auth import authenticate
from django.http import HttpRequest

from monitoring.forms import AnswersForm
from monitoring.views.finding import address_of
from patients import audit
from patients.access import colleagues_of
from patients.models import Patient, Staff


def sign_second(form: AnswersForm, *, request: HttpRequest, patient: Patient, by: Staff, now: datetime) -> bool:
    """Whether nobody was named, or whoever was has typed their password; else the form says why not. Audited."""
    named, password = form.cleaned_data["second"], form.cleaned_data["second_password"]
    if named is None:
        return True
    person = colleagues_of(by, patient.clinic_id).filter(pk=named).first()
    if person is None or not password:
        form.second_refusal = (
            f"{person or 'The second person'} has to type their own password here; to be named is not enough."
        )
        return False
    # The same door as at the sign-in, so the same lock falls shut after too many wrong ones.
    signed = authenticate(request, username=person.get_username(), password=password)
    form.second_signed = signed is not None and signed.pk == person.pk
    if not form.second_signed:
        form.second_refusal = f"{person} is not signed: {_why_not(request)}"
    audit.record(
        "second_signed" if form.second_signed else "second_refused", by=by, now=now, clinic_id=patient.clinic_id,
        patient_id=patient.pk, subject=f"staff:{person.pk}", ip=address_of(request),
    )  # fmt: skip
    return form.second_signed


def _why_not(request: HttpRequest) -> str:
    if not getattr(request, "axes_locked_out", False):
        return "the password is wrong. Nothing was saved."
    # This page is the first person's and stays open; only the second one is locked out for a while.
    request.axes_locked_out = False  # type: ignore[attr-defined]  # set by axes
    return "too many wrong passwords. Wait a quarter of an hour, or give the number of the report. Nothing was saved."
