"""What the programme pages may be told."""

from django import forms

from monitoring.models import Programme, RecordKind


class OnForm(forms.Form):
    """The day asked about."""

    on = forms.DateField(label="What would the REMS have said on", widget=forms.DateInput(attrs={"type": "date"}))


class RecordForm(forms.Form):
    """One dated fact."""

    programme = forms.ChoiceField(label="Programme", choices=Programme.choices)
    kind = forms.ChoiceField(label="What happened", choices=[("", "Choose…"), *RecordKind.choices])
    day = forms.DateField(label="On", widget=forms.DateInput(attrs={"type": "date"}))
    code = forms.CharField(label="Code", required=False, max_length=40, help_text="Such as the RDA code.")
    words = forms.CharField(label="Words", required=False, max_length=1000)


class RegisterForm(forms.Form):
    """An entry in the non-rechallenge register."""

    evidence = forms.CharField(label="Evidence", max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))
    other_drugs = forms.CharField(label="Other medicines that may have done it", required=False, max_length=1000)
    confirmed = forms.ChoiceField(
        label="Confirmed by a repeat", choices=[("", "Unknown"), ("yes", "Yes"), ("no", "No")], required=False
    )
    review_on = forms.DateField(label="Look again on", widget=forms.DateInput(attrs={"type": "date"}))

    def clean_confirmed(self) -> bool | None:
        """Unknown stays unknown."""
        return {"yes": True, "no": False}.get(self.cleaned_data["confirmed"])


class WordsForm(forms.Form):
    """A reason."""

    words = forms.CharField(label="Why", max_length=1000)


class KeepForm(WordsForm):
    """An entry was looked at again, and stays until another look."""

    review_on = forms.DateField(label="Look again on", widget=forms.DateInput(attrs={"type": "date"}))
