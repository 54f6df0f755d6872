"""Importing a laboratory's file: choose it, name its columns once, see what would happen, confirm, get a receipt."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_POST

from monitoring.feeds.csv import REFUSAL_COLUMNS, write_rows
from monitoring.feeds.foreseeing import CHECKED, Foresight, foresee
from monitoring.feeds.imports import (
    ReadOtherwiseError,
    ask_worker,
    begin_import,
    cancel_import,
    confirm_import,
    first_line_not_utf8,
    go_on,
    layout_of,
    reading_mark,
    remember_columns,
)
from monitoring.feeds.layout import headers_of
from monitoring.feeds.quarantine import refused_lines, waiting_rows
from monitoring.import_forms import ColumnsForm, UploadForm
from monitoring.models import Import, Laboratory
from monitoring.rules.errors import InputError
from monitoring.views.finding import address_of, signed_in_part, staff_of
from monitoring.views.import_words import first_lines, foreseen_rows, receipt, states_in_words
from patients import audit
from patients.access import clinics_of
from patients.models import Staff

VERB = "import_results"
RECENT = 30
PATIENT_SECONDS = 10.0
"""Without JavaScript one press of the button goes on for so long."""


def imports_of(staff: Staff) -> "QuerySet[Import]":
    """The imports of the clinics at which this person may import, without their files."""
    found = Import.objects.filter(clinic__in=clinics_of(staff, VERB)).defer("content")
    return found.select_related("laboratory", "clinic", "uploaded_by")


def laboratories_of(staff: Staff) -> "QuerySet[Laboratory]":
    """The laboratories of those clinics."""
    return Laboratory.objects.filter(clinic__in=clinics_of(staff, VERB)).select_related("clinic").order_by("name")


def _found(request: HttpRequest, import_id: int) -> Import:
    return get_object_or_404(imports_of(staff_of(request)), pk=import_id)


@login_required
def import_results(request: HttpRequest) -> HttpResponse:
    """The last imports, and the form for a new one."""
    staff, now = staff_of(request), timezone.now()
    clinics = list(clinics_of(staff, VERB))
    if not clinics:
        raise Http404
    form = UploadForm(request.POST or None, request.FILES or None, clinics=clinics, known=laboratories_of(staff))
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("import", _begun(request, form).pk)
        except InputError as error:
            form.add_error("file", f"{error.message[:1].upper()}{error.message[1:]}.")
    page = {
        "form": form,
        "recent": imports_of(staff).order_by("-uploaded_at")[:RECENT],
        "waiting": waiting_rows(staff, now),
    }
    return render(request, "monitoring/import.html", page)


def _begun(request: HttpRequest, form: UploadForm) -> Import:
    given, now = form.cleaned_data, timezone.now()
    laboratory = form.known.get(given["laboratory"])
    content = given["file"].read()
    if laboratory is None:
        clinic = form.new_clinic(given)
        laboratory = Laboratory(
            clinic=clinic, name=given["new_name"], source=slugify(given["new_name"])[:40], created_at=now
        )
    return begin_import(
        laboratory=laboratory, file_name=given["file"].name or "file.csv", content=content, by=staff_of(request),
        now=now, ip=address_of(request),
    )  # fmt: skip


@login_required
def import_page(request: HttpRequest, import_id: int) -> HttpResponse:
    """Where an import stands: its columns, its preview, its progress or its receipt."""
    imported = _found(request, import_id)
    if imported.finished_at or imported.cancelled_at:
        return render(request, "monitoring/import_receipt.html", {"imported": imported, "receipt": receipt(imported)})
    if imported.confirmed_at:
        return render(request, "monitoring/import_progress.html", {"imported": imported, "stuck": _stuck(imported)})
    return _foreseen_page(request, imported)


def _foreseen_page(request: HttpRequest, imported: Import, **more: object) -> HttpResponse:
    try:
        _check_letters(imported)
        found = foresee(imported, now=timezone.now())
    except InputError as error:
        return _columns_page(request, imported, _columns_form(request, imported), error.message)
    return _preview_page(request, imported, found, **more)


def _stuck(imported: Import) -> str:
    """Why no further row of it can be read, where that is so."""
    try:
        layout_of(imported)
    except InputError as error:
        return error.message
    return ""


def _check_letters(imported: Import) -> None:
    if "=encoding" in imported.laboratory.columns:
        return
    if line := first_line_not_utf8(imported):
        raise InputError("file", f"line {line} is not UTF-8; export the file as UTF-8, or say in which letters it is")


def _preview_page(request: HttpRequest, imported: Import, found: Foresight, **more: object) -> HttpResponse:
    earlier = imports_of(staff_of(request)).filter(laboratory=imported.laboratory, sha256=imported.sha256)
    waiting = found.states["waits"]
    page = {
        "imported": imported,
        "found": found,
        "seen": reading_mark(imported.laboratory),
        "all_checked": found.checked < CHECKED,
        "rows": foreseen_rows(found, imported.clinic),
        "states": states_in_words(found),
        "bands": found.bands.most_common(),
        "doubtful": waiting * 2 > found.checked,
        "earlier": earlier.exclude(finished_at=None).order_by("-finished_at").first(),
    }
    answer = render(request, "monitoring/import_preview.html", page | more)
    answer.status_code = 409 if "changed" in more else 200
    return answer


@login_required
def import_columns(request: HttpRequest, import_id: int) -> HttpResponse:
    """Which column is which; remembered for the laboratory."""
    imported = _found(request, import_id)
    if imported.confirmed_at or imported.cancelled_at:
        return redirect("import", imported.pk)
    form = _columns_form(request, imported)
    if request.method == "POST" and form.is_valid():
        try:
            remember_columns(
                laboratory=imported.laboratory, columns=form.columns(), unit=form.cleaned_data["always_unit"],
                by=staff_of(request), now=timezone.now(), ip=address_of(request),
            )  # fmt: skip
        except InputError as error:
            return _columns_page(request, imported, form, error.message)
        messages.success(request, f"The columns of {imported.laboratory} are remembered.")
        return redirect("import", imported.pk)
    return _columns_page(request, imported, form, "")


def _columns_form(request: HttpRequest, imported: Import) -> ColumnsForm:
    letters = "=encoding" in imported.laboratory.columns or first_line_not_utf8(imported) is not None
    sent = request.POST if request.method == "POST" else None
    header, lines = first_lines(imported)
    return ColumnsForm(sent, laboratory=imported.laboratory, header=header, lines=lines, letters=letters)


def _columns_page(request: HttpRequest, imported: Import, form: ColumnsForm, why: str) -> HttpResponse:
    header, lines = first_lines(imported)
    page = {"imported": imported, "form": form, "why": why, "header": header.names, "lines": lines}
    return render(request, "monitoring/import_columns.html", page)


@login_required
@require_POST
def confirm(request: HttpRequest, import_id: int) -> HttpResponse:
    """From now on the rows are recorded as the preview read them; a small file is done at once."""
    imported, now = _found(request, import_id), timezone.now()
    seen = request.POST.get("seen", "")
    try:
        if imported.confirmed_at is None and "sure" not in request.POST and seen == reading_mark(imported.laboratory):
            found = foresee(imported, now=now)
            if found.states["waits"] * 2 > found.checked:
                return _preview_page(request, imported, found, unsure=True)
        confirm_import(imported=imported, by=staff_of(request), now=now, seen=seen, ip=address_of(request))
    except ReadOtherwiseError as error:
        return _foreseen_page(request, _found(request, import_id), changed=error.message)
    except InputError as error:
        messages.error(request, error.message)
        return redirect("import", imported.pk)
    if go_on(imported.pk, clock=timezone.now).finished_at is None:
        ask_worker(imported)
    return redirect("import", imported.pk)


@signed_in_part
@require_POST
def go_on_importing(request: HttpRequest, import_id: int) -> HttpResponse:
    """Take the next rows, and say how far it is, or why it goes no further; every worker may be dead."""
    imported = _found(request, import_id)
    asked_by_htmx = "HX-Request" in request.headers
    stuck = ""
    try:
        if asked_by_htmx:
            imported = go_on(imported.pk, clock=timezone.now)
        else:
            imported = go_on(imported.pk, clock=timezone.now, seconds=PATIENT_SECONDS, most=100_000)
    except InputError as error:
        stuck = error.message
    if not asked_by_htmx:
        return redirect("import", imported.pk)
    page = {"imported": _found(request, imported.pk), "stuck": stuck}
    answer = render(request, "monitoring/import_so_far.html", page)
    if imported.finished_at or imported.cancelled_at:
        answer["HX-Refresh"] = "true"
    return answer


@login_required
@require_POST
def cancel(request: HttpRequest, import_id: int) -> HttpResponse:
    """Take no further row."""
    imported = _found(request, import_id)
    if cancel_import(imported=imported, by=staff_of(request), now=timezone.now(), ip=address_of(request)):
        messages.success(request, "The import is stopped. What it had recorded stays recorded.")
    return redirect("import", imported.pk)


@login_required
def refused_rows(request: HttpRequest, import_id: int) -> HttpResponse:
    """The refused rows as CSV in the laboratory's own columns, to mend and import again."""
    imported = _found(request, import_id)
    places = headers_of(imported.laboratory)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="import-{imported.pk}-refused.csv"'
    lines = refused_lines(imported).iterator()
    write_rows(
        answer,  # type: ignore[arg-type]  # a response can be written to like a file
        [*(name for _, name in places), *REFUSAL_COLUMNS],
        ([*(line.fields.get(ours, "") for ours, _ in places), line.field, line.message] for line in lines),
    )
    audit.record(
        "refused_rows_downloaded", by=staff_of(request), now=timezone.now(), clinic_id=imported.clinic_id,
        subject=f"import:{imported.pk}", ip=address_of(request),
    )  # fmt: skip
    return answer
