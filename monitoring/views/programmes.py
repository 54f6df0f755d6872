"""REMS and registry programmes: dated records, how each requirement stands, and what would have been said on a day."""

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from monitoring.actions import non_rechallenge as register
from monitoring.actions import programmes, requirements
from monitoring.forms_programme import KeepForm, OnForm, RecordForm, RegisterForm, WordsForm
from monitoring.models import Programme, Treatment
from monitoring.models.programme import OF_CLINIC, OF_PERSON
from monitoring.rules.rems import ERAS, Said
from monitoring.views.finding import address_of, staff_of, treatment_or_404
from patients import audit
from patients.access import may, staff_who_may
from patients.models import Staff


@login_required
def rems(request: HttpRequest, patient_id: int) -> HttpResponse:
    """The programme's records of a patient, and its answer on the day asked about."""
    treatment, now = treatment_or_404(request, patient_id), timezone.now()
    audit.opened(treatment.patient, by=staff_of(request), now=now, ip=address_of(request))
    return _page(request, treatment)


@login_required
@require_POST
def record_programme(request: HttpRequest, patient_id: int) -> HttpResponse:
    """One more dated fact."""
    treatment = treatment_or_404(request, patient_id, "record_programme")
    form = RecordForm(request.POST)
    if not form.is_valid():
        return _page(request, treatment, record_form=form, status=400)
    kind, sent = form.cleaned_data["kind"], form.cleaned_data
    try:
        programmes.record_fact(
            clinic=treatment.clinic,
            programme=sent["programme"],
            kind=kind,
            on=sent["day"],
            treatment=None if kind in OF_PERSON + OF_CLINIC else treatment,
            person=_prescriber(treatment) if kind in OF_PERSON else None,
            code=sent["code"],
            words=sent["words"],
            by=staff_of(request),
            now=timezone.now(),
            ip=address_of(request),
        )
    except ValueError as error:
        form.add_error(None, str(error))
        return _page(request, treatment, record_form=form, status=400)
    messages.success(request, "Recorded.")
    return redirect("rems", patient_id)


def _prescriber(treatment: Treatment) -> Staff:
    if treatment.clinician is None:
        raise ValueError("the patient has no prescriber on record; name one first")
    return treatment.clinician


@login_required
@require_POST
def void_programme(request: HttpRequest, patient_id: int, record_id: int) -> HttpResponse:
    """A record that was wrong."""
    treatment = treatment_or_404(request, patient_id, "record_programme")
    rows = {row.pk: row for programme in Programme.values for row in programmes.records_of(treatment, programme)}
    form = WordsForm(request.POST)
    if record_id not in rows:
        raise Http404
    if form.is_valid():
        programmes.void_fact(
            row=rows[record_id],
            by=staff_of(request),
            now=timezone.now(),
            reason=form.cleaned_data["words"],
            ip=address_of(request),
        )
        messages.success(request, "Taken back.")
    else:
        messages.error(request, "Not taken back: say why.")
    return redirect("rems", patient_id)


@login_required
@require_POST
def non_rechallenge(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Enter, appeal or lift: told apart by the form that was sent. Whoever sees the patient may appeal."""
    verb = "appeal_non_rechallenge" if "appeal" in request.POST else "register_non_rechallenge"
    treatment, now = treatment_or_404(request, patient_id, verb), timezone.now()
    by, ip = staff_of(request), address_of(request)
    entry = treatment.non_rechallenges.filter(ended_at=None).first()
    if entry is None and "appeal" in request.POST:
        messages.error(request, "Not done: the patient is not in the register.")
        return redirect("rems", patient_id)
    keeps = KeepForm if "keep" in request.POST else WordsForm
    form = keeps(request.POST) if entry else RegisterForm(request.POST)
    if not form.is_valid():
        if entry:
            messages.error(request, "Not done: say why, and to keep it give the day on which it is looked at again.")
        return _page(request, treatment, register_form=form if isinstance(form, RegisterForm) else None, status=400)
    try:
        if entry is None:
            register.enter_register(treatment=treatment, by=by, now=now, ip=ip, **form.cleaned_data)
        elif "keep" in request.POST:
            register.keep_entry(entry=entry, by=by, now=now, ip=ip, **form.cleaned_data)
        elif "lift" in request.POST:
            register.end_entry(entry=entry, outcome=form.cleaned_data["words"], by=by, now=now, ip=ip)
        else:
            register.appeal(entry=entry, words=form.cleaned_data["words"], by=by, now=now, ip=ip)
    except ValueError as error:
        messages.error(request, f"Not done: {error}.")
    else:
        messages.success(request, "Done.")
    return redirect("rems", patient_id)


def _page(
    request: HttpRequest,
    treatment: Treatment,
    *,
    status: int = 200,
    record_form: RecordForm | None = None,
    register_form: RegisterForm | None = None,
) -> HttpResponse:
    today = timezone.now().astimezone(treatment.clinic.zone).date()
    asked = OnForm(request.GET or None)
    said, refusal = _said(treatment, asked)
    on = asked.cleaned_data["on"] if asked.is_bound and asked.is_valid() else today
    staff = staff_of(request)
    page = {
        "patient": treatment.patient,
        "treatment": treatment,
        "asked": asked,
        "on": on,
        "today": today,
        "of_rems": requirements.of_rems(treatment, on),
        "of_clinic": requirements.of_clinic(treatment, on),
        "rems_day": min(on, requirements.LAST_DAY),
        "said": said,
        "refusal": refusal,
        "eras": ERAS,
        "records": [row for programme in Programme.values for row in programmes.records_of(treatment, programme)],
        "entries": treatment.non_rechallenges.select_related("entered_by", "ended_by", "appealed_by").order_by("-pk"),
        "entered": treatment.non_rechallenges.filter(ended_at=None).exists(),
        "record_form": record_form or RecordForm(initial={"day": today}),
        "register_form": register_form or RegisterForm(initial={"review_on": today + timedelta(days=180)}),
        "may_record": may(staff, "record_programme", treatment.clinic_id),
        "may_lift": list(staff_who_may("register_non_rechallenge", treatment.clinic_id)),
        "may_appeal": may(staff, "appeal_non_rechallenge", treatment.clinic_id),
        "may_sign": may(staff, "sign_status_form", treatment.clinic_id),
        "may_register": may(staff, "register_non_rechallenge", treatment.clinic_id),
    }
    return render(request, "monitoring/programmes/rems.html", page, status=status)


def _said(treatment: Treatment, asked: OnForm) -> tuple[Said | None, str]:
    if not (asked.is_bound and asked.is_valid()):
        return None, ""
    try:
        return programmes.rems_said(treatment, asked.cleaned_data["on"]), ""
    except ValueError as error:
        return None, str(error)
