"""One page for every act: GET asks, POST shows what would change, and POST with the word of that saves it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from monitoring.actions.rehearsing import Outlook, rehearse
from monitoring.alerts import ADVICE_IN_WORDS
from monitoring.models import AlertNote, Severity, Treatment
from monitoring.rules.errors import InputError
from monitoring.rules.judgement import Judgement
from monitoring.rules.reasons import IN_WORDS
from monitoring.views.acts.form import FIELD_OF, ActForm, Note, day_in_words
from monitoring.views.acts.table import ACTS, acts_for
from monitoring.views.finding import address_of, staff_of, treatment_or_404
from monitoring.views.words import ACTIONS_IN_WORDS
from patients import audit

MERGED = "This record is merged into another one. Act on the record that is kept."


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert that would be raised or brought up to date."""

    tone: str
    severity: str
    text: str


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a page shows before anything is saved. `seen` stands for all of it: who confirms has seen just this."""

    notes: Sequence[Note]
    rows: Sequence[tuple[str, str, str]]
    """What changes: the judgement's line, as it is, as it would be."""
    advice: str
    alerts: Sequence[Raised]
    changed: Sequence[str]
    known: bool
    seen: str


@login_required
def acts(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Everything that may be done about this patient now."""
    treatment = treatment_or_404(request, patient_id)
    audit.opened(treatment.patient, by=staff_of(request), now=timezone.now(), ip=address_of(request))
    groups = [] if treatment.merged_into_id else acts_for(treatment, staff_of(request))
    return render(request, "monitoring/acts.html", {"patient": treatment.patient, "groups": groups})


@login_required
def act(request: HttpRequest, patient_id: int, name: str) -> HttpResponse:
    """One act about one patient."""
    if (asks := ACTS.get(name)) is None:
        raise Http404
    treatment, now = treatment_or_404(request, patient_id, asks.verb), timezone.now()
    if treatment.merged_into_id:
        messages.error(request, MERGED)
        return redirect("patient", patient_id)
    if request.method != "POST":
        audit.opened(treatment.patient, by=staff_of(request), now=now, ip=address_of(request))
    with timezone.override(treatment.clinic.zone):
        if asks.chooses and not (subject := _subject(request, asks, treatment)):
            return _choose(request, asks, treatment)
        form = asks(
            request.POST if request.method == "POST" else None,
            treatment=treatment,
            staff=staff_of(request),
            now=now,
            subject=subject if asks.chooses else "",
        )
        if request.method == "POST" and form.is_valid():
            return _answer(request, form, now)
        return _page(request, form)


def _choose(request: HttpRequest, asks: type[ActForm], treatment: Treatment) -> HttpResponse:
    said = {"title": asks.title, "lead": asks.lead, "chooses": asks.chooses}
    page = {"patient": treatment.patient, "asks": said, "choices": asks.choices(treatment)}
    return render(request, "monitoring/act_choose.html", page)


def _subject(request: HttpRequest, asks: type[ActForm], treatment: Treatment) -> str:
    """What the act is about: as chosen, or the only thing that it can be about."""
    chosen = request.POST.get("subject") or request.GET.get("subject", "")
    if chosen:
        return chosen
    rows = asks.choices(treatment)
    return rows[0].word if len(rows) == 1 else ""


def _answer(request: HttpRequest, form: ActForm, now: datetime) -> HttpResponse:
    by, ip, word = staff_of(request), address_of(request), request.POST.get("confirm")
    try:
        outlook = rehearse(treatment=form.treatment, perform=lambda: form.perform(by=by, now=now, ip=ip), now=now)
        found = consequences(form, outlook)
        for patient in form.shows():
            audit.opened(patient, by=by, now=now, ip=ip)
        if word and found.known:
            messages.success(request, "This was recorded already. Nothing was done twice.")
            return redirect(form.after, form.treatment.patient_id)
        if word and word == found.seen:
            form.perform(by=by, now=now, ip=ip)
            messages.success(request, form.done)
            return redirect(form.after, form.treatment.patient_id)
    except InputError as error:
        field = FIELD_OF.get(error.field, error.field)
        form.add_error(field if field in form.fields else None, error.message[:1].upper() + error.message[1:])
        return _page(request, form)
    return _page(request, form, found=found, stale=bool(word))


def _page(request: HttpRequest, form: ActForm, **more: object) -> HttpResponse:
    page = {"patient": form.treatment.patient, "treatment": form.treatment, "form": form}
    return render(request, "monitoring/act.html", page | more)


def consequences(form: ActForm, outlook: Outlook) -> Consequences:
    """The outlook in words."""
    notes = list(form.words(outlook))
    before, after = _lines(outlook.before), _lines(outlook.after)
    rows = [(name, before[name], after[name]) for name in before if before[name] != after[name]]
    alerts = [_alert(note, outlook) for note in outlook.alerts if note.verb in ("raised", "worsened", "updated")]
    typed = sorted((name, str(value)) for name, value in form.cleaned_data.items())
    shown = repr((typed, str(form.subject), notes, rows, alerts, outlook.changed))
    return Consequences(
        notes=notes,
        rows=rows if form.judged else [],
        advice=f"{after['Advice']}; tests {after['Tests']}; next test {after['Next test']}",
        alerts=alerts,
        changed=outlook.changed,
        known=outlook.known,
        seen=hashlib.sha256(shown.encode()).hexdigest(),
    )


def _lines(judgement: Judgement) -> dict[str, str]:
    due, late = judgement.due_on, judgement.overdue_after
    return {
        "Advice": ADVICE_IN_WORDS[judgement.treatment],
        "To do": "; ".join(ACTIONS_IN_WORDS[code] for code in judgement.actions) or "nothing else",
        "Tests": IN_WORDS[judgement.frequency],
        "Next test": day_in_words(due) if due else "none is owed",
        "Overdue after": day_in_words(late) if late else "never",
        "Latest ANC": f"{judgement.anc} /uL, {judgement.band}" if judgement.anc else "none",
    }


def _alert(note: AlertNote, outlook: Outlook) -> Raised:
    alert, text = note.alert, note.text
    for sentence in outlook.changed:
        # Said once, under its own heading.
        text = text.replace(f" {sentence}.", "")
    tone = {Severity.SEVERE: "stop", Severity.MODERATE: "warn"}.get(Severity(alert.severity), "")
    words = f"{alert.get_cause_display()}. {text} Owner: {alert.owner or 'on-call'}."
    return Raised(tone, alert.get_severity_display(), words)
