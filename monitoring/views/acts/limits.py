"""Limits agreed for one patient, and their end before the day."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django import forms

from monitoring.actions.judging import judge
from monitoring.actions.limiting import agree_limits, end_limits
from monitoring.actions.rehearsing import Outlook
from monitoring.alerts import ADVICE_IN_WORDS
from monitoring.models.limits import agreement_at
from monitoring.rules.judgement import Judgement
from monitoring.rules.limits import LONGEST_DAYS, LOWEST_WBC, SEVERE_ANC, limits_of
from monitoring.rules.protocol import Floor
from monitoring.rules.reasons import IN_WORDS
from monitoring.views.acts.form import ActForm, Note, day_in_words, reason_field
from patients.models import Staff

WHOLE = {"invalid": "Give whole cells per microlitre: 1200, where a report says 1.2 ×10⁹/L."}


class LimitsForm(ActForm):
    """Where each band begins for this patient, until a day."""

    verb = "agree_limits"
    title = "Agree limits for this patient"
    lead = (
        "Counts are judged by these limits instead of the protocol's own, from now to the end of a day. Then the"
        f" protocol's own hold again by themselves. No limit goes below {SEVERE_ANC} /uL: that is severe for everybody."
    )
    button, done = "Agree these limits", "The limits are agreed."
    until = forms.DateField(label="Last day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    reason = reason_field("Reason, and with whom it was agreed")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = limits_of(self.treatment.table)
        for number, (name, floor) in enumerate(own):
            fixed = floor.anc == SEVERE_ANC
            self.fields[f"anc_{number}"] = forms.IntegerField(
                label=f"{name.capitalize()} from ANC (/uL)",
                disabled=fixed,
                error_messages=WHOLE,
                help_text="Severe below it; this limit never moves." if fixed else f"The protocol's own: {floor.anc}.",
            )
            if floor.wbc is not None:
                self.fields[f"wbc_{number}"] = forms.IntegerField(
                    label=f"{name.capitalize()} from white cells (/uL)",
                    error_messages=WHOLE,
                    help_text=f"The protocol's own: {floor.wbc}; {LOWEST_WBC} at least.",
                )
        self.order_fields([*(name for name in self.fields if name not in ("until", "reason")), "until", "reason"])

    def begin_with(self) -> dict[str, Any]:
        """What is agreed now, else the protocol's own limits; half a year is proposed."""
        agreed = agreement_at(self.treatment, self.now)
        floors = agreed.floors() if agreed else [floor for _, floor in limits_of(self.treatment.table)]
        found: dict[str, Any] = {f"anc_{number}": floor.anc for number, floor in enumerate(floors)}
        found |= {f"wbc_{number}": floor.wbc for number, floor in enumerate(floors)}
        return found | {"until": agreed.until if agreed else self.today + timedelta(days=LONGEST_DAYS // 2)}

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """Agree them and judge anew."""
        given = self.cleaned_data
        floors = [
            Floor(given[f"anc_{number}"], given.get(f"wbc_{number}"), above=floor.above)
            for number, (_, floor) in enumerate(limits_of(self.treatment.table))
        ]
        return agree_limits(
            treatment=self.treatment, floors=floors, until=given["until"], reason=given["reason"], by=by, now=now, ip=ip
        )

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """How long they hold, and what is said once they have ended."""
        ends: date = self.cleaned_data["until"]
        yield Note(
            "warn",
            f"Outside what the protocol allows. They hold until {day_in_words(ends)} and then end by themselves: on the"
            " counts of today the protocol's own limits would then say"
            f" “{ADVICE_IN_WORDS[self._own().treatment]}, tests {IN_WORDS[self._own().frequency]}”.",
        )

    def _own(self) -> Judgement:
        versions = list(self.treatment.every_result())
        return judge(self.treatment, versions, as_of=self.now, protocol=self.treatment.protocol, all_known=True)


class EndLimitsForm(ActForm):
    """The protocol's own limits again."""

    verb = "agree_limits"
    title = "End the agreed limits"
    lead = "The protocol's own limits hold again from now on. What was said until now stays as it was said."
    button, done = "End the agreed limits", "The protocol's own limits hold again."
    reason = reason_field()

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """End them and judge anew."""
        return end_limits(treatment=self.treatment, reason=self.cleaned_data["reason"], by=by, now=now, ip=ip)
