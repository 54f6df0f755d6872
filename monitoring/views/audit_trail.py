"""The auditor's page: who did what, about whom, when, from where. Read only; an export is itself in the trail."""

from datetime import datetime
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from monitoring.trail import Mark, Question, as_csv, lines, page_after, who_saw
from monitoring.views.finding import address_of, staff_of
from patients import audit
from patients.access import clinics_of
from patients.models import Clinic

ROWS = 100
DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class QuestionForm(forms.Form):
    """What an auditor asks."""

    clinic = forms.ModelChoiceField(queryset=Clinic.objects.none(), empty_label=None, to_field_name="slug")
    since = forms.DateField(label="From", required=False, widget=DATE)
    until = forms.DateField(label="To", required=False, widget=DATE)
    person = forms.CharField(label="Person or program", required=False, max_length=120)
    verb = forms.CharField(
        label="What was done",
        required=False,
        max_length=48,
        help_text="As it stands in the list, such as patient opened.",
    )
    mrn = forms.CharField(label="Patient's MRN", required=False, max_length=40)

    def __init__(self, request: HttpRequest) -> None:
        clinics = clinics_of(staff_of(request), "read_audit").order_by("name")
        first = clinics.first()
        if first is None:
            raise Http404
        asked = request.POST if request.method == "POST" else request.GET
        super().__init__({"clinic": first.slug} | asked.dict())
        self.home = first
        self.fields["clinic"].queryset = clinics  # type: ignore[attr-defined]  # a ModelChoiceField

    def clean_verb(self) -> str:
        """As it is stored."""
        return "_".join(str(self.cleaned_data["verb"]).strip().lower().split())

    def question(self) -> Question:
        """What is asked, with blanks around words gone."""
        return Question(**self.cleaned_data)


@login_required
@require_safe
def audit_trail(request: HttpRequest) -> HttpResponse:
    """A page of the trail, and with an MRN who saw that patient."""
    form = QuestionForm(request)
    if not form.is_valid():
        return _unclear(request, form)
    question = form.question()
    found = page_after(question.events(), _mark(request.GET.get("after", "")), ROWS + 1)
    last = found[ROWS - 1] if len(found) > ROWS else None
    asked = {name: value for name, value in request.GET.items() if name != "after" and value}
    page = {
        "form": form,
        "clinic": question.clinic,
        "several": form.fields["clinic"].queryset.count() > 1,  # type: ignore[attr-defined]  # a ModelChoiceField
        "found": lines(question.clinic, found[:ROWS]),
        "saw": who_saw(question) if question.mrn else None,
        "first_page": "after" not in request.GET,
        "next": urlencode(asked | {"after": f"{last.at.isoformat()}~{last.pk}"}) if last else "",
        "first": urlencode(asked),
    }
    return render(request, "monitoring/audit_trail.html", page)


@login_required
@require_POST
def audit_export(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Everything that answers the question as CSV; the export is the newest event of the trail and not in the file."""
    form = QuestionForm(request)
    if not form.is_valid():
        return _unclear(request, form)
    question, now = form.question(), timezone.now()
    newest = question.events().values_list("at", "pk").first()
    asked = [f"{name}={value}" for name, value in form.cleaned_data.items() if value and name != "clinic"]
    audit.record(
        "audit_exported", by=staff_of(request), now=now, clinic_id=question.clinic.pk, ip=address_of(request),
        asked=asked,
    )  # fmt: skip
    # The mark is exclusive, so it is set one past the newest.
    mark = (newest[0], newest[1] + 1) if newest else (now, 0)
    name = f"audit-{question.clinic.slug}-{now:%Y%m%dT%H%M%SZ}.csv"
    answer = StreamingHttpResponse(as_csv(question, newest=mark), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _unclear(request: HttpRequest, form: QuestionForm) -> HttpResponse:
    """The question again, with what was wrong."""
    return render(request, "monitoring/audit_trail.html", {"form": form, "clinic": form.home}, status=400)


def _mark(written: str) -> Mark | None:
    """The last event of the page before, as its link wrote it; from the beginning for anything else."""
    at, _, pk = written.rpartition("~")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (moment, int(pk)) if moment.tzinfo and pk.isdecimal() and len(pk) < 19 else None
