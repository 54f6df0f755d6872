"""The counter: whose tablets are these? By name and date of birth, by MRN, or by a scanned code."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from monitoring.actions.statements import code_in, standings, statement_by_code
from monitoring.doors import merges_of, overrides_of
from monitoring.models import Override, Statement
from monitoring.models.dispense import TO_REVIEW, WAITS
from monitoring.views.finding import staff_of
from patients.access import clinics_of, patients_of
from patients.models import Clinic, Patient, Staff, parse_date_or_none

FOUND = 25
OF_A_SCANNER = re.compile(r"^\][A-Za-z]\d|^\*|\*$|[\x00-\x1f]")
"""What scanners add: the kind of barcode (]C0), the stars of Code 39, control signs."""
A_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
ODD_DAY = re.compile(r"\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b")


@dataclass(frozen=True, slots=True)
class Found:
    """Who may be meant, and, where it is nobody, what would be right."""

    people: Sequence[Patient]
    statement: Statement | None = None
    refusal: str = ""
    more: bool = False
    """There are others that are not shown."""


@login_required
def counter(request: HttpRequest) -> HttpResponse:
    """One field for all of it: a scanner types the code and Enter. A single answer opens the card at once."""
    staff, now = staff_of(request), timezone.now()
    clinics = list(clinics_of(staff))
    if not clinics:
        raise Http404
    typed = request.GET.get("q", "")[:300]
    words = " ".join(OF_A_SCANNER.sub("", typed.strip()).split())
    found = find(words, staff, clinics) if words else None
    if found and len(found.people) == 1 and not found.more:
        if found.statement is not None:
            ((_, standing),) = standings(found.statement.treatment, [found.statement], now=now)
            since = standing.since.astimezone(found.statement.treatment.clinic.zone)
            said = "valid" if standing.valid else "not valid"
            tell = messages.success if standing.valid else messages.error
            tell(request, f"The scanned statement is {said} since {since:%Y-%m-%d %H:%M}. Today's answer stands below.")
        return redirect("supply", found.people[0].pk)
    lists = () if found else _lists(staff, now)
    page = {"words": words, "found": found, "lists": lists, "most": FOUND}
    return render(request, "monitoring/supply/counter.html", page)


def _lists(staff: Staff, now: datetime) -> list[tuple[str, list[Override], bool]]:
    """What two people began and nobody has ended, to answer or to review; and whether there are more."""
    rows = overrides_of(staff).order_by("asked_at", "pk")
    open_now = rows.filter(WAITS, expires_at__gte=now)
    lists = [("Waiting for a second person", open_now), ("Not reviewed yet", rows.filter(TO_REVIEW))]
    asked = [(title, list(found[: FOUND + 1])) for title, found in lists]
    return [(title, found[:FOUND], len(found) > FOUND) for title, found in asked]


def find(words: str, staff: Staff, clinics: Sequence[Clinic]) -> Found:
    """The patients of these clinics that the words mean; of two merged records the kept one."""
    if (code := code_in(words)) and (statement := statement_by_code(code)):
        mine = list(patients_of(staff).filter(treatments__statements=statement))
        if mine:
            return Found(_kept(mine, staff), statement)
    people = list(patients_of(staff).filter(mrn__iexact=words).select_related("clinic")[: FOUND + 1])
    if not people and not code and "check/" not in words:
        people = _by_name(words, staff, clinics)
    refusal = "" if people else _what_would_be_right(words, code)
    return Found(_kept(people[:FOUND], staff), refusal=refusal, more=len(people) > FOUND)


def _by_name(words: str, staff: Staff, clinics: Sequence[Clinic]) -> list[Patient]:
    """By names, by date of birth, or by both, which then both have to agree."""
    day = A_DAY.search(words)
    born = parse_date_or_none(day[0]) if day else None
    names = A_DAY.sub("", words).strip(" ,") if born else words
    people = patients_of(staff).select_related("clinic")
    if born:
        people = people.filter(date_of_birth=born)
    return people.look_for(names or str(born), clinics=clinics, most=FOUND + 1)


def _kept(people: Sequence[Patient], staff: Staff) -> list[Patient]:
    merges = merges_of(staff).filter(merged__patient__in=people).select_related("kept__patient__clinic")
    kept = {merge.merged.patient_id: merge.kept.patient for merge in merges}
    return list({patient.pk: patient for patient in (kept.get(one.pk, one) for one in people)}.values())


def _what_would_be_right(words: str, code: str) -> str:
    if code:
        return (
            "No statement of your clinics has this code. Look at the clinic on the paper, or find the patient by name."
        )
    if "check/" in words:
        return "The code of this statement was not read whole: 26 letters and digits come after check/. Scan it again."
    if (odd := ODD_DAY.search(words)) is not None:
        return f"“{odd[0]}” may be read in two ways. Write the date of birth as 1980-05-17."
    if (day := A_DAY.search(words)) is not None and parse_date_or_none(day[0]) is None:
        return f"There is no day {day[0]}. Write the date of birth as 1980-05-17."
    return (
        "Nobody at your clinics. Right would be: the name and date of birth as “Quill 1980-05-17”, the whole MRN, or"
        " the code of a statement, scanned or typed (26 letters and digits)."
    )
