"""A sheet's rows: looked at, saved, and put into words. One bad row never loses the others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models.functions import Upper
from django.http import HttpRequest

from monitoring.actions.drafting import TypedRow, stored_entries
from monitoring.actions.previewing import weigh
from monitoring.actions.record_result import record_result
from monitoring.doors import treatments_of
from monitoring.models import Alert, Result, Treatment
from monitoring.rules.errors import InputError
from monitoring.rules.slips import DoubtError
from monitoring.sheet import RowForm, fingerprint, row_form
from monitoring.views.asking import Said, in_unit, said_of
from monitoring.views.finding import address_of
from monitoring.views.second import sign_second
from monitoring.views.sheet_saved import Already, already
from patients import audit
from patients.access import patients_of
from patients.models import Clinic, Patient, Staff

FOUND = 8
NAMED = 5


@dataclass(slots=True)
class Row:
    """One row of the page. `state`: empty, typed, refused, changed, asked, judged or saved."""

    number: int
    form: RowForm
    state: str = "empty"
    treatment: Treatment | None = None
    said: Said | None = None
    shown: str = ""
    result: Result | None = None
    anc: str = ""
    alerts: Sequence[Alert] = ()
    beside: Sequence[int] = field(default_factory=list)
    """Other rows of this sheet for the same patient."""
    versions: Sequence[Result] = ()
    """What this row was saved as already, if it was."""
    already: Already | None = None
    """The same, where the row says something else now."""

    @property
    def patient(self) -> Patient | None:
        """Whose row it is, once that is known."""
        return self.treatment.patient if self.treatment else None

    @property
    def invalid(self) -> str:
        """The names of the fields that are wrong."""
        return " ".join(name for name in self.form.errors if name != "__all__") if self.form.is_bound else ""


@dataclass(frozen=True, slots=True)
class Desk:
    """Who types, where and when."""

    staff: Staff
    clinic: Clinic
    now: datetime
    colleagues: Sequence[tuple[int, str]]
    request: HttpRequest

    @property
    def ip(self) -> str | None:
        """From where."""
        return address_of(self.request)


def looked_at(rows: Mapping[int, TypedRow], desk: Desk) -> list[Row]:
    """Every row with its judgement, its questions, or what is wrong with it. Stores nothing."""
    return [_looked_at(row, rows[row.number], desk) for row in _with_stored(rows, desk)]


def saved(rows: Mapping[int, TypedRow], desk: Desk) -> list[Row]:
    """Every row that has been shown as it is now and has no open question is stored; the others are shown again."""
    return [_saved(row, rows[row.number], desk) for row in _with_stored(rows, desk)]


def found_patients(words: str, staff: Staff, clinic: Clinic) -> list[Patient]:
    """By the beginning of a name, by MRN or its beginning, or by date of birth; those on the clinic's list only.

    One more than the sheet shows, so that it can say that there are others.
    """
    mine = patients_of(staff, "record_result").filter(clinic=clinic, treatments__isnull=False)
    found = list(mine.named(words)[: FOUND + 1])
    if any(sign.isdigit() for sign in words):
        known = {patient.pk for patient in found}
        beginning = mine.filter(mrn__istartswith=words).exclude(pk__in=known).order_by("mrn")
        found += beginning[: FOUND + 1 - len(found)]
    return found


def with_patients(rows: Mapping[int, TypedRow], desk: Desk) -> list[Row]:
    """The forms with the treatments that their MRNs name; all of them in one query."""
    numbers = {typed.get("who", "").strip().upper() for typed in rows.values()} - {""}
    mine = treatments_of(desk.staff, "record_result").filter(clinic=desk.clinic)
    named = mine.annotate(number=Upper("patient__mrn")).filter(number__in=numbers)
    treatments = {treatment.patient.mrn.upper(): treatment for treatment in named}
    made = []
    for number, typed in rows.items():
        row = Row(number, row_form(number, typed, desk.colleagues), state="typed")
        row.treatment = treatments.get(typed.get("who", "").strip().upper())
        made.append(row)
    _mark_twice(made)
    return made


def _with_stored(rows: Mapping[int, TypedRow], desk: Desk) -> list[Row]:
    """The same, with what each was saved as when its answer was lost on the way."""
    stored = stored_entries(clinic=desk.clinic, rows=rows.values())
    made = with_patients(rows, desk)
    for row in made:
        row.versions = stored.get(rows[row.number].get("entry", ""), ())
    return made


def _mark_twice(rows: Iterable[Row]) -> None:
    """A patient who is on the sheet twice may be the neighbour's result."""
    places: dict[int, list[int]] = {}
    for row in rows:
        if row.treatment:
            places.setdefault(row.treatment.pk, []).append(row.number)
    for row in rows:
        if row.treatment:
            row.beside = [number for number in places[row.treatment.pk] if number != row.number]


def _looked_at(row: Row, typed: TypedRow, desk: Desk) -> Row:
    row.shown = fingerprint(typed, desk.clinic.count_unit)
    if _says_other(row, desk):
        return row
    if not row.form.is_valid() or row.treatment is None:
        return _refused(row, typed, desk)
    try:
        report = row.form.report(desk.clinic)
        weighed = weigh(treatment=row.treatment, report=report, by=desk.staff, now=desk.now)
    except InputError as error:
        return _refused_by(row, error)
    row.said = said_of(weighed, row.treatment)
    if not typed.get("shown"):
        # The judgement tells of earlier counts, so the first look at it is an opening of the patient.
        audit.opened(row.treatment.patient, by=desk.staff, now=desk.now, ip=desk.ip)
    row.state = "judged" if row.said.ready else "asked"
    return row


def _says_other(row: Row, desk: Desk) -> bool:
    """Whether the row was saved already and says something else now. Nothing mends it here, so it says what does."""
    if not row.versions:
        return False
    typed = row.form.report(desk.clinic) if row.form.is_valid() else None
    row.already = already(row.versions, typed, row.treatment, clinic=desk.clinic, staff=desk.staff)
    if row.already is None:
        return False
    if row.already.patient:
        audit.opened(row.already.patient, by=desk.staff, now=desk.now, ip=desk.ip)
    row.state = "refused"
    return True


def _saved(row: Row, typed: TypedRow, desk: Desk) -> Row:
    if _says_other(row, desk):
        return row
    if not row.form.is_valid() or row.treatment is None:
        return _looked_at(row, typed, desk)
    if row.form.cleaned_data["shown"] != fingerprint(typed, desk.clinic.count_unit):
        _looked_at(row, typed, desk)
        row.state = "changed" if row.state == "judged" else row.state
        return row
    if not sign_second(row.form, request=desk.request, patient=row.treatment.patient, by=desk.staff, now=desk.now):
        return _looked_at(row, typed, desk)
    report = row.form.report(desk.clinic)
    try:
        result = record_result(treatment=row.treatment, report=report, by=desk.staff, now=desk.now, ip=desk.ip)
    except DoubtError:
        return _looked_at(row, typed, desk)
    except InputError as error:
        # Its first sending may have been stored just now, while this one waited for it.
        row.versions = stored_entries(clinic=desk.clinic, rows=[typed]).get(typed.get("entry", ""), ())
        return row if _says_other(row, desk) else _refused_by(row, error)
    return _receipt(row, result, desk)


def _receipt(row: Row, result: Result, desk: Desk) -> Row:
    row.state, row.result = "saved", result
    row.treatment = treatments_of(desk.staff).get(pk=result.treatment_id)
    row.anc = in_unit(result.anc, desk.clinic, result.anc_bound) if result.anc is not None else ""
    row.alerts = list(result.alerts.filter(resolved_at=None).order_by("severity", "pk"))
    return row


def _refused_by(row: Row, error: InputError) -> Row:
    row.form.refuse(error)
    row.state = "refused"
    return row


def _refused(row: Row, typed: TypedRow, desk: Desk) -> Row:
    """What is wrong, with every field that is; a name is never taken for a patient without a look at the MRN."""
    words = typed.get("who", "").strip()
    if row.treatment is None and words:
        named = found_patients(words, desk.staff, desk.clinic)
        said = "; ".join(f"{one}, born {one.date_of_birth}: MRN {one.mrn}" for one in named[:NAMED])
        if said:
            more = " and others" if len(named) > NAMED else ""
            text = f"Type the MRN of the patient. Found for {words!r}: {said}{more}."
        else:
            text = f"No patient on this clinic's list has the MRN or name {words!r}."
        row.form.add_error("who", text)
    row.state = "refused"
    return row
