"""Feeling unwell? Two minutes of questions, an answer in plain words, and staff told at once."""

import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from monitoring.actions.self_checking import record_self_check
from monitoring.rules.errors import InputError
from monitoring.rules.feeling_unwell import COLDEST, HOTTEST, MOST_DAYS, Answers
from monitoring.views.acts.deciding import celsius
from monitoring.views.finding import address_of
from monitoring.views.own.door import Guest, own_page, shown

TICKED = ("chest_pain", "fast_heart", "fever", "sore_throat", "weak", "constipated", "belly")


class UnwellForm(forms.Form):
    """What to tick, the most urgent first."""

    chest_pain = forms.BooleanField(label=_("My chest hurts, or it is hard to breathe"), required=False)
    fast_heart = forms.BooleanField(label=_("My heart beats very fast or hard, even when I rest"), required=False)
    fever = forms.BooleanField(label=_("I feel hot, or I have a fever"), required=False)
    temperature = forms.DecimalField(
        label=_("If you measured it: how high?"), required=False, max_digits=4, decimal_places=1,
        widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip
    sore_throat = forms.BooleanField(label=_("My throat hurts, or my mouth is sore"), required=False)
    weak = forms.BooleanField(label=_("I feel very weak or very tired"), required=False)
    constipated = forms.BooleanField(label=_("I could not go to the toilet for more than 3 days"), required=False)
    belly = forms.BooleanField(label=_("My belly hurts a lot, is swollen, or I throw up"), required=False)
    smoking = forms.ChoiceField(
        label=_("Has your smoking changed?"), required=False, widget=forms.RadioSelect,
        choices=[
            ("", _("No")),
            ("stopped", _("I stopped, or smoke much less")),
            ("started", _("I started, or smoke much more")),
        ],
    )  # fmt: skip
    missed_days = forms.IntegerField(
        label=_("How many days in a row did you miss your tablets?"), required=False, min_value=0, max_value=MOST_DAYS,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        help_text=_("Leave it empty for none."),
    )  # fmt: skip
    entry = forms.UUIDField(widget=forms.HiddenInput)

    def clean_temperature(self) -> Any:
        """In °C; what was typed in °F can be told apart, because no body is that warm in °C."""
        typed = self.cleaned_data["temperature"]
        if typed is None or COLDEST <= typed <= HOTTEST:
            return typed
        if 93 <= typed <= 110:
            return celsius(typed)
        raise forms.ValidationError(_("Please look again. Write it such as 38.6 or 101.5."))

    def answers(self) -> Answers:
        """As the rules read them."""
        given = self.cleaned_data
        return Answers(
            **{name: given[name] for name in TICKED}, celsius=given["temperature"], smoking=given["smoking"],
            missed_days=given["missed_days"] or 0,
        )  # fmt: skip


@own_page
def own_unwell(request: HttpRequest, guest: Guest) -> HttpResponse:
    """GET asks; POST keeps the answers, tells staff where they must know, and says what to do."""
    form = UnwellForm(
        request.POST if request.method == "POST" else None, initial={"entry": uuid.uuid4(), "smoking": ""}
    )
    if request.method != "POST" or not form.is_valid():
        return shown(request, guest, "unwell", form=form)
    try:
        found = record_self_check(
            treatment=guest.treatment, answers=form.answers(), entry=form.cleaned_data["entry"], now=guest.now,
            carer=guest.person.carer, ip=address_of(request),
        )  # fmt: skip
    except InputError as error:
        form.add_error("missed_days" if error.field == "missed_days" else "temperature", error.message)
        return shown(request, guest, "unwell", form=form)
    return shown(
        request, guest, "unwell_answer", codes=[row.code for row in found], test=any(row.test_today for row in found),
        emergency=any(row.emergency for row in found),
    )  # fmt: skip


def ask_again(request: HttpRequest, guest: Guest, said: Mapping[str, str]) -> HttpResponse:
    """Answers that came after the page had closed, ticked as they were: the press that sends them is theirs."""
    return shown(request, guest, "unwell", form=UnwellForm(said), unsent=True)
