"""The histories of many treatments in a handful of questions, however many they are. Reads only, locks nothing."""

import gc
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import psycopg
from django.db import connection

from monitoring.actions.judging import BEN, EVENT, TREATMENT, Known, known_of
from monitoring.models import AgreedLimits, BenStatus, Treatment, TreatmentEvent
from monitoring.rules.history import Bound, Count
from patients.models import Clinic

VERSIONS = """
    SELECT treatment_id, source, accession, version, status, drawn_at, trim_scale(anc), anc_bound, trim_scale(wbc),
        wbc_bound, supported, flags::text
    FROM monitoring_result WHERE treatment_id = ANY(%s)
"""
"""In no order: the history puts its counts in theirs."""
EVENTS = f"SELECT {EVENT.columns('e')} FROM {EVENT.table} e WHERE e.treatment_id = ANY(%s) ORDER BY e.at, e.id"  # noqa: S608  # names of our own tables and columns, here and below
STATUSES = f"SELECT {BEN.columns('b')} FROM {BEN.table} b WHERE b.treatment_id = ANY(%s) ORDER BY b.confirmed_at"  # noqa: S608  # names of our own
TREATMENTS = f"""
    SELECT {TREATMENT.columns("t")} FROM {TREATMENT.table} t
    WHERE t.clinic_id = %s AND t.merged_into_id IS NULL AND t.protocol_key <> %s AND t.id BETWEEN %s AND %s
    ORDER BY t.id
"""  # noqa: S608  # names of our own
MERGED = "SELECT id, merged_into_id FROM monitoring_treatment WHERE merged_into_id = ANY(%s)"


@dataclass(slots=True)
class Drawn:
    """One version of one result, with no more of it than the rules need."""

    treatment_id: int
    source: str
    accession: str
    version: int
    status: str
    drawn_at: datetime
    anc: Decimal | None
    anc_bound: Bound
    wbc: Decimal | None
    wbc_bound: Bound
    supported: bool
    flags: str

    def count(self) -> Count:
        """The count as the rules read it."""
        flags = () if self.flags == "[]" else tuple(json.loads(self.flags))
        return Count(
            self.drawn_at, self.anc, self.anc_bound, self.wbc, self.wbc_bound, self.supported, self.accession, flags
        )


def treatments_not_under(protocol_key: str, *, clinic: Clinic, first_id: int, last_id: int) -> list[Treatment]:
    """The clinic's treatments of that range that are judged by another protocol, without merged records."""
    found = TREATMENT.all(TREATMENTS, [clinic.pk, protocol_key, first_id, last_id])
    for treatment in found:
        treatment.clinic = clinic
    return found


@contextmanager
def no_collecting() -> Iterator[None]:
    """Inside nothing is searched for cycles: there are none among counts, and the search costs a third of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def known_of_many(treatments: Sequence[Treatment]) -> Iterator[tuple[Treatment, Known]]:
    """What is known of each, as `known_of` reads one."""
    home = _homes([treatment.pk for treatment in treatments])
    drawn, happened, statuses = _drawn(home), _happened(home), _statuses([treatment.pk for treatment in treatments])
    read_agreements(treatments)
    for treatment in treatments:
        treatment.ben = statuses.get(treatment.pk)
        yield treatment, known_of(treatment, drawn[treatment.pk], events=happened[treatment.pk])


def _homes(ids: list[int]) -> dict[int, int]:
    """Which treatment reads the rows of which record: its own, and those merged into it."""
    with connection.cursor() as cursor:
        cursor.execute(MERGED, [ids])
        return {pk: pk for pk in ids} | dict(cursor.fetchall())


def _drawn(home: dict[int, int]) -> dict[int, list[Drawn]]:
    found: dict[int, list[Drawn]] = defaultdict(list)
    connection.ensure_connection()
    # Sixty counts a treatment: Django's own reading of a time, in Python, would cost more than the rules do.
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(VERSIONS, [list(home)], binary=True)
        for values in cursor.fetchall():
            found[home[values[0]]].append(Drawn(*values))
    return found


def _happened(home: dict[int, int]) -> dict[int, list[TreatmentEvent]]:
    found: dict[int, list[TreatmentEvent]] = defaultdict(list)
    for event in EVENT.all(EVENTS, [list(home)]):
        found[home[event.treatment_id]].append(event)
    return found


def _statuses(ids: list[int]) -> dict[int, BenStatus]:
    """The latest BEN status of each."""
    return {status.treatment_id: status for status in BEN.all(STATUSES, [ids])}


def read_agreements(treatments: Sequence[Treatment]) -> None:
    """The limits agreed for them, kept on each copy; nothing is asked where there are none."""
    having = {treatment.pk: treatment for treatment in treatments if treatment.has_limits}
    for treatment in having.values():
        treatment.agreements_read = []
    if not having:
        return
    rows = AgreedLimits.objects.filter(treatment__in=having).select_related("agreed_by").order_by("agreed_at", "pk")
    for row in rows:
        treatment = having[row.treatment_id]
        treatment.agreements_read = [*(treatment.agreements_read or ()), row]
