"""What another protocol would make of a whole clinic, treatment by treatment, before anything is changed."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime

from django.db import IntegrityError, connection, transaction
from django.db.models import Sum

from monitoring.actions.judging import Known, judge_known
from monitoring.actions.reading_many import known_of_many, no_collecting, treatments_not_under
from monitoring.models import ChangeRow, Kind, ProtocolChange, Treatment
from monitoring.models.limits import protocol_at
from monitoring.rules.errors import InputError
from monitoring.rules.judgement import RESTRICTION, Judgement
from monitoring.rules.protocol import Protocol
from monitoring.rules.protocols import PROTOCOLS
from patients import audit
from patients.models import Clinic, Staff
from patients.rows import Rows

CHUNK = 200
"""Treatments in one transaction: a kill costs a moment's work."""
ROW = Rows(ChangeRow)
LINES = ("band", "advice", "frequency", "due_on")
"""What is compared, by the names of a treatment's columns."""
CUT = """
    INSERT INTO monitoring_changechunk (change_id, first_id, last_id, patients, counts)
    SELECT %s, min(id), max(id), count(*), '{}' FROM (
        SELECT id, (row_number() OVER (ORDER BY id) - 1) / %s AS number FROM monitoring_treatment
        WHERE clinic_id = %s AND merged_into_id IS NULL AND protocol_key <> %s
    ) one GROUP BY number ORDER BY number
"""


@transaction.atomic
def begin_change(
    *, clinic: Clinic, protocol_key: str, reason: str, by: Staff, now: datetime, ip: str | None = None
) -> ProtocolChange:
    """Ask what would change; nothing is changed yet. Raises InputError while another change of the clinic is open."""
    protocol = PROTOCOLS.get(protocol_key)
    if protocol is None:
        raise InputError("protocol_key", f"{protocol_key!r} is not a protocol; known: {', '.join(PROTOCOLS)}")
    if protocol.retired_on:
        raise InputError(
            "protocol_key", f"{protocol.title} was retired on {protocol.retired_on}; choose one that is in force"
        )
    if not reason.strip():
        raise InputError("reason", "say why the protocol of the clinic changes")
    try:
        with transaction.atomic():
            change = ProtocolChange.objects.create(
                clinic=clinic, protocol_key=protocol_key, reason=reason.strip(), asked_at=now, asked_by=by, patients=0
            )
    except IntegrityError as error:
        raise InputError("clinic", f"a change of protocol is open at {clinic}; finish or cancel it first") from error
    with connection.cursor() as cursor:
        cursor.execute(CUT, [change.pk, CHUNK, clinic.pk, protocol_key])
    change.patients = change.chunks.aggregate(patients=Sum("patients"))["patients"] or 0
    if not change.patients:
        raise InputError("protocol_key", f"everybody at {clinic} is judged by {protocol.title} already")
    change.save(update_fields=["patients"])
    _audit("protocol_change_asked", change, by, now, ip, protocol=protocol_key, reason=change.reason)
    return change


def foresee_chunk(change: ProtocolChange, *, now: datetime) -> int:
    """Foresee the next chunk that nobody has; how many treatments it had, 0 when none is left to take.

    All of a chunk is written or none of it, so whoever goes on after a kill begins where it was. Any number of
    processes may do this at once: each takes a chunk that no other one holds.
    """
    with transaction.atomic():
        waiting = change.chunks.filter(foreseen_at=None).order_by("pk")
        chunk = waiting.select_for_update(skip_locked=True).first()
        if chunk is None:
            return 0
        treatments = treatments_not_under(
            change.protocol_key, clinic=change.clinic, first_id=chunk.first_id, last_id=chunk.last_id
        )
        protocol = PROTOCOLS[change.protocol_key]
        with no_collecting():
            rows = [foreseen(change, *one, protocol, now=now) for one in known_of_many(treatments)]
        _write(rows)
        chunk.foreseen_at, chunk.counts = now, counted(rows)
        chunk.save(update_fields=["foreseen_at", "counts"])
    return chunk.patients


def foreseen(
    change: ProtocolChange, treatment: Treatment, known: Known, protocol: Protocol, *, now: datetime
) -> ChangeRow:
    """The row of one treatment: both judgements of this moment, side by side."""
    was = judge_known(known, protocol_at(treatment, now), as_of=now)
    row = ChangeRow(
        change_id=change.pk, treatment_id=treatment.pk, version=treatment.version,
        was_band=was.band or "", was_advice=was.treatment, was_frequency=was.frequency, was_due_on=was.due_on,
    )  # fmt: skip
    try:
        then = judge_known(known, protocol, as_of=now)
    except InputError:
        row.kind, row.why = Kind.CANNOT, f"{protocol.title} has no thresholds for this patient (BEN)."
        return row
    row.band, row.advice, row.frequency, row.due_on = said(then)
    row.kind = kind_of(was, then)
    return row


def said(judgement: Judgement) -> tuple[str, str, str, date | None]:
    """The compared lines of a judgement, as a treatment's columns hold them."""
    return judgement.band or "", judgement.treatment, judgement.frequency, judgement.due_on


def kind_of(was: Judgement, then: Judgement) -> Kind:
    """The gravest difference. No next test is later than any."""
    step = RESTRICTION.index(then.treatment) - RESTRICTION.index(was.treatment)
    if step:
        return Kind.STRICTER if step > 0 else Kind.LOOSER
    due, was_due = then.due_on or date.max, was.due_on or date.max
    if due != was_due:
        return Kind.SOONER if due < was_due else Kind.LATER
    return Kind.SAME if said(was) == said(then) else Kind.OTHER


def counted(rows: Iterable[ChangeRow]) -> dict[str, int]:
    """How many of each kind, how often each line changes, and which advice becomes which."""
    found: Counter[str] = Counter()
    for row in rows:
        found[f"kind:{row.kind}"] += 1
        if row.kind == Kind.CANNOT:
            continue
        found.update(f"line:{name}" for name in LINES if getattr(row, name) != getattr(row, f"was_{name}"))
        if row.advice != row.was_advice:
            found[f"advice:{row.was_advice}:{row.advice}"] += 1
    return dict(found)


def counts_of(change: ProtocolChange) -> Counter[str]:
    """The same of the chunks foreseen so far."""
    found: Counter[str] = Counter()
    for counts in change.chunks.exclude(foreseen_at=None).values_list("counts", flat=True):
        found.update(counts)
    return found


def _write(rows: Iterable[ChangeRow]) -> None:
    sql = f"COPY {ROW.table} ({ROW.written_columns()}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(sql) as copy:
        for row in rows:
            copy.write_row(list(ROW.values(row)))


def _audit(verb: str, change: ProtocolChange, by: Staff, now: datetime, ip: str | None, **detail: object) -> None:
    audit.record(
        verb, by=by, now=now, clinic_id=change.clinic_id, subject=f"protocol_change:{change.pk}", ip=ip, **detail
    )
