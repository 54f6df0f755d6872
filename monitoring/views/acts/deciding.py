"""BEN by two people, hospice, rechallenge, fever, the protocol."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django import forms
from django.shortcuts import get_object_or_404

from monitoring.actions.ben import answer_ben, baseline_of, propose_ben
from monitoring.actions.deciding import agree_hospice, approve_rechallenge, change_protocol
from monitoring.actions.rehearsing import Outlook
from monitoring.actions.treating import record_event
from monitoring.alerts import ADVICE_IN_WORDS
from monitoring.forms import NUMBER
from monitoring.models import Result, Treatment
from monitoring.rules.assess import assess
from monitoring.rules.errors import InputError
from monitoring.rules.history import History
from monitoring.rules.protocol import Table
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.reasons import IN_WORDS
from monitoring.rules.units import plain
from monitoring.views.acts.form import ActForm, Choice, MomentForm, Note, reason_field
from monitoring.views.acts.mending import result_in_words, standing_results
from patients.models import Staff

SHOWN_BASELINES = 12


def thresholds(table: Table) -> str:
    """The bands of a table in words, a line each: 1500 or more: normal, continue."""
    found, above = [], None
    for band in table.bands:
        limits = f"{band.floor.anc} or more" if band.floor and above is None else ""
        if above is not None:
            limits = f"{band.floor.anc} to below {above}" if band.floor else f"below {above}"
        found.append(f"{limits}: {band.name}, {band.treatment}")
        above = band.floor.anc if band.floor else above
    return "\n".join(found)


def ben_words(treatment: Treatment, baseline: Decimal | None, now: datetime) -> Iterable[Note]:
    """Which thresholds BEN would change, and what today's advice would become."""
    tables, history = treatment.protocol.tables, treatment.history()
    yield Note("fact", f"Thresholds now, ANC /uL\n{thresholds(tables['general'])}")
    if "ben" not in tables:
        yield Note("stop", f"{treatment.protocol.title} has no thresholds for BEN: change the protocol first.")
        return
    yield Note("warn", f"Thresholds with BEN, ANC /uL\n{thresholds(tables['ben'])}")
    known = f"{plain(baseline)} /uL, the lower of the two" if baseline else "none, because one lies below 1000 /uL"
    yield Note("fact", f"Documented baseline: {known}.")
    entries = [entry for _, entry in history.timeline]
    ben = History(time_zone=history.time_zone, population="ben", baseline_anc=baseline, events=entries)
    today = assess(history, treatment.protocol, now)
    then = assess(ben, treatment.protocol, now)
    yield Note(
        "fact" if then.treatment == today.treatment else "stop",
        f"Today's advice once confirmed: {ADVICE_IN_WORDS[today.treatment].lower()} →"
        f" {ADVICE_IN_WORDS[then.treatment].lower()}; tests {IN_WORDS[today.frequency]} → {IN_WORDS[then.frequency]}.",
    )


class BenForm(ActForm):
    """One person documents BEN."""

    verb = "document_ben"
    title = "Document benign ethnic neutropenia (BEN)"
    lead = "Also called DANC or Duffy-null. Nothing changes until a second person, a prescriber, has confirmed it."
    button, done = "Document BEN and ask for the second person", "BEN is documented and waits for a second person."

    baselines = forms.MultipleChoiceField(
        label="Two baselines, drawn on different dates", widget=forms.CheckboxSelectMultiple
    )
    evidence = reason_field("Evidence", help_text="Such as the Duffy-null phenotype: where, when and by whom found.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = {str(row.pk): row for row in self._possible()}
        field = self.fields["baselines"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101  # it is declared as one above
        field.choices = [(pk, result_in_words(row, self.treatment)) for pk, row in self.rows.items()]
        if len(self.rows) < 2:
            field.help_text = "There are not two final counts yet. Log them first."

    def _possible(self) -> list[Result]:
        """Baselines come from before treatment; those are offered first, the oldest of all."""
        return standing_results(self.treatment)[::-1][:SHOWN_BASELINES]

    def chosen(self) -> list[Result]:
        """The results that were ticked, in the order of their draw."""
        ticked: Sequence[str] = self.cleaned_data["baselines"]
        return [row for pk, row in self.rows.items() if pk in ticked]

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """Write the proposal."""
        evidence = self.cleaned_data["evidence"]
        return propose_ben(treatment=self.treatment, baselines=self.chosen(), evidence=evidence, by=by, now=now, ip=ip)

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """What it will mean, once confirmed."""
        first = next((event for event in self.events() if event.kind == "first_dose"), None)
        began = first.at if first else None
        if isinstance(began, datetime) and any(row.drawn_at >= began for row in self.chosen()):
            yield Note("stop", "A chosen count was drawn on clozapine: a low one may come from the drug, not from BEN.")
        baseline = baseline_of(self.chosen(), self.treatment)
        usual = self.treatment.protocol.tables["general"].bands[0].floor
        if baseline is not None and usual is not None and baseline >= usual.anc:
            text = f"Both baselines are {usual.anc} /uL or more, as without BEN. Its thresholds would only be laxer."
            yield Note("stop", text)
        yield from ben_words(self.treatment, baseline, self.now)


class ConfirmBenForm(ActForm):
    """A second person answers."""

    verb = "confirm_ben"
    title = "Confirm or decline BEN"
    lead = "Read the evidence and look at the baselines yourself. You are the second person."
    button, done = "Give this answer", "Your answer is recorded."
    chooses = "Which documented BEN?"

    reply = forms.ChoiceField(label="Answer", choices=[("yes", "Confirm"), ("no", "Decline")], widget=forms.RadioSelect)
    answer = reason_field("Note", required=False, help_text="Needed when you decline.")

    @classmethod
    def choices(cls, treatment: Treatment) -> Sequence[Choice]:
        """What waits."""
        rows = treatment.ben_proposals.filter(answered_at=None).select_related("documented_by")
        return [Choice(row.pk, f"{row.documented_by}: {row.evidence}") for row in rows]

    def find(self, subject: str) -> Any:
        """A proposal of this patient; an answered one too, so that twice is once."""
        rows = self.treatment.ben_proposals.select_related("documented_by")
        return get_object_or_404(rows, pk=subject if subject.isdecimal() else 0)

    @property
    def about(self) -> str:
        """Who documented what."""
        on = self.subject.documented_at.astimezone(self.zone)
        return f"Documented by {self.subject.documented_by} on {on:%Y-%m-%d %H:%M}. {self.subject.evidence}"

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """Record the answer."""
        told = {"confirm": self.cleaned_data["reply"] == "yes", "answer": self.cleaned_data["answer"]}
        return answer_ben(proposal=self.subject, by=by, now=now, ip=ip, **told)

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """Which thresholds change, or that none does."""
        if self.cleaned_data["reply"] == "yes":
            yield from ben_words(self.treatment, self.subject.baseline_anc, self.now)
        else:
            yield Note("calm", "Nothing changes: the general thresholds go on holding.")


class HospiceForm(MomentForm):
    """Fewer tests at the end of life."""

    verb = "agree_hospice"
    title = "Agree hospice monitoring"
    lead = "For a prognosis of 6 months or less, after the discussion with patient and carer."
    button, done = "Record the agreement", "Hospice monitoring is agreed."
    reason = reason_field("With whom it was discussed, and what was agreed")
    field_order = ["on", "time", "reason"]

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """Record the agreement."""
        reason = self.cleaned_data["reason"]
        return agree_hospice(treatment=self.treatment, at=self.at, reason=reason, by=by, now=now, ip=ip)

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """A low count overrides it."""
        source = self.treatment.protocol.source("hospice").cite()
        yield Note("warn", f"A count below normal overrides this and asks for its own tests. {source}.")


class RechallengeForm(MomentForm):
    """Benefit over risk, after severe neutropenia."""

    verb = "approve_rechallenge"
    title = "Approve a rechallenge"
    lead = "Only after severe neutropenia: you document that for this patient the benefit outweighs the risk."
    button, done = "Approve the rechallenge", "The rechallenge is approved."
    reason = reason_field("Why the benefit outweighs the risk")
    field_order = ["on", "time", "reason"]

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """Record the approval."""
        reason = self.cleaned_data["reason"]
        return approve_rechallenge(treatment=self.treatment, at=self.at, reason=reason, by=by, now=now, ip=ip)

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """What comes next."""
        text = "The patient had severe neutropenia on clozapine. It can come back, sooner and deeper than before."
        yield Note("stop", text)
        yield Note("warn", "The first restart after this begins all tests anew, every week, as for a new patient.")
        if outlook.after.treatment != "may_start":
            yield Note("warn", "The ANC has not recovered far enough yet: do not start before it has.")


SYMPTOMS = (
    ("weakness", "Weakness"),
    ("lethargy", "Lethargy"),
    ("sore throat", "Sore throat"),
    ("chills", "Chills"),
    ("cough", "Cough"),
    ("mouth sores", "Mouth sores"),
)


class FeverForm(MomentForm):
    """A temperature and what goes with it."""

    title = "Report fever or signs of infection"
    lead = "38.5 °C (101.3 °F) or more on clozapine asks for a count the same day."
    button, done = "Record it", "The fever is recorded."

    temperature = forms.DecimalField(
        label="Temperature", max_digits=4, decimal_places=1, widget=forms.TextInput(NUMBER), help_text="Such as 38.6."
    )
    unit = forms.ChoiceField(label="Unit", choices=[("C", "°C"), ("F", "°F")], widget=forms.RadioSelect)
    symptoms = forms.MultipleChoiceField(
        label="Symptoms", choices=SYMPTOMS, required=False, widget=forms.CheckboxSelectMultiple
    )
    reason = reason_field("Note", required=False)
    field_order = ["temperature", "unit", "on", "time", "symptoms", "reason"]

    def clean(self) -> dict[str, Any]:
        """The temperature in °C; a number that belongs to the other unit is stopped with what was probably meant."""
        super().clean()
        typed, unit = self.cleaned_data.get("temperature"), self.cleaned_data.get("unit")
        if typed is not None and unit:
            if unit == "C" and 90 <= typed <= 112:
                raise forms.ValidationError({"unit": f"{typed} °C is not possible; probably {typed} °F was meant."})
            if unit == "F" and 32 <= typed <= 44:
                raise forms.ValidationError({"unit": f"{typed} °F is hardly possible; probably {typed} °C was meant."})
            self.cleaned_data["celsius"] = typed if unit == "C" else celsius(typed)
        return self.cleaned_data

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """Record the fever with its symptoms in words."""
        said = [", ".join(self.cleaned_data["symptoms"]).capitalize(), self.cleaned_data["reason"].strip()]
        try:
            return record_event(
                treatment=self.treatment, kind="fever", at=self.at, celsius=self.cleaned_data["celsius"],
                reason=". ".join(part for part in said if part), by=by, now=now, ip=ip,
            )  # fmt: skip
        except InputError as error:
            raise InputError("temperature" if error.field == "celsius" else error.field, error.message) from error

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """What the rules make of it."""
        heat = self.cleaned_data["celsius"]
        if self.cleaned_data["unit"] == "F":
            yield Note("fact", f"{self.cleaned_data['temperature']} °F is {heat} °C.")
        if "anc_now" in outlook.after.actions:
            yield Note("stop", "Take an ANC today and look for an infection; do not wait for the next planned test.")
        elif heat < self.treatment.protocol.fever.celsius:
            text = f"Below {self.treatment.protocol.fever.celsius} °C the rules ask for nothing by themselves."
            yield Note("warn", f"{text} Signs of infection on clozapine are a reason to think of an ANC.")


def celsius(fahrenheit: Decimal) -> Decimal:
    """To a tenth of a degree; 101.3 °F is 38.5 °C."""
    return ((fahrenheit - 32) * 5 / 9).quantize(Decimal("0.1"), ROUND_HALF_UP)


class ProtocolForm(ActForm):
    """Another protocol."""

    verb = "change_protocol"
    title = "Change the protocol"
    lead = "From now on this patient is judged by it. What was said before stays as it was said."
    button, done = "Change the protocol", "The protocol is changed."
    protocol_key = forms.ChoiceField(
        label="Protocol",
        choices=[
            (key, f"{one.title}{f' (retired {one.retired_on})' if one.retired_on else ''}")
            for key, one in PROTOCOLS.items()
        ],
    )
    reason = reason_field()

    def begin_with(self) -> dict[str, Any]:
        """The one in force."""
        return {"protocol_key": self.treatment.protocol_key}

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """Change it and judge anew."""
        told = {name: self.cleaned_data[name] for name in ("protocol_key", "reason")}
        return change_protocol(treatment=self.treatment, by=by, now=now, ip=ip, **told)

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """A retired one is said to be retired."""
        chosen = PROTOCOLS[self.cleaned_data["protocol_key"]]
        yield Note("fact", f"{self.treatment.protocol.title} → {chosen.title}.")
        if chosen.retired_on:
            yield Note("stop", f"This protocol was retired on {chosen.retired_on}: it is for replaying history.")
