"""Reports: a page with charts, one CSV a report, and a print."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone

from monitoring.reports.every import ONE, every
from monitoring.reports.form import QuestionForm
from monitoring.reports.printing import printed
from monitoring.reports.question import Question
from monitoring.reports.spreadsheet import lines
from monitoring.views.finding import staff_of


@login_required
def reports(request: HttpRequest) -> HttpResponse:
    """All reports for the filters in the address."""
    form = _form(request)
    page: dict[str, Any] = {"form": form}
    if form.is_valid():
        question = form.question()
        page |= {"reports": every(question), "asked": asked_in_words(form, question)}
    return render(request, "monitoring/reports.html", page)


@login_required
def report_csv(request: HttpRequest, key: str) -> HttpResponseBase:
    """One report, row by row."""
    question = _question_or_404(request)
    if key not in ONE:
        raise Http404
    answer = StreamingHttpResponse(lines(ONE[key](question), question), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{key}-{question.since}-{question.until}.csv"'
    return answer


@login_required
def reports_pdf(request: HttpRequest) -> HttpResponse:
    """All reports, set for paper."""
    form = _form(request)
    question = _question_or_404(request, form)
    answer = HttpResponse(printed(every(question), asked_in_words(form, question)), content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="reports-{question.since}-{question.until}.pdf"'
    return answer


def _form(request: HttpRequest) -> QuestionForm:
    return QuestionForm(request.GET, staff=staff_of(request), now=timezone.now())


def _question_or_404(request: HttpRequest, form: QuestionForm | None = None) -> Question:
    """A file has no place for a form's sentences: the page says what is wrong with the same address."""
    form = form or _form(request)
    if not form.is_valid():
        raise Http404
    return form.question()


def asked_in_words(form: QuestionForm, question: Question) -> list[tuple[str, str]]:
    """The question as a page and a print repeat it."""
    zone = question.clinics[0].zone
    chosen = dict(form.fields["clinician"].choices)  # type: ignore[attr-defined]  # a choice field
    words = [
        ("Clinics", ", ".join(clinic.name for clinic in question.clinics)),
        ("Days", f"{question.since} to {question.until}"),
        ("As known at", f"{question.known_at.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})"),
        ("Protocol", question.protocol or "all"),
        ("Thresholds", {"": "all", "ben": "BEN", "general": "general"}[question.population]),
    ]
    if question.clinician_id:
        words.append(("Clinician", f"{chosen[question.clinician_id]}, as patients are assigned today"))
    return words
