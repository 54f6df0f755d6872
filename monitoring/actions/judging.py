"""Asking the rules about a treatment, and keeping what they said."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from monitoring.models import Assessment, BenStatus, Result, Treatment, TreatmentEvent
from monitoring.models.limits import protocol_at
from monitoring.models.result import Version, standing
from monitoring.rules.assess import assess
from monitoring.rules.history import History
from monitoring.rules.judgement import Judgement, cautious
from monitoring.rules.protocol import Protocol
from patients.models import Clinic, Patient, Staff
from patients.rows import Rows

TREATMENT, PATIENT, CLINIC, STAFF = Rows(Treatment), Rows(Patient), Rows(Clinic), Rows(Staff)
RESULT, EVENT, BEN, ASSESSMENT = Rows(Result), Rows(TreatmentEvent), Rows(BenStatus), Rows(Assessment)

LOCK = f"""
    SELECT {TREATMENT.columns("t")}, {CLINIC.columns("c")}, {PATIENT.columns("p")}, {STAFF.columns("s")}
    FROM {TREATMENT.table} t
    JOIN {CLINIC.table} c ON c.id = t.clinic_id
    JOIN {PATIENT.table} p ON p.id = t.patient_id
    LEFT JOIN {STAFF.table} s ON s.id = t.clinician_id
    WHERE t.id = %s
"""  # noqa: S608  # names of our own tables and columns, here and below
RECORDS = f"ARRAY(SELECT %s::bigint UNION ALL SELECT id FROM {TREATMENT.table} WHERE merged_into_id = %s)"  # noqa: S608  # table names of our own
"""A record and those merged into it; takes the treatment's key twice."""
AHEAD = timedelta(minutes=30)
"""How far what is on record may be ahead of a clock: ten minutes of a draw's, and a long wait for the lock."""
VERSIONS = f"""
    SELECT {RESULT.columns("r")} FROM {RESULT.table} r WHERE r.treatment_id = ANY({RECORDS}) ORDER BY r.drawn_at, r.id
"""  # noqa: S608  # table and column names of our own
AROUND = f"""
    SELECT {BEN.columns("b")}, {EVENT.columns("e")},
           EXISTS (SELECT 1 FROM monitoring_alert WHERE treatment_id = ANY({RECORDS}) AND resolved_at IS NULL),
           EXISTS (SELECT 1 FROM monitoring_booking WHERE treatment_id = one.id AND ended_at IS NULL),
           EXISTS (SELECT 1 FROM monitoring_draw WHERE treatment_id = one.id AND ended_at IS NULL)
    FROM (VALUES (%s::bigint)) AS one (id)
    LEFT JOIN LATERAL (
        SELECT * FROM {BEN.table} WHERE treatment_id = one.id ORDER BY confirmed_at DESC LIMIT 1
    ) b ON true
    LEFT JOIN {EVENT.table} e ON e.treatment_id = ANY({RECORDS})
    ORDER BY e.id
"""  # noqa: S608  # table and column names of our own


def locked(treatment_id: int, *, clinic_id: int | None = None) -> Treatment:
    """The treatment, locked until the transaction ends: results, events and decisions of one patient queue here.

    For a record that was merged into another: that other one, which is judged with the rows of both. With a clinic,
    only one of that clinic. Raises Treatment.DoesNotExist.
    """
    found = lock_alone(treatment_id, clinic_id=clinic_id)
    return found if found.merged_into_id is None else lock_alone(found.merged_into_id)


def lock_alone(treatment_id: int, *, clinic_id: int | None = None) -> Treatment:
    """This very record, locked, whatever it was merged into. The merged one is always locked before the kept one."""
    sql, parameters = LOCK, [treatment_id]
    if clinic_id is not None:
        sql, parameters = f"{sql} AND t.clinic_id = %s", [treatment_id, clinic_id]
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} FOR UPDATE OF t", parameters)
        found = cursor.fetchone()
        if found is None:
            # Moved to another clinic while this waited for the lock, it no longer joins the clinic of before.
            cursor.execute(f"{sql} FOR UPDATE OF t", parameters)
            found = cursor.fetchone()
    if found is None:
        raise Treatment.DoesNotExist
    treatment: Treatment
    treatment, clinic, patient, clinician = _read(found, TREATMENT, CLINIC, PATIENT, STAFF)
    treatment.clinic, treatment.patient, treatment.clinician = clinic, patient, clinician
    return treatment


def _read(values: Sequence[Any], *kinds: Rows[Any]) -> Iterable[Any]:
    """The rows that stand side by side in one line of an answer."""
    begin = 0
    for kind in kinds:
        yield kind.read(values[begin : begin + len(kind)])
        begin += len(kind)


class Facts(NamedTuple):
    """What is known of a locked treatment: every version of every result, in draw order, and the rest."""

    versions: list[Result]
    events: list[TreatmentEvent]
    alerted: bool
    """Some alert of it is open."""
    booked: bool
    """A blood test is booked."""
    drawn: bool
    """Blood was drawn, and its result is awaited."""


def facts_of(treatment: Treatment) -> Facts:
    """Read after the lock, never in its statement: that one may see other tables as they were before it waited."""
    versions = RESULT.all(VERSIONS, [treatment.pk] * 2)
    with connection.cursor() as cursor:
        cursor.execute(AROUND, [treatment.pk] * 5)
        around = cursor.fetchall()
    read = [tuple(_read(values, BEN, EVENT)) for values in around]
    treatment.ben = read[0][0]
    events, (alerted, booked, drawn) = [event for _, event in read if event is not None], around[0][-3:]
    return Facts(versions, events, alerted=alerted, booked=booked, drawn=drawn)


class Known(NamedTuple):
    """What is known of a treatment, as the rules read it: with preliminary results only where there are any."""

    final: History
    with_preliminary: History | None


def known_of(
    treatment: Treatment,
    versions: Sequence[Version],
    *,
    events: Iterable[TreatmentEvent] | None = None,
    known_at: datetime | None = None,
) -> Known:
    """The histories to be judged. With `known_at` events and BEN are as they were known then."""
    current = standing(list(versions))
    final = treatment.history_of(current, events=events, known_at=known_at)
    if all(result.status != "preliminary" for result in current):
        return Known(final, None)
    return Known(final, treatment.history_of(current, preliminary=True, events=events, known_at=known_at))


def judge_known(known: Known, protocol: Protocol, *, as_of: datetime, all_known: bool = False) -> Judgement:
    """What a protocol makes of it. A preliminary result may restrict the answer, never permit more."""

    def said(history: History) -> Judgement:
        ahead = (at for at, _ in history.timeline if as_of < at <= as_of + AHEAD) if all_known else ()
        return assess(history, protocol, max(ahead, default=as_of))

    final = said(known.final)
    if known.with_preliminary is None:
        return final
    return replace(cautious(final, said(known.with_preliminary)), drawn_at=final.drawn_at)


def judge(
    treatment: Treatment,
    versions: Sequence[Version],
    *,
    as_of: datetime,
    events: Iterable[TreatmentEvent] | None = None,
    known_at: datetime | None = None,
    protocol: Protocol | None = None,
    all_known: bool = False,
) -> Judgement:
    """What the rules make of the treatment, by its own protocol or another. The versions are the caller's choice.

    `all_known`: see judge_now.
    """
    known = known_of(treatment, versions, events=events, known_at=known_at)
    return judge_known(known, protocol or protocol_at(treatment, as_of), as_of=as_of, all_known=all_known)


def judge_now(
    treatment: Treatment,
    versions: Sequence[Version],
    *,
    now: datetime,
    events: Iterable[TreatmentEvent] | None = None,
) -> Judgement:
    """What the rules make of everything that is known.

    A draw may be some minutes ahead of this clock, and a clock read before a wait for the lock is behind what was
    committed meanwhile: a severe count that is on record counts all the same.
    """
    return judge(treatment, versions, as_of=now, events=events, all_known=True)


def keep(
    treatment: Treatment, judgement: Judgement, *, result: Result | None, latest_draw_at: datetime | None, now: datetime
) -> Assessment:
    """Store the judgement and bring the treatment's derived columns up to it."""
    columns = bring_up(treatment, judgement, latest_draw_at=latest_draw_at, now=now)
    Treatment.objects.filter(pk=treatment.pk).update(**columns)
    assessment = as_assessment(treatment, judgement, result=result, now=now)
    assessment.save(force_insert=True)
    return assessment


def bring_up(
    treatment: Treatment, judgement: Judgement, *, latest_draw_at: datetime | None, now: datetime
) -> dict[str, Any]:
    """Set this copy's derived columns to the judgement; returns them, to be stored under the lock."""
    columns = {
        "version": treatment.version + 1,
        "band": judgement.band or "",
        "advice": judgement.treatment,
        "frequency": judgement.frequency,
        "due_on": judgement.due_on,
        "overdue_after": judgement.overdue_after,
        "repeat_by": judgement.deadline,
        "paused_since": judgement.paused_since,
        "changes_on": judgement.changes_on,
        "latest_draw_at": latest_draw_at,
        "assessed_at": now,
    }
    for name, value in columns.items():
        setattr(treatment, name, value)
    return columns


def as_assessment(treatment: Treatment, judgement: Judgement, *, result: Result | None, now: datetime) -> Assessment:
    """The judgement as a row that is not stored yet."""
    return Assessment(
        treatment=treatment,
        result=result,
        version=treatment.version,
        as_of=judgement.as_of,
        created_at=now,
        protocol_key=judgement.protocol,
        severe=judgement.severe,
        judgement=judgement.as_dict(),
    )


def latest_draw(versions: Sequence[Result]) -> datetime | None:
    """When the latest standing result was drawn."""
    return max((result.drawn_at for result in standing(list(versions))), default=None)
