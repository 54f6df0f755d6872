"""Another daily dose, with what has to be watched."""

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import ClassVar

from django import forms

from monitoring.actions.rehearsing import Outlook
from monitoring.actions.treating import record_dose
from monitoring.forms import NUMBER
from monitoring.models import DoseChange
from monitoring.models.treatment import standing_doses
from monitoring.rules.breaks import break_until
from monitoring.rules.dose import SOURCE, Circumstances, Dose, dose_warnings
from monitoring.rules.history import Event, instant_of
from monitoring.rules.plausible import dosing
from monitoring.views.acts.form import MomentForm, Note, reason_field
from patients.models import Staff


class DoseForm(MomentForm):
    """Another daily dose."""

    verb = "record_dose"
    title = "Change the dose"
    lead = f"The total of a day, in milligrams. Warnings do not stop you: the prescriber decides. Source: {SOURCE}."
    button, done, judged = "Record this dose", "The dose is recorded.", False

    daily_mg = forms.DecimalField(
        label="Daily dose",
        max_digits=6,
        decimal_places=1,
        widget=forms.TextInput(NUMBER),
        help_text="mg a day, in all.",
    )
    cyp1a2_inhibitor = forms.BooleanField(
        label="Takes a strong CYP1A2 inhibitor (fluvoxamine, ciprofloxacin, enoxacin)", required=False
    )
    cyp3a4_inducer = forms.BooleanField(
        label="Takes a strong CYP3A4 inducer (carbamazepine, phenytoin, rifampicin, St John's wort)", required=False
    )
    stops_smoking = forms.BooleanField(label="Has stopped smoking", required=False)
    starts_smoking = forms.BooleanField(label="Has begun to smoke", required=False)
    reason = reason_field(required=False)
    field_order = ["daily_mg", "on", "time"]
    CHANGES: ClassVar = {
        "cyp1a2_inhibitor": "strong CYP1A2 inhibitor",
        "cyp3a4_inducer": "strong CYP3A4 inducer",
        "stops_smoking": "stopped smoking",
        "starts_smoking": "began to smoke",
    }

    @property
    def begins(self) -> datetime:
        """The moment from which the dose is given; a date without a time begins at midnight."""
        if isinstance(self.at, datetime):
            return self.at
        return datetime.combine(self.at, time(), self.zone)

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """Record the dose with the circumstances in words."""
        said = [words for name, words in self.CHANGES.items() if self.cleaned_data[name]]
        reason = " ".join(
            part for part in (self.cleaned_data["reason"].strip(), f"({', '.join(said)})" * bool(said)) if part
        )
        return record_dose(
            treatment=self.treatment,
            daily_mg=self.cleaned_data["daily_mg"],
            at=self.begins,
            reason=reason,
            by=by,
            now=now,
            ip=ip,
        )

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """The dose before, and the warnings."""
        earlier = [Dose(row.at.astimezone(self.zone).date(), row.daily_mg) for row in self._rows()]
        before = earlier[-1].mg if earlier else None
        now_is = self.cleaned_data["daily_mg"]
        was = f"{before.normalize():f} mg" if before is not None else "none recorded"
        yield Note("fact", f"Daily dose: {was} → {now_is.normalize():f} mg from {self.say(self.at)}.")
        around = Circumstances(
            off_treatment=self.last_dose(self.at) is not None,
            **{name: self.cleaned_data[name] for name in self.CHANGES},
        )
        for text in dose_warnings(
            Dose(self.at_on, now_is), earlier=earlier, built_up_from=built_up_from(self), around=around
        ):
            yield Note("warn", text)

    def _rows(self) -> list[DoseChange]:
        rows: list[DoseChange] = standing_doses(self.treatment.every_dose())
        return [row for row in rows if row.at < self.begins]


def built_up_from(form: MomentForm) -> date | None:
    """The day from which the dose is built up: the first dose, or a restart after so long that it begins anew."""
    found: date | None = None
    last: Event | None = None
    for event in dosing(form.events(), form.zone):
        on = instant_of(event.at, form.zone).astimezone(form.zone).date()
        if on > form.at_on:
            break
        if event.kind == "first_dose":
            found = found or on
        elif event.kind == "last_dose":
            last = event
        elif last is not None:
            found = on if break_until(last, event.at, form.treatment.protocol, form.zone).rebuild else found
            last = None
    return found
