"""Starting, changing the dose, interrupting, restarting, stopping."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, ClassVar

from django import forms

from monitoring.actions.deciding import end_doses, give_dose
from monitoring.actions.judging import judge_now, known_of
from monitoring.actions.rehearsing import Outlook
from monitoring.actions.treating import advice_against
from monitoring.alerts import ADVICE_IN_WORDS
from monitoring.rules.breaks import Break, break_until, phases_from
from monitoring.rules.history import Event, EventKind, instant_of
from monitoring.rules.open_break import would_be_waived
from monitoring.rules.reasons import IN_WORDS
from monitoring.views.acts.form import MomentForm, Note, day_in_words, prescribers_of, reason_field
from patients.access import may
from patients.models import Staff

FIRST_DAY = "Day 1: 12.5 mg once or twice. Then 25 to 50 mg more a day, to 300 to 450 mg by the end of week 2."
NOT_THE_FORMER_DOSE = (
    "48 hours or more without a dose ({since}): begin again with 12.5 mg once or twice a day."
    " The former dose at once can cause collapse, low blood pressure and cardiac arrest."
)


WAIVED = "After so long without a low count this protocol lets tests go on as before, however long the break."


def waived(form: MomentForm, last: Event) -> bool:
    """Whether this person's history outweighs a break since that dose."""
    known = known_of(form.treatment, list(form.treatment.every_result()))
    return would_be_waived(known.final, form.treatment.protocol, last, form.now)


def phases_in_words(form: MomentForm, at: datetime | date) -> str:
    """The schedule of a new patient from that day, with its dates."""
    on = instant_of(at, form.zone).astimezone(form.zone).date()
    parts = [
        f"{IN_WORDS[frequency]} until {day_in_words(until)}" if until else f"then {IN_WORDS[frequency]}"
        for frequency, until in phases_from(on, form.treatment.protocol)
    ]
    return f"Tests while all is normal: {', '.join(parts)}."


class DoseGivenForm(MomentForm):
    """A first dose or a restart, which may go against the advice."""

    kind: ClassVar[EventKind]

    decided_by = forms.ChoiceField(
        label="Prescriber who decided", required=False, help_text="Needed only when the advice is against it."
    )
    reason = reason_field(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["decided_by"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  # it is declared as one above
        field.choices = prescribers_of(self.treatment)

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """Record the dose."""
        chosen = self.cleaned_data["decided_by"]
        return give_dose(
            treatment=self.treatment,
            kind=self.kind,
            at=self.at,
            reason=self.cleaned_data["reason"],
            decided_by=Staff.objects.get(pk=chosen) if chosen else None,
            by=by,
            now=now,
            ip=ip,
        )

    def begin_with(self) -> dict[str, Any]:
        """A prescriber who types has probably decided."""
        decides = may(self.staff, "override_advice", self.treatment.clinic_id)
        return super().begin_with() | ({"decided_by": str(self.staff.pk)} if decides else {})

    def beforehand(self) -> Iterable[Note]:
        """The same as later, for now or for the moment that was typed."""
        at = self.cleaned_data.get("at") if self.is_bound else None
        return self.said(at if at and instant_of(at, self.zone) <= self.now else self.now)

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """The advice, the dose, the tests."""
        return self.said(self.at)

    def said(self, at: datetime | date) -> Iterable[Note]:
        """What a dose at that moment means."""
        if found := advice_against(self.treatment, at=at, now=self.now):
            text = (
                f"This goes against the advice: {ADVICE_IN_WORDS[found].lower()}."
                " It is recorded with who decided and why, and an alert is raised at once."
            )
            yield Note("stop", text)


class StartForm(DoseGivenForm):
    """The first dose."""

    title = "Start treatment"
    lead = "Record the first dose of clozapine. All tests are counted from its day."
    button, done, kind = "Record the first dose", "The first dose is recorded.", "first_dose"

    def said(self, at: datetime | date) -> Iterable[Note]:
        """Against the advice or not; the dose; the tests."""
        yield from super().said(at)
        yield Note("warn", FIRST_DAY)
        yield Note("fact", phases_in_words(self, at))


class RestartForm(DoseGivenForm):
    """Doses again after a break."""

    title = "Restart treatment"
    lead = "Record the first dose after a break."
    button, done, kind = "Record the restart", "The restart is recorded.", "restart"

    def said(self, at: datetime | date) -> Iterable[Note]:
        """The two clocks of a break, with their dates."""
        yield from super().said(at)
        last = self.last_dose(at)
        if last is None:
            yield Note("warn", "No last dose is recorded before this. If there was a break, record it first.")
            return
        found = break_until(last, at, self.treatment.protocol, self.zone, waived=waived(self, last))
        yield Note("fact", f"Last dose {self.say(last.at)}: {_days(found.days)} off treatment.")
        yield self._dose(found)
        yield self._tests(found, at)

    def _dose(self, found: Break) -> Note:
        hours = self.treatment.protocol.breaks.retitrate_hours
        if found.rebuild:
            return Note("stop", NOT_THE_FORMER_DOSE.format(since=f"since {self.say(found.from_12_5)}"))
        return Note(
            "calm", f"Less than {hours} hours: the dose may go on. From {self.say(found.from_12_5)} it may not."
        )

    def _tests(self, found: Break, at: datetime | date) -> Note:
        days = self.treatment.protocol.breaks.as_new_days
        if self._approved():
            return Note("warn", f"An approved rechallenge is monitored as a new patient. {phases_in_words(self, at)}")
        if found.as_new:
            text = (
                f"{_days(found.days)} off, {days} or more since {day_in_words(found.as_new_on)}: monitored as a new"
                f" patient, with a fresh baseline before the restart. {phases_in_words(self, at)}"
            )
            return Note("warn", text)
        if found.waived:
            return Note("calm", WAIVED)
        if found.extra_weekly:
            weeks = self.treatment.protocol.breaks.extra_weekly_weeks
            return Note("warn", f"After this break tests are taken every week for {weeks} weeks.")
        text = (
            f"Fewer than {days} days off: tests go on as before."
            f" From {day_in_words(found.as_new_on)} on a restart would be as a new patient."
        )
        return Note("calm", text)

    def _approved(self) -> bool:
        judgement = judge_now(self.treatment, list(self.treatment.every_result()), now=self.now)
        return any(reason.rule.startswith("rechallenge.") for reason in judgement.reasons)


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


class InterruptForm(MomentForm):
    """Doses paused."""

    title = "Interrupt treatment"
    lead = "Record the last dose that was taken. The two clocks of a break run from it."
    button, done, starts_now = "Record the interruption", "The interruption is recorded.", False
    reason = reason_field()
    field_order = ["on", "time", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].label, self.fields["time"].label = "Date of the last dose", "Time of the last dose"

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """Record the last dose."""
        return end_doses(
            treatment=self.treatment, at=self.at, reason=self.cleaned_data["reason"], by=by, now=now, ip=ip
        )

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """What a restart would mean, and from when."""
        last = Event("last_dose", self.at)
        found = break_until(last, self.now, self.treatment.protocol, self.zone, waived=waived(self, last))
        begun = "Since" if found.rebuild else "From"
        yield Note("warn", f"{begun} {self.say(found.from_12_5)} a restart begins with 12.5 mg (48 hours off).")
        if found.waived:
            yield Note("calm", WAIVED)
            return
        begun = "Since" if found.as_new else "From"
        days = self.treatment.protocol.breaks.as_new_days
        yield Note("warn", f"{begun} {day_in_words(found.as_new_on)} a restart is as a new patient ({days} days off).")


class StopForm(InterruptForm):
    """No doses any more."""

    title = "Stop for good"
    lead = "Record the last dose and why clozapine is stopped for good. A pause is an interruption, not this."
    button, done = "Record that it is stopped", "It is recorded that treatment is stopped."

    def begin_with(self) -> dict[str, Any]:
        """The last dose of the break that is open already."""
        last = self.last_dose()
        if last is None:
            return {}
        local = instant_of(last.at, self.zone).astimezone(self.zone)
        return {"on": local.date(), "time": local.time() if isinstance(last.at, datetime) else None}

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """Record the last dose, for good."""
        return end_doses(
            treatment=self.treatment, at=self.at, reason=self.cleaned_data["reason"], stop=True, by=by, now=now, ip=ip
        )

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """The tests that are still owed."""
        after = outlook.after
        if after.due_on is None:
            yield Note("calm", "No test is owed any more.")
        else:
            text = f"Tests are still owed: {IN_WORDS[after.frequency]}, the next on {day_in_words(after.due_on)}."
            yield Note("warn", f"{text} They end with the count that the rules ask for, not today.")
        yield Note("warn", "A planned stop is tapered over 1 to 2 weeks. Watch for cholinergic rebound and relapse.")
        days = self.treatment.protocol.fever.days_after_last_dose
        yield Note("warn", f"Fever of 38.5 °C or more within {days} days of the last dose: ANC now.")
